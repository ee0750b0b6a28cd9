// The one order of all hits and counterpart pairs, whoever found them: committed batches are numbered by one process at a
// time (ingest/sequencer.ts), which the archive fences by its epoch. Implemented by stores/archive.
import type { FoundHit, Hit } from "../domain/filter.js";
import type { CounterpartPair } from "./links.store.js";

/** What a batch found. */
export interface Found {
  readonly hits: readonly FoundHit[];
  readonly pairs: readonly CounterpartPair[];
  /** Nobody had stored an alert of the batch before: none of its hits can have a seq, and none is looked for. */
  readonly areNew: boolean;
}

export interface SequenceStore {
  /**
   * From now on this process numbers: an epoch of its own begins, and what processes of earlier epochs still send is
   * refused. Resolves with it after `settleMs`, by which time what they had sent before is in the archive. For the holder
   * of the lease only: whoever begins takes the numbering away from the one before.
   */
  begin(settleMs: number): Promise<bigint>;
  /**
   * Committed batches that are not numbered yet and began at `since` (epoch ms) or later, oldest first: at most `first`, and
   * no more than go well into one call of number(). Only when it resolves with none there are none.
   */
  pending(since: number, first: number): Promise<bigint[]>;
  /**
   * Give what these batches found the next seqs, batch by batch, and make it visible. A (filterId, survey, candid) or a
   * pair that has a number already gets no second one. `known` spares reading back what this process has in memory.
   * Resolves with the hits that became visible, in order; null where a later epoch has begun: then nothing more may be done.
   * Safe to repeat after a failure: what may have been stored keeps the seqs it was given.
   */
  number(batches: readonly bigint[], known: ReadonlyMap<bigint, Found>): Promise<Hit[] | null>;
}
