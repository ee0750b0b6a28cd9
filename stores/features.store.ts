// Features of archived alerts. Implemented by stores/archive.
import type { Block } from "../domain/columns.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

export type FeatureValue = number | string | boolean | null;

/** By name; null where missing. */
export type FeatureValues = Readonly<Record<string, FeatureValue>>;

/** What one version of the step made of the light curve up to an alert. */
export interface AlertFeatures {
  readonly candid: bigint;
  readonly version: number;
  /** OBJECT_FEATURES of domain/features. */
  readonly whole: FeatureValues;
  /** BAND_FEATURES by band (g), COLOUR_FEATURES by pair (gr): all that the survey has. */
  readonly scopes: ReadonlyMap<string, FeatureValues>;
}

/** An object whose latest features are of an older version. */
export interface StaleObject {
  readonly objectId: string;
  readonly version: number;
}

/** Order of alerts in re-enrichment. */
export interface FeatureKey {
  readonly jd: number;
  readonly candid: bigint;
}

export interface OutdatedFeatures {
  /**
   * jd, candid, objectId and programid of those without features, or with features of an older version.
   */
  readonly alerts: Block;
  /** Alerts looked at. */
  readonly seen: number;
  /** The last of them; null where there are no more. */
  readonly last: FeatureKey | null;
}

export interface FeatureStore {
  /** Of up to 1,000 alerts in one query; alerts without features, or that the viewer may not see, are absent. */
  byCandid(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, AlertFeatures>>;
  /** Objects whose latest visible features were made before this version, by objectId after `after`. */
  stale(viewer: Viewer, survey: Survey, before: number, first: number, after: string | null): Promise<StaleObject[]>;
  /** System use: the next alerts by (jd, candid), and which of them have features of an older version or none. */
  outdated(survey: Survey, before: number, after: FeatureKey | null, rows: number): Promise<OutdatedFeatures>;
  /** System use: rows as the features step makes them. They count from now on, whatever was written before. */
  write(batchId: bigint, survey: Survey, rows: Block): Promise<void>;
}
