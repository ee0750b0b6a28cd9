// Dead letters: what could not be taken in, with reason and origin. Implemented by stores/archive.
import type { DeadLetter } from "../domain/packet.js";
import type { Viewer } from "../domain/viewer.js";

export interface StoredDeadLetter extends DeadLetter {
  /** Hash of origin, reason and bytes: the same letter twice is one row. */
  readonly id: bigint;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

export interface DeadLetterStore {
  add(letters: readonly DeadLetter[]): Promise<void>;
  /** Newest first by (receivedAt, id); empty for a viewer who may not change anything. */
  page(viewer: Viewer, first: number, after: { receivedAt: number; id: bigint } | null): Promise<StoredDeadLetter[]>;
}
