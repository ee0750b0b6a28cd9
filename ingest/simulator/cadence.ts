// When and how deep the simulated telescopes look: fields, nights, weather, Moon. Used by sky.ts.
import type { Random } from "./random.js";

/** Skies that have ids of their own; seeds beyond share them. */
export const SKIES = 5_760;

export interface Visit {
  /** Number of the sky, from its seed, below SKIES: part of all ids, so that two skies can share an archive. */
  readonly sky: number;
  /** Running number of the exposure within the survey. */
  readonly exposure: number;
  readonly field: number;
  /** Start of the exposure, JD UTC. */
  readonly jd: number;
  readonly band: string;
  /** 5-sigma point source limit, AB mag. */
  readonly limitingMagnitude: number;
  /** FWHM, arcsec. */
  readonly seeing: number;
  /** Rights of the exposure, as the survey counts them. */
  readonly programid: number;
}

/** How a survey observes. */
export interface Cadence {
  /** Bands of one night's visits to a field; one set is drawn. */
  readonly bandSets: readonly (readonly string[])[];
  /** Chance that a field is visited on a clear night. */
  readonly visitChance: number;
  /** 5-sigma limit in a dark, clear night per band. */
  readonly depth: Readonly<Record<string, number>>;
  /** Local midnight as a fraction of the UTC day. */
  readonly midnight: number;
  /** programid values with their weights. */
  readonly programs: readonly (readonly [programid: number, weight: number])[];
}

const SYNODIC_MONTH = 29.530589;
/** A new moon: 2000-01-06 18:14 UTC. */
const NEW_MOON_JD = 2_451_550.26;
const CLOUDY_CHANCE = 0.22;

/** Illuminated fraction of the Moon, from its mean phase. */
function moonlight(jd: number): number {
  return (1 - Math.cos((2 * Math.PI * (jd - NEW_MOON_JD)) / SYNODIC_MONTH)) / 2;
}

/** What is planned: a sky of so many fields, from a JD on for so many nights. */
export interface Span {
  readonly sky: number;
  readonly startJd: number;
  readonly nights: number;
  readonly fields: number;
}

/** All visits of the span, in time order. Cloudy nights are missing as a whole, and bad weather comes in runs. */
export function planVisits(cadence: Cadence, random: Random, { sky, startJd, nights, fields }: Span): Visit[] {
  const visits: Omit<Visit, "exposure">[] = [];
  let cloudy = false;
  for (let night = 0; night < nights; night += 1) {
    cloudy = random.uniform() < (cloudy ? 0.5 : CLOUDY_CHANCE / 2);
    // The last night is always clear, so that a simulated sky has something new in it.
    if (cloudy && night < nights - 1) continue;
    const midnight = Math.floor(startJd + night - 0.5) + 0.5 + cadence.midnight;
    const clouds = Math.abs(random.normal(0, 0.15));
    for (let field = 0; field < fields; field += 1) {
      if (random.uniform() > cadence.visitChance && night < nights - 1) continue;
      const first = midnight + random.between(-0.18, 0.14);
      random.pick(cadence.bandSets).forEach((band, i) => {
        const jd = first + i * random.between(0.02, 0.04);
        const depth = cadence.depth[band]! - 0.7 * moonlight(jd) - clouds + random.normal(0, 0.12);
        const seeing = random.between(1.4, 2.6);
        visits.push({ sky, field, jd, band, limitingMagnitude: depth, seeing, programid: program(cadence, random) });
      });
    }
  }
  visits.sort((a, b) => a.jd - b.jd);
  return visits.map((visit, exposure) => ({ ...visit, exposure }));
}

function program(cadence: Cadence, random: Random): number {
  let left = random.uniform() * cadence.programs.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [programid, weight] of cadence.programs) {
    left -= weight;
    if (left <= 0) return programid;
  }
  return cadence.programs[0]![0];
}
