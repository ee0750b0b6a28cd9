// What batches lack of their enrichment, and why. Implemented by stores/archive.
import type { Block } from "../domain/columns.js";
import type { MissingStep, MissingValues } from "../domain/missing.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

/** Something missing that can be made after all. */
export interface MissingBatch extends Pick<MissingStep, "step" | "part"> {
  readonly batchId: bigint;
  readonly survey: Survey;
  /** That the batch took in. */
  readonly alerts: number;
}

export interface MissingCount extends Omit<MissingStep, "cause"> {
  readonly survey: Survey;
  readonly batches: number;
  readonly alerts: number;
  /** Epoch milliseconds of the first and of the last. */
  readonly first: number;
  readonly last: number;
}

export interface MissingStore {
  /** System use, between the write of the batch's alerts and its commit. Safe to repeat. */
  add(batchId: bigint, survey: Survey, alerts: number, missing: readonly MissingStep[]): Promise<void>;
  /** Of alerts that the viewer may see, also what has been filled in since; those that lack nothing are absent. */
  ofAlerts(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, MissingValues[]>>;
  /** System use: what is missing of a step in committed batches, oldest first, at most 1,000. */
  open(step: string): Promise<MissingBatch[]>;
  /**
   * System use: of a batch's alerts those that still lack it, by (jd, candid), with objectId, programid, ra and dec; and how
   * many there are of the batch.
   */
  alertsOf(missing: MissingBatch): Promise<{ readonly seen: number; readonly alerts: Block }>;
  /** System use: from now on it is not missing any more. */
  filled(missing: MissingBatch): Promise<void>;
  /** System use: what is missing in committed batches by survey, step, part and reason, latest first, at most 1,000. */
  counts(): Promise<MissingCount[]>;
}
