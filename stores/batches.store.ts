// The journal of batches: what was taken in, and which batches are complete. Implemented by stores/archive.

import type { Packet } from "../domain/packet.js";
import type { Survey } from "../domain/survey.js";
import type { PacketLocation } from "./packets.store.js";

export interface BatchReceipt {
  /** Null where nothing of the batch could be read. */
  readonly survey: Survey | null;
  readonly read: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly deadLetters: number;
  readonly hits: number;
  /** Names and versions of the steps that made the batch: {"normalise": "1", "class": "1"}. */
  readonly steps: Readonly<Record<string, string>>;
  /** When its alerts were written, and when the filters had run; epoch milliseconds. */
  readonly storedAt?: number;
  readonly filteredAt?: number;
}

/** A packet whose batch was never committed, and when it was emitted and received, where that is known. */
export interface UncommittedPacket extends Pick<Packet, "emittedAt" | "receivedAt"> {
  readonly survey: Survey;
  readonly candid: bigint;
  readonly location: PacketLocation;
}

export interface BatchStore {
  /** A new batch id, unique over processes and restarts. */
  begin(): bigint;
  /** The last write of a batch: from now on its alerts are duplicates when they come again. */
  commit(batchId: bigint, receipt: BatchReceipt): Promise<void>;
  /** Where the packets of batches lie that began before `before` (epoch ms) and were never committed (a crash in between). */
  uncommittedPackets(before: number): Promise<UncommittedPacket[]>;
  /** All of them have been taken in again: they need not be looked for any more. */
  recovered(before: number): Promise<void>;
}
