// BatchStore on ClickHouse. Made by stores.ts.
import { randomInt } from "node:crypto";
import type { BatchReceipt, BatchStore, UncommittedPacket } from "../batches.store.js";
import { packetLocations } from "./alerts.js";
import { bigints, blockOf, counts, signed, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import type { CommittedBatches } from "./committed.js";

/** A batch id is milliseconds since 1970 above this many random bits. */
const RANDOM_BITS = 20n;
export const idAt = (ms: number): bigint => BigInt(Math.max(0, Math.floor(ms))) << RANDOM_BITS;

export class ArchiveBatches implements BatchStore {
  private constructor(
    private readonly client: ArchiveClient,
    private readonly committed: CommittedBatches,
    private last: bigint,
  ) {}

  static async start(client: ArchiveClient, committed: CommittedBatches): Promise<ArchiveBatches> {
    const newest = await client.query("SELECT max(batch) AS batch FROM batches");
    const before = Number(bigints(await client.query("SELECT max(before) AS before FROM recovered"), "before")[0] ?? 0);
    const last = bigints(newest, "batch")[0] ?? 0n;
    return new ArchiveBatches(client, committed, last > idAt(before) ? last : idAt(before));
  }

  /** Always above the ones before, also where the clock was set back: `recovered` tells of all that lie below a time. */
  begin(): bigint {
    const fresh = idAt(Date.now()) | BigInt(randomInt(2 ** Number(RANDOM_BITS)));
    this.last = fresh > this.last ? fresh : this.last + 1n;
    return this.last;
  }

  async commit(batchId: bigint, receipt: BatchReceipt): Promise<void> {
    const count = (value: number) => counts(Uint32Array.of(value));
    const time = (ms: number) => signed(BigInt64Array.of(BigInt(ms)));
    await this.client.insert(
      "batches",
      blockOf(1, {
        batch: unsigned(BigUint64Array.of(batchId)),
        survey: texts([receipt.survey ?? ""]),
        read: count(receipt.read),
        stored: count(receipt.stored),
        duplicates: count(receipt.duplicates),
        deadLetters: count(receipt.deadLetters),
        hits: count(receipt.hits),
        steps: texts([JSON.stringify(receipt.steps)]),
        committedAt: time(Date.now()),
        storedAt: time(receipt.storedAt ?? 0),
        filteredAt: time(receipt.filteredAt ?? 0),
      }),
    );
    this.committed.add(batchId);
  }

  async uncommittedPackets(before: number): Promise<UncommittedPacket[]> {
    const mark = await this.client.query("SELECT max(before) AS before FROM recovered");
    const from = idAt(Number(bigints(mark, "before")[0] ?? 0));
    const complete = "(SELECT batch FROM batches)";
    const block = await this.client.query(
      `SELECT survey, candid, argMax(segment, batch) AS segment, argMax(offset, batch) AS offset,
        argMax(length, batch) AS length, argMax(schema, batch) AS schema,
        max(emittedAt) AS emittedAt, max(receivedAt) AS receivedAt
      FROM alert_index
      WHERE (survey, candid) IN (
        SELECT survey, candid FROM alert_index
        WHERE batch >= {from:UInt64} AND batch < {to:UInt64}
          AND batch GLOBAL NOT IN (SELECT batch FROM batches WHERE batch >= {from:UInt64})
      )
      GROUP BY survey, candid HAVING max(batch GLOBAL IN ${complete}) = 0 ORDER BY max(batch), survey, candid`,
      { from, to: idAt(before) },
    );
    const surveys = strings(block, "survey");
    const [emitted, received] = [bigints(block, "emittedAt"), bigints(block, "receivedAt")];
    return packetLocations(block).map(([candid, location], row) => ({
      survey: surveys[row]!,
      candid,
      location,
      ...(emitted[row]! > 0n && { emittedAt: Number(emitted[row]) }),
      ...(received[row]! > 0n && { receivedAt: Number(received[row]) }),
    }));
  }

  async recovered(before: number): Promise<void> {
    if (this.last < idAt(before)) this.last = idAt(before);
    await this.client.insert("recovered", blockOf(1, { before: signed(BigInt64Array.of(BigInt(Math.floor(before)))) }));
  }
}
