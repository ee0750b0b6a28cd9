// Step: which alerts of a batch are new. Called by ingest/pipeline.ts.
import { crc32 } from "node:zlib";
import type { AlertBatch } from "../domain/alert.js";
import type { DeadLetter, Packet } from "../domain/packet.js";
import type { AlertStore } from "../stores/alerts.store.js";
import { keptBytes } from "./avro/container.js";
import { bigColumn, takeAlerts } from "./rows.js";

export interface Deduped {
  /** The alerts that are new, or were written by a batch that never finished. */
  readonly batch: AlertBatch;
  /** Of the packets of `batch`. */
  readonly contentHashes: BigUint64Array;
  /** Nobody stored any alert of the batch before, nor began to. */
  readonly areNew: boolean;
  readonly duplicates: number;
  /** Rows of the batch as it came. */
  readonly duplicateRows: readonly number[];
  readonly conflicts: DeadLetter[];
}

/**
 * CRC-32 of the record's bytes over their length: tells a repeated packet from another one with the same candid. It
 * guards against mistakes of a survey (one in four billion is missed), not against forgery.
 */
export function contentHash(bytes: Uint8Array): bigint {
  return (BigInt(crc32(bytes)) << 32n) | BigInt(bytes.length);
}

/** The CRC-32 in a content hash. */
export const checksumOf = (hash: bigint): number => Number(hash >> 32n);

/** candid → content hash of alerts that earlier batches have taken and not finished yet. */
export type InFlight = ReadonlyMap<bigint, bigint>;

export async function dedupe(batch: AlertBatch, archive: AlertStore, inFlight: InFlight): Promise<Deduped> {
  const candids = bigColumn(batch.alerts, "candid").values as BigInt64Array;
  // Looked up before the archive is: a batch that finishes in between is complete in neither of the two otherwise.
  const unfinished = new Map(inFlight);
  const known = await archive.known(batch.survey, candids);
  const taken = new Map<bigint, bigint>();
  const rows: number[] = [];
  const hashes: bigint[] = [];
  const conflicts: DeadLetter[] = [];
  const duplicateRows: number[] = [];

  for (let row = 0; row < candids.length; row += 1) {
    const candid = candids[row]!;
    const packet = batch.packets[row]!;
    const hash = contentHash(packet.bytes);
    const stored = known.get(candid);
    const before = taken.get(candid) ?? unfinished.get(candid) ?? stored?.contentHash;
    if (before !== undefined && before !== hash) {
      conflicts.push(conflict(batch.survey, candid, packet));
    } else if (taken.has(candid) || unfinished.has(candid) || stored?.committed) {
      duplicateRows.push(row);
    } else {
      taken.set(candid, hash);
      rows.push(row);
      hashes.push(hash);
    }
  }
  const all = rows.length === candids.length;
  return {
    batch: all ? batch : takeAlerts(batch, Uint32Array.from(rows)),
    contentHashes: BigUint64Array.from(hashes),
    areNew: known.size === 0,
    duplicates: duplicateRows.length,
    duplicateRows,
    conflicts,
  };
}

function conflict(survey: string, candid: bigint, packet: Packet): DeadLetter {
  return {
    reason: "CANDID_CONFLICT",
    message: `${survey} alert ${candid} was taken in before with other content; the first one stays.`,
    origin: packet.origin,
    survey,
    bytes: keptBytes(packet.bytes),
    schemaFingerprint: packet.schema.fingerprint,
    schema: packet.schema,
    ...(packet.replayOf !== undefined && { replayOf: packet.replayOf }),
  };
}
