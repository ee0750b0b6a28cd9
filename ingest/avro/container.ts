// Avro object container files: their records as packets, their faults as dead letters. Called by ingest/sources.

import { LRUCache } from "lru-cache";
import type { DeadLetter, DeadLetterReason, Packet, WriterSchema } from "../../domain/packet.js";
import { CODEC_NAMES, type Codec, codecNamed, MAX_BLOCK_BYTES } from "./codecs.js";
import { compileSkip, type GeneratedSkip } from "./generate.js";
import { Header, isHeader, readHeader } from "./header.js";
import { at, MalformedError, readNumber } from "./primitives.js";
import { leastBytes, parseSchema, type RecordNode } from "./schema.js";

/**
 * A dead letter keeps at most this much of what it is about: no Kafka message holds more (sources/kafka/message.ts), so
 * that all that could have been a packet is kept whole and can be replayed.
 */
const MAX_LETTER_BYTES = 16 * 1024 * 1024;

/** What a letter keeps: a copy, which does not hold on to the file that the bytes are a view of (as Buffer's slice would). */
export const keptBytes = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.subarray(0, MAX_LETTER_BYTES));

const SYNC_BYTES = 16;
/** In one block: a tiny zipped block could claim millions of records of one byte. */
export const MAX_RECORDS = 1_000_000;

/**
 * Every record of the file, and of files that were put behind it as they are (no block begins as a header does), in order.
 * `recordsBefore` and `bytesBefore`: of the same file in earlier pieces, so that positions count on.
 */
export function* readContainer(
  bytes: Uint8Array,
  source: string,
  recordsBefore = 0,
  bytesBefore = 0,
): Generator<Packet | DeadLetter, void> {
  let next: Next | null = { at: 0, records: recordsBefore };
  for (let from = 0; next !== null; ) {
    const { at: step, records }: Next = next;
    from += step;
    const place = from === 0 ? "file" : `byte ${from + bytesBefore}`;
    next = yield* readOne(bytes.subarray(from), source, records, from + bytesBefore, place);
  }
}

/** Where another container begins, and how many records came before it. */
interface Next {
  readonly at: number;
  readonly records: number;
}

/**
 * Every record of one container in order, then at most one letter for the fault that ended it; a block that is whole but bad
 * costs a letter and the next one is read. Never throws for what the bytes hold. Packets are views of `bytes` where the
 * file is not compressed.
 */
