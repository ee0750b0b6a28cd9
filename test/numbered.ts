// Hits and pairs through the archive as the pipeline and the sequencer write them: kept, committed, numbered. For tests.
import type { Hit, NewHit } from "../domain/filter.js";
import type { BatchStore } from "../stores/batches.store.js";
import type { CounterpartStore } from "../stores/counterparts.store.js";
import type { HitStore } from "../stores/hits.store.js";
import type { CounterpartPair } from "../stores/links.store.js";
import type { SequenceStore } from "../stores/sequence.store.js";

export interface NumberingArchive {
  readonly hits: HitStore;
  readonly batches: BatchStore;
  readonly counterparts: CounterpartStore;
  readonly sequence: SequenceStore;
}

const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };

/** A committed batch that found these, not numbered yet. Its receipt may tell of another number of hits. */
export async function committed(
  archive: NumberingArchive,
  hits: readonly NewHit[],
  pairs: readonly CounterpartPair[] = [],
  count = hits.length,
): Promise<bigint> {
  const batchId = archive.batches.begin();
  const passedAt = Date.now();
  await archive.hits.found(
    batchId,
    hits.map((hit) => ({ ...hit, passedAt })),
  );
  await archive.counterparts.found(batchId, pairs);
  await archive.batches.commit(batchId, { ...RECEIPT, hits: count });
  return batchId;
}

/** The same, numbered. An epoch must have begun. */
export async function numbered(
  archive: NumberingArchive,
  hits: readonly NewHit[],
  pairs: readonly CounterpartPair[] = [],
): Promise<Hit[]> {
  const batchId = await committed(archive, hits, pairs);
  return (await archive.sequence.number([batchId], new Map()))!;
}
