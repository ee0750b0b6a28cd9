// Light curves: what an object's packets told of it, merged. Made by the photometry store, shown by the API.
import type { Survey } from "./survey.js";

/** Values of the photometry table's `kind`. */
export const POINT_KIND = { detection: 1, nonDetection: 2, forced: 3 } as const;

/** The lists of points that an alert has for filters, and the kind of each. */
export const POINT_LISTS = [
  ["detections", POINT_KIND.detection],
  ["nonDetections", POINT_KIND.nonDetection],
  ["forced", POINT_KIND.forced],
] as const;

/** The list of detections of an alert's counterpart in that survey: lsst.detections. */
export const counterpartList = (other: Survey): string => `${other.toLowerCase()}.detections`;

/**
 * Values of a point that follow from its columns. snr: |flux| / fluxError, missing where that is no number. counts and
 * countsError: flux and its error in the survey's own counts of the zero point, which were 32-bit floats.
 */
const DERIVED = ["snr", "counts", "countsError"] as const;
export type Derived = (typeof DERIVED)[number];
export const isDerived = (column: string): column is Derived => (DERIVED as readonly string[]).includes(column);

/** A forced point of so many sigma has a magnitude. */
export const FORCED_MAGNITUDE_SNR = 3;

export interface Detection {
  readonly candid: bigint;
  readonly jd: number;
  readonly band: string;
  readonly magnitude: number | null;
  readonly magnitudeError: number | null;
  readonly flux: number | null;
  readonly fluxError: number | null;
  readonly isPositive: boolean;
}
export interface NonDetection {
  readonly jd: number;
  readonly band: string;
  readonly limitingMagnitude: number;
}
export interface ForcedPoint {
  readonly jd: number;
  readonly band: string;
  readonly flux: number | null;
  readonly fluxError: number | null;
  /** AB zero point of the survey's counts; null where the survey gives fluxes in nJy. */
  readonly zeroPoint: number | null;
}

/** Merged over all packets of the object, oldest first, one point per candid or survey image. */
export interface LightCurve {
  readonly detections: readonly Detection[];
  readonly nonDetections: readonly NonDetection[];
  readonly forced: readonly ForcedPoint[];
}
export const EMPTY_LIGHT_CURVE: LightCurve = { detections: [], nonDetections: [], forced: [] };
