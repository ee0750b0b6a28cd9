// Something that was told of an object before has changed since. Made by whoever changes it, shown by the API.
import type { Survey } from "./survey.js";

/** What is told anew. Never renamed: the archive remembers them. */
export const CORRECTED = ["FEATURES", "MATCHES", "MARKS", "PHOTOMETRY", "HIT_ADDED", "HIT_WITHDRAWN"] as const;
export type Corrected = (typeof CORRECTED)[number];

export interface Correction {
  readonly survey: Survey;
  readonly objectId: string;
  /** The alert of which it was told: of hits the hit's, else the object's latest with its programid at that time. */
  readonly candid: bigint;
  readonly jd: number;
  readonly programid: number;
  readonly what: Corrected;
  /** Step and version that told it anew. */
  readonly step: string;
  readonly version: string;
  /**
   * What brought it: a catalog (match.stars), a mark (watch.mine), the late alert's candid. Null: the step itself, or
   * something that not everybody may know of.
   */
  readonly source: string | null;
  /** Of hits; else null. */
  readonly filter: { readonly id: string; readonly version: number } | null;
  /** The only viewers' scope that may know of it; null: whoever may see the alert. */
  readonly scope: string | null;
}

/** `seq` grows by one per correction over the whole archive: it is what cursors hold. */
export interface StoredCorrection extends Correction {
  readonly seq: bigint;
  /** Epoch milliseconds by the archive's clock. */
  readonly toldAt: number;
}
