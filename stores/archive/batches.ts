// BatchStore on ClickHouse. Made by stores.ts.
import { randomInt } from "node:crypto";
import type { Survey } from "../../domain/survey.js";
import type { BatchReceipt, BatchStore } from "../batches.store.js";
import type { PacketLocation } from "../packets.store.js";
import { packetLocations } from "./alerts.js";
import { blockOf, counts, signed, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import type { CommittedBatches } from "./committed.js";

export class ArchiveBatches implements BatchStore {
  #last = 0n;

  constructor(
    private readonly client: ArchiveClient,
    private readonly committed: CommittedBatches,
    private readonly onCommit: (batchId: bigint) => void,
  ) {}

  /** Milliseconds since 1970 above 20 random bits; always above the process's last one. */
  begin(): bigint {
    const fresh = (BigInt(Date.now()) << 20n) | BigInt(randomInt(2 ** 20));
    this.#last = fresh > this.#last ? fresh : this.#last + 1n;
    return this.#last;
  }

  async commit(batchId: bigint, receipt: BatchReceipt): Promise<void> {
    const count = (value: number) => counts(Uint32Array.of(value));
    await this.client.insert(
      "batches",
      blockOf(1, {
        batch: unsigned(BigUint64Array.of(batchId)),
        survey: texts([receipt.survey]),
        read: count(receipt.read),
        stored: count(receipt.stored),
        duplicates: count(receipt.duplicates),
        deadLetters: count(receipt.deadLetters),
        hits: count(receipt.hits),
        steps: texts([JSON.stringify(receipt.steps)]),
        committedAt: signed(BigInt64Array.of(BigInt(Date.now()))),
      }),
    );
    this.committed.add(batchId);
    this.onCommit(batchId);
  }

  async uncommittedPackets(): Promise<{ survey: Survey; candid: bigint; location: PacketLocation }[]> {
    const complete = "(SELECT batch FROM batches)";
    const block = await this.client.query(
      `SELECT survey, candid, argMax(segment, batch) AS segment, argMax(offset, batch) AS offset,
        argMax(length, batch) AS length, argMax(schema, batch) AS schema
      FROM alert_index
      WHERE (survey, candid) IN (SELECT survey, candid FROM alert_index WHERE batch NOT IN ${complete})
      GROUP BY survey, candid HAVING max(batch IN ${complete}) = 0 ORDER BY max(batch), survey, candid`,
    );
    const surveys = strings(block, "survey");
    return packetLocations(block).map(([candid, location], row) => ({ survey: surveys[row]!, candid, location }));
  }
}
