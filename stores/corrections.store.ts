// What has changed of objects since it was told, in the order in which it was told anew. Implemented by stores/archive.
import type { Correction, StoredCorrection } from "../domain/correction.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

/** A place in the order of corrections. */
export type CorrectionKey = Pick<StoredCorrection, "toldAt" | "survey" | "objectId" | "candid" | "what">;

export interface CorrectionStore {
  /** System use. Telling twice is harmless: readers take either. */
  tell(corrections: readonly Correction[]): Promise<void>;
  /**
   * Oldest first, of all surveys where `survey` is null; up to the last seconds only, so that none comes to stand before one
   * that has been read.
   */
  page(viewer: Viewer, survey: Survey | null, first: number, after: CorrectionKey | null): Promise<StoredCorrection[]>;
}
