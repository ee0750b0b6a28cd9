// Objects by id and by position. Implemented by stores/archive.
import type { Cone, ConeMatch, SkyObject } from "../domain/skyobject.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

/** Order of a cone's pages: separation, then survey, then objectId. */
export interface ConeKey {
  readonly separationArcsec: number;
  readonly survey: Survey;
  readonly objectId: string;
}

/** An object of `survey` near one of the positions that were asked about. */
export interface Neighbour {
  /** Index of the position. */
  readonly index: number;
  readonly survey: Survey;
  readonly objectId: string;
  readonly ra: number;
  readonly dec: number;
  readonly separationArcsec: number;
}

export interface ObjectStore {
  /** With `asOf`, a JD of UTC, the sums of the alerts up to then. */
  byIds(
    viewer: Viewer,
    survey: Survey,
    objectIds: readonly string[],
    asOf?: number | null,
  ): Promise<Map<string, SkyObject>>;
  /** Objects whose position lies within the cone, nearest first; all surveys where `survey` is null. */
  cone(viewer: Viewer, cone: Cone, survey: Survey | null, first: number, after: ConeKey | null): Promise<ConeMatch[]>;
  /** System use: objects of other surveys within `radiusArcsec` of each position, in one query. */
  neighbours(notOf: Survey, ra: Float64Array, dec: Float64Array, radiusArcsec: number): Promise<Neighbour[]>;
}
