// An object: the sum of its alerts that a viewer may see. Its position is that of its latest visible alert.
import type { Survey } from "./survey.js";

/** What its latest visible alert tells. */
export interface ObjectPlace {
  readonly survey: Survey;
  readonly objectId: string;
  readonly ra: number;
  readonly dec: number;
  readonly lastJd: number;
  readonly latestCandid: bigint;
}

export interface SkyObject extends ObjectPlace {
  readonly firstJd: number;
  readonly alertCount: number;
}

/** A circle on the sky. Degrees ICRS; radius in arcsec, at most 36,000 (10 degrees). */
export interface Cone {
  readonly ra: number;
  readonly dec: number;
  readonly radiusArcsec: number;
}
export const MAX_RADIUS_ARCSEC = 36_000;

export interface ConeMatch {
  readonly object: ObjectPlace;
  readonly separationArcsec: number;
}
