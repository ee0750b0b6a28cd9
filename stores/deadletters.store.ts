// Dead letters: what could not be taken in, with reason and origin. Implemented by stores/archive.
import type { DeadLetter, DeadLetterReason } from "../domain/packet.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

export interface StoredDeadLetter extends Omit<DeadLetter, "bytes" | "schema" | "replayOf"> {
  /** Hash of origin, reason and bytes: the same letter twice is one row. */
  readonly id: bigint;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly bytesKept: number;
  /** When it was taken in after all; null while it waits for that. */
  readonly replayedAt: number | null;
}

/** With its bytes, and with the schema where they are a bare record whose schema is kept. */
export type WholeDeadLetter = StoredDeadLetter & Pick<DeadLetter, "bytes" | "schema">;

/** Conditions are ANDed. */
export interface LetterConditions {
  readonly ids?: readonly bigint[];
  readonly reason?: DeadLetterReason;
  readonly survey?: Survey;
  /** Beginning of the source: a topic, a file, a folder. */
  readonly source?: string;
  /** [from, to) in epoch milliseconds. */
  readonly received?: { readonly from: number; readonly to: number };
  readonly replayed?: boolean;
}

export interface LetterKey {
  readonly receivedAt: number;
  readonly id: bigint;
}

export interface DeadLetterStore {
  add(letters: readonly DeadLetter[]): Promise<void>;
  /** Newest first by (receivedAt, id); empty for a viewer who may not change anything. */
  page(viewer: Viewer, where: LetterConditions, first: number, after: LetterKey | null): Promise<StoredDeadLetter[]>;
  /** Up to 16 MiB each: ask for few. What the viewer may not have is absent. */
  whole(viewer: Viewer, ids: readonly bigint[]): Promise<WholeDeadLetter[]>;
}
