// A small sky that grows batch by batch, and the plain truth about it: what stores of alerts and objects must answer.
// Used by the contract suites; computes everything by brute force and with formulas of its own.
import fc from "fast-check";
import type { SkyObject } from "../domain/skyobject.js";
import type { Survey } from "../domain/survey.js";
import { maySee, type Viewer } from "../domain/viewer.js";
import type { TestAlert } from "./batches.js";

export interface WorldAlert extends TestAlert {
  readonly survey: Survey;
  readonly programid: number;
  readonly class: string;
  readonly solarSystemName: string | null;
}

/** Poles, both sides of RA 0, a corner of HEALPix's polar caps, and nowhere special. Degrees. */
const PLACES: readonly (readonly [number, number])[] = [
  [0, 90],
  [77, -90],
  [0, 12],
  [359.99999, -33],
  [45, Math.asin(2 / 3) / (Math.PI / 180)],
  [201.3, 47.9],
];
/** Days with ties, and times as they should not be. */
const TIMES = [2459000.5, 2459000.5, 2459001.625, 2459100.25, 2455000.5, 1.48e9, 0, -3.5];
export const CLASSES = ["stellar", "hosted", "unknown"];
const NAMES = [null, null, "433", "2021 AB"];

const offset = fc.oneof(fc.constant(0), fc.double({ min: -6, max: 6, noNaN: true }));

/** What an alert of the world is drawn from; candids come from the world. */
const drawn = fc.record({
  survey: fc.constantFrom("ZTF", "LSST"),
  object: fc.integer({ min: 0, max: 11 }),
  place: fc.constantFrom(...PLACES),
  offsets: fc.tuple(offset, offset),
  jd: fc.constantFrom(...TIMES),
  programid: fc.constantFrom(1, 1, 2, 3),
  class: fc.constantFrom(...CLASSES),
  solarSystemName: fc.constantFrom(...NAMES),
});
export const drawnAlerts = fc.array(drawn, { minLength: 1, maxLength: 40 });
export type DrawnAlert = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

const rights = (...programids: [Survey, "all" | readonly number[]][]) => new Map(programids);
export const viewers: readonly Viewer[] = [
  { scope: "public", programids: rights(["ZTF", [1]], ["LSST", [1]]), mayChange: false },
  { scope: "partner", programids: rights(["ZTF", [1, 2]], ["LSST", "all"]), mayChange: false },
  { scope: "caltech", programids: rights(["ZTF", [3]], ["LSST", []]), mayChange: false },
  { scope: "owner", programids: rights(["ZTF", "all"], ["LSST", "all"]), mayChange: true },
  { scope: "nobody", programids: rights(), mayChange: false },
];

/** Position at some arcsec east and north of a place, in range at poles and at RA 0. */
export function moved(ra: number, dec: number, east: number, north: number): { ra: number; dec: number } {
  const [a, d] = [(ra * Math.PI) / 180, (dec * Math.PI) / 180];
  const [e, n] = [(east / 3600 / 180) * Math.PI, (north / 3600 / 180) * Math.PI];
  const x = Math.cos(d) * Math.cos(a) - e * Math.sin(a) - n * Math.sin(d) * Math.cos(a);
  const y = Math.cos(d) * Math.sin(a) + e * Math.cos(a) - n * Math.sin(d) * Math.sin(a);
  const z = Math.sin(d) + n * Math.cos(d);
  const turned = (Math.atan2(y, x) * 180) / Math.PI;
  return { ra: turned < 0 ? turned + 360 : turned, dec: (Math.atan2(z, Math.hypot(x, y)) * 180) / Math.PI };
}

/** Arcsec by cross and dot product of unit vectors. */
export function vectorSeparation(ra1: number, dec1: number, ra2: number, dec2: number): number {
  const unit = (ra: number, dec: number) => {
    const [a, d] = [(ra * Math.PI) / 180, (dec * Math.PI) / 180];
    return [Math.cos(d) * Math.cos(a), Math.cos(d) * Math.sin(a), Math.sin(d)] as const;
  };
  const [u, v] = [unit(ra1, dec1), unit(ra2, dec2)];
  const cross = Math.hypot(u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]);
  const dot = u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  return (Math.atan2(cross, dot) * 180 * 3600) / Math.PI;
}

/** Newest first: by jd, then candid, then survey. */
export const byTime = (a: WorldAlert, b: WorldAlert): number =>
  b.jd - a.jd || (a.candid < b.candid ? 1 : a.candid > b.candid ? -1 : a.survey < b.survey ? -1 : 1);

export class SkyWorld {
  readonly alerts: WorldAlert[] = [];
  /** Beyond 2^53 and negative: no candid survives as a number. */
  #candid = -(2n ** 62n);

  /** Adds the drawn alerts. Now and then both surveys get the same candid, which means nothing. */
  add(draws: readonly DrawnAlert[]): WorldAlert[] {
    const added = draws.map(({ object, place, offsets, ...rest }, n): WorldAlert => {
      if (n % 3 !== 1 || rest.survey === draws[n - 1]!.survey) this.#candid += 7n * 10n ** 15n + 1n;
      return { ...rest, ...moved(...place, ...offsets), objectId: `o${object}`, candid: this.#candid };
    });
    this.alerts.push(...added);
    return added;
  }

  visible(viewer: Viewer): WorldAlert[] {
    return this.alerts.filter(({ survey, programid }) => maySee(viewer, survey, programid));
  }

  objects(viewer: Viewer): SkyObject[] {
    const groups = new Map<string, WorldAlert[]>();
    for (const alert of this.visible(viewer)) {
      const key = `${alert.survey}:${alert.objectId}`;
      groups.set(key, [...(groups.get(key) ?? []), alert]);
    }
    return [...groups.values()].map((alerts) => {
      const newest = [...alerts].sort(byTime);
      const [latest, oldest] = [newest[0]!, newest.at(-1)!];
      return {
        survey: latest.survey,
        objectId: latest.objectId,
        ra: latest.ra,
        dec: latest.dec,
        firstJd: oldest.jd,
        lastJd: latest.jd,
        alertCount: alerts.length,
        latestCandid: latest.candid,
      };
    });
  }
}
