// What shines in the simulated sky: kinds of sources with their parameters and difference fluxes. Used by sky.ts.
// Light curves are simple on purpose: right in shape, scale and cadence, not in detail.
import { fluxFromMagnitude } from "../../domain/flux.js";
import type { Random } from "./random.js";

export type SourceKind = "supernova" | "variable" | "agn" | "asteroid" | "artefact";

export interface Source {
  readonly kind: SourceKind;
  readonly name: string;
  readonly ra: number;
  readonly dec: number;
  /** Model parameters, as the truth file tells them: magnitudes AB, times JD, periods and time scales in days. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Difference flux (now minus reference) in nJy in a band at a JD. */
  differenceFlux(jd: number, band: string): number;
}

/** Colour of a kind: magnitude in the band minus magnitude in r. */
const COLOURS: Readonly<Record<string, number>> = { u: 0.9, g: 0.3, r: 0, i: -0.1, z: -0.15, y: -0.2 };

export interface SkyArea {
  /** Time span of the survey, JD. */
  readonly startJd: number;
  readonly endJd: number;
  position(): { ra: number; dec: number };
}

/** Exponential decline after a quadratic rise (fireball), with a slower tail after 30 days. */
export function supernova(name: string, random: Random, area: SkyArea): Source {
  const peakJd = random.between(area.startJd - 20, area.endJd + 10);
  const peakMag = random.between(17, 20.3);
  const riseDays = random.normal(18, 2);
  const declineDays = random.between(12, 22);
  const shape = (jd: number): number => {
    const phase = jd - peakJd;
    if (phase <= -riseDays) return 0;
    if (phase <= 0) return (1 + phase / riseDays) ** 2 * (1 - (2 * phase) / riseDays);
    return 0.9 * Math.exp(-phase / declineDays) + 0.1 * Math.exp(-phase / 80);
  };
  return {
    kind: "supernova",
    name,
    ...area.position(),
    parameters: { peakJd, peakMag, riseDays, declineDays },
    differenceFlux: (jd, band) => shape(jd) * fluxFromMagnitude(peakMag + (COLOURS[band] ?? 0)),
  };
}

/** A pulsating star: sawtooth (RR Lyrae like) or sine; the reference shows its mean. */
export function variable(name: string, random: Random, area: SkyArea): Source {
  const meanMag = random.between(14, 19);
  const amplitude = random.between(0.2, 1.2);
  const period = random.uniform() < 0.5 ? random.between(0.25, 0.9) : 10 ** random.between(0.3, 2.5);
  const phase0 = random.uniform();
  const rise = random.uniform() < 0.5 ? 0.15 : 0.5;
  const light = (jd: number): number => {
    const phase = (((jd / period + phase0) % 1) + 1) % 1;
    return phase < rise ? phase / rise - 0.5 : 0.5 - (phase - rise) / (1 - rise);
  };
  return {
    kind: "variable",
    name,
    ...area.position(),
    parameters: { meanMag, amplitude, period, phase0, rise },
    differenceFlux(jd, band) {
      const mean = meanMag + 1.5 * (COLOURS[band] ?? 0);
      return fluxFromMagnitude(mean - amplitude * light(jd)) - fluxFromMagnitude(mean);
    },
  };
}

/** A damped random walk in magnitude (Kelly et al. 2009), drawn once on a daily grid and interpolated. */
export function activeNucleus(name: string, random: Random, area: SkyArea): Source {
  const meanMag = random.between(16.5, 19.5);
  const scatter = random.between(0.1, 0.4);
  const timescale = random.between(30, 300);
  const keep = Math.exp(-1 / timescale);
  const walk = [random.normal(0, scatter)];
  for (let day = 1; day <= area.endJd - area.startJd + 80; day += 1) {
    walk.push(keep * walk[day - 1]! + random.normal(0, scatter * Math.sqrt(1 - keep * keep)));
  }
  return {
    kind: "agn",
    name,
    ...area.position(),
    parameters: { meanMag, scatter, timescale },
    differenceFlux(jd, band) {
      const at = Math.min(Math.max(jd - area.startJd + 40, 0), walk.length - 2);
      const day = Math.floor(at);
      const offset = walk[day]! + (at - day) * (walk[day + 1]! - walk[day]!);
      const mean = meanMag + 0.5 * (COLOURS[band] ?? 0);
      return fluxFromMagnitude(mean + offset) - fluxFromMagnitude(mean);
    },
  };
}

/** A main-belt asteroid, seen once at this place: it has moved on by the next visit. */
export function asteroid(name: string, random: Random, area: SkyArea): Source {
  const mag = random.between(16.5, 20);
  const number = 1000 + random.below(600_000);
  return {
    kind: "asteroid",
    name,
    ...area.position(),
    parameters: { mag, number },
    differenceFlux: (_jd, band) => fluxFromMagnitude(mag + 1.5 * (COLOURS[band] ?? 0)),
  };
}

/** A bad subtraction, a cosmic ray or a ghost: one exposure, low real/bogus score. */
export function artefact(name: string, random: Random, area: SkyArea): Source {
  const mag = random.between(16, 20);
  const sign = random.uniform() < 0.6 ? 1 : -1;
  return {
    kind: "artefact",
    name,
    ...area.position(),
    parameters: { mag, sign },
    differenceFlux: () => sign * fluxFromMagnitude(mag),
  };
}
