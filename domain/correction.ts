// Something that was told of an object before has changed since. Made by whoever changes it, shown by the API.
import type { Survey } from "./survey.js";

/** What of an object is told anew. Never renamed: the archive remembers them. */
export const CORRECTED = ["FEATURES", "SCORES", "MATCHES", "CLASS", "PHOTOMETRY", "HITS"] as const;
export type Corrected = (typeof CORRECTED)[number];

export interface Correction {
  readonly survey: Survey;
  readonly objectId: string;
  /** The alert of which it was told: the object's latest at that time. */
  readonly candid: bigint;
  readonly jd: number;
  readonly programid: number;
  readonly what: Corrected;
  /** Step and version that told it anew. */
  readonly step: string;
  readonly version: string;
}

export interface StoredCorrection extends Correction {
  /** Epoch milliseconds by the archive's clock. */
  readonly toldAt: number;
}
