// Light curves: what an object's packets told of it, merged. Made by the photometry store, shown by the API.

/** Values of the photometry table's `kind`. */
export const POINT_KIND = { detection: 1, nonDetection: 2, forced: 3 } as const;

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
