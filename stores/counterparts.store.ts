// Cross-survey counterpart pairs in the order they were found: the archive's record that the graph follows.
// Implemented by stores/archive.
import type { CounterpartPair } from "./links.store.js";

export interface CounterpartStore {
  /** Keep the pairs that a batch found, until the sequencer numbers them (sequence.store.ts). Twice changes nothing. */
  found(batchId: bigint, pairs: readonly CounterpartPair[]): Promise<void>;
  /** Pairs whose seq is above `after`, in order. Each pair has a seq of its own, so a page may end anywhere. */
  since(after: bigint, first: number): Promise<(CounterpartPair & { seq: bigint })[]>;
}
