// Records that stand for those of a batch which cannot be unpacked, so that each offset becomes a dead letter and the
// partition goes on. Called by codecs.ts (writes them) and session.ts (knows them again).
import { keptBytes } from "../../avro/container.js";
import { fail } from "../../avro/primitives.js";

const HEADER = "tocsin-unreadable";
const MAX_RECORDS = 1_000_000;

/**
 * As many records as the batch declares, in Kafka's record format (v2), without keys. The first holds the packed
 * bytes, as many as a dead letter keeps; each carries `reason` in a header. kafkajs hands a codec a view of the fetched bytes: the
 * 32 bits before it are the number of records.
 */
export function unreadableRecords(packed: Buffer, reason: string): Uint8Array {
  if (packed.byteOffset < 4) fail("a batch stands without its head");
  const count = Buffer.from(packed.buffer, packed.byteOffset - 4, 4).readInt32BE();
  if (!(count > 0 && count <= MAX_RECORDS)) fail(`a batch declares ${count} records`);
  const header = Buffer.concat([...field(Buffer.from(HEADER)), ...field(Buffer.from(reason.slice(0, 100)))]);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) {
    const value = i === 0 ? field(keptBytes(packed)) : [varint(-1)];
    // Attributes, difference of time, difference of offset, no key, the value, one header.
    const body = [Buffer.from([0]), varint(0), varint(i), varint(-1), ...value, varint(1), header];
    const size = body.reduce((sum, part) => sum + part.length, 0);
    parts.push(varint(size), ...body);
  }
  return Buffer.concat(parts);
}

/** The reason, where a record is one of these. */
export function faultOf(headers: Readonly<Record<string, unknown>> | undefined): string | null {
  const reason = headers?.[HEADER];
  return reason instanceof Uint8Array ? Buffer.from(reason).toString("utf8") : null;
}

const field = (bytes: Uint8Array): Uint8Array[] => [varint(bytes.length), bytes];

/** Zig-zag variable-length integer of at most 32 bits. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
