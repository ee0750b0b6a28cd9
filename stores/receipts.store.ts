// The receipt of a night: what came, and what became of it. Implemented by stores/archive.
import type { Night } from "../domain/night.js";
import type { BatchTallies, NightReceipt } from "../domain/receipt.js";
import type { Survey } from "../domain/survey.js";

/** A committed batch whose numbers differ from each other. */
export interface Discrepancy {
  readonly batchId: bigint;
  readonly survey: Survey | null;
  /** "3 received, but 2 stored, 0 duplicates and 0 dead letters". */
  readonly sentence: string;
}

export interface ReceiptStore {
  /** Before the batch's commit, without which it does not count. Writing twice changes nothing. */
  write(batchId: bigint, tallies: BatchTallies): Promise<void>;
  night(survey: Survey, night: Night): Promise<NightReceipt>;
  /**
   * Batches that began at `since` (epoch ms) or later and were committed before the last ten seconds, each compared with
   * its rows in the alerts' tables. Cheap enough for every minute.
   */
  discrepancies(since: number): Promise<Discrepancy[]>;
}