function* readOne(
  bytes: Uint8Array,
  source: string,
  recordsBefore: number,
  bytesBefore: number,
  place: string,
): Generator<Packet | DeadLetter, Next | null> {
  const letter = (reason: DeadLetterReason, message: string, position: string, from = 0, to = bytes.length) => ({
    reason,
    message,
    origin: { source, position },
    survey: null,
    bytes: bytes.length === 0 ? null : keptPart(bytes, from, to),
    schemaFingerprint: header instanceof Header ? header.schema.fingerprint : null,
  });

  /** With the file's header before it, a part is a container file of its own. */
  const keptPart = (whole: Uint8Array, from: number, to: number): Uint8Array =>
    from === 0 || !(header instanceof Header)
      ? keptBytes(whole.subarray(from, to))
      : keptBytes(Buffer.concat([whole.subarray(0, header.end), whole.subarray(from, to)]));

  let header: Header | DeadLetterReason | null = null;
  if (bytes.length === 0) {
    yield letter("EMPTY", `${source} is empty.`, place);
    return null;
  }
  try {
    header = readHeader(bytes);
  } catch (error) {
    yield letter("NOT_AVRO", `${source} has no usable Avro header: ${(error as Error).message}.`, place);
    return null;
  }
  if (typeof header === "string") {
    const message =
      header === "TRUNCATED" ? `${source} ends within its header.` : `${source} is not an Avro container file.`;
    yield letter(header, message, place);
    return null;
  }
  const codec = codecNamed(header.codec);
  if (codec === undefined) {
    const message = `${source} is compressed with ${header.codec.slice(0, 40)}; known are ${CODEC_NAMES.join(", ")}.`;
    yield letter("UNSUPPORTED_CODEC", message, place);
    return null;
  }
  const { schema, sync } = header;
  let walk: Walk;
  try {
    walk = walkOf(schema);
  } catch (error) {
    yield letter("NOT_AVRO", `${source} has an unusable schema: ${(error as Error).message}.`, place);
    return null;
  }

  let record = recordsBefore;
  for (let p = header.end; p < bytes.length; ) {
    if (isHeader(bytes, p)) return { at: p, records: record };
    const start = p;
    const position = `byte ${start + bytesBefore}`;
    let count: number;
    let size: number;
    try {
      count = readNumber(bytes, p);
      size = readNumber(bytes, at.end);
      p = at.end;
    } catch {
      yield letter("TRUNCATED", `${source} ends within the head of a block.`, position, start);
      return null;
    }
    if (count < 0 || size < 0 || size > MAX_BLOCK_BYTES) {
      const bad = size > MAX_BLOCK_BYTES ? "TOO_LARGE" : "MALFORMED";
      yield letter(bad, `A block of ${source} declares ${count} records in ${size} bytes.`, position, start);
      return null;
    }
    const end = p + size + SYNC_BYTES;
    if (end > bytes.length) {
      const missing = end - bytes.length;
      yield letter("TRUNCATED", `${source} ends within a block, ${missing} bytes before its end.`, position, start);
      return null;
    }
    if (Buffer.compare(bytes.subarray(end - SYNC_BYTES, end), sync) !== 0) {
      yield letter("MALFORMED", `A block of ${source} does not end with the file's sync marker.`, position, start);
      return null;
    }
    const first = record;
    const bodies = splitBlock(bytes.subarray(p, end - SYNC_BYTES), count, codec, walk);
    for (let next = bodies.next(); ; next = bodies.next()) {
      if (next.done) {
        if (next.value === null) break;
        const message = `A block of ${source} cannot be read: ${next.value}.`;
        yield letter("MALFORMED", message, `record ${record + 1}`, start, end);
        break;
      }
      record += 1;
      yield { bytes: next.value, schema, origin: { source, position: `record ${record}` } };
    }
    // Records that could not be told apart still count: positions of later blocks stay true.
    record = Math.max(record, first + Math.min(count, MAX_RECORDS));
    p = end;
  }
  return null;
}

interface Walk {
  readonly root: RecordNode;
  skip: GeneratedSkip | null;
}
const walks = new LRUCache<string, Walk>({ max: 64 });

function walkOf(schema: WriterSchema): Walk {
  const known = walks.get(schema.text);
  if (known !== undefined) return known;
  const walk: Walk = { root: parseSchema(schema.text), skip: null };
  walks.set(schema.text, walk);
  return walk;
}

/** Bodies of a block's records up to the first fault, which is returned; null where all is well. */
function* splitBlock(
  packed: Uint8Array,
  count: number,
  codec: Codec,
  walk: Walk,
): Generator<Uint8Array, string | null> {
  try {
    const block = codec(packed);
    // One record is the whole block: whoever decodes it finds out whether it is all of it.
    if (count === 1) {
      yield block;
      return null;
    }
    if (count > MAX_RECORDS) return `it declares ${count} records`;
    if (count > 0 && leastBytes(walk.root) === 0) return "its records hold nothing";
    walk.skip ??= compileSkip(walk.root);
    let p = 0;
    for (let i = 0; i < count; i += 1) {
      const end = walk.skip(block, p);
      yield block.subarray(p, end);
      p = end;
    }
    return p === block.length ? null : "bytes are left over after its records";
  } catch (error) {
    return error instanceof MalformedError ? error.message : `it does not unpack (${(error as Error).message})`;
  }
}
