// Filter hits in the order of their cursors. Implemented by stores/archive.
import type { FoundHit, Hit } from "../domain/filter.js";
import type { Viewer } from "../domain/viewer.js";

export interface HitNight {
  readonly night: number;
  readonly version: number;
  readonly hits: number;
}

export interface HitStore {
  /**
   * Keep what a batch's filters found. Nobody sees it before the batch is committed and the sequencer has numbered it
   * (sequence.store.ts). Keeping twice changes nothing.
   */
  found(batchId: bigint, hits: readonly FoundHit[]): Promise<void>;
  /** Hits of these filters with after < seq <= upTo, oldest first. */
  page(viewer: Viewer, filterIds: readonly string[], first: number, after: bigint, upTo: bigint | null): Promise<Hit[]>;
  /**
   * Hits of a filter by night (domain/night.ts, by the alerts' times) and version, of the newest `nights` nights that have
   * any: newest first, versions ascending.
   */
  perNight(viewer: Viewer, filterId: string, nightOffsetHours: number, nights: number): Promise<HitNight[]>;
  /** System use: all hits with seq > after, oldest first (the graph, the hub and the streams catch up by it). */
  since(after: bigint, first: number): Promise<Hit[]>;
  /** Highest seq in the archive; 0n in an empty one. */
  lastSeq(): Promise<bigint>;
  /** 16 random bytes by which cursors of this archive's hits are made: the same for every process, for ever. */
  cursorKey(): Promise<Uint8Array>;
}
