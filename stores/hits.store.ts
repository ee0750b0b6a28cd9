// Filter hits in the order of their cursors. Implemented by stores/archive.
import type { Hit, NewHit } from "../domain/filter.js";
import type { Viewer } from "../domain/viewer.js";

export interface HitStore {
  /**
   * Store hits and give each its seq. A (filterId, survey, candid) that an uncommitted batch has stored already keeps
   * its first seq and is returned as stored: a retried batch makes no second hit. Calls are serialised.
   */
  append(batchId: bigint, hits: readonly NewHit[]): Promise<Hit[]>;
  /** Hits of these filters with after < seq <= upTo, oldest first. */
  page(viewer: Viewer, filterIds: readonly string[], first: number, after: bigint, upTo: bigint | null): Promise<Hit[]>;
  /** System use: all hits with seq > after, oldest first (the graph and the hub catch up by it). */
  since(after: bigint, first: number): Promise<Hit[]>;
  /** Highest seq given so far; 0n in an empty archive. */
  lastSeq(): Promise<bigint>;
  /** 16 random bytes by which cursors of this archive's hits are made: the same for every process, for ever. */
  cursorKey(): Promise<Uint8Array>;
}
