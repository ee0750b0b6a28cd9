// Headers of Avro container files, and the schemas in them. Called by container.ts.
import type { WriterSchema } from "../../domain/packet.js";
import { at, MalformedError, readCount, readLength } from "./primitives.js";
import { MAX_SCHEMA_BYTES, writerSchema } from "./schema.js";

const MAGIC = [0x4f, 0x62, 0x6a, 0x01];
const SYNC_BYTES = 16;
const MAX_ENTRIES = 1_000;

export class Header {
  constructor(
    readonly schema: WriterSchema,
    readonly codec: string,
    readonly sync: Uint8Array,
    /** Where the first block begins. */
    readonly end: number,
  ) {}
}

/** Whether a container's header begins here. */
export const isHeader = (bytes: Uint8Array, from: number): boolean =>
  MAGIC.every((byte, i) => bytes[from + i] === byte);

/** The header, or why there is none. Throws where it is one but of no use. */
export function readHeader(bytes: Uint8Array): Header | "NOT_AVRO" | "TRUNCATED" {
  if (MAGIC.some((byte, i) => i < bytes.length && bytes[i] !== byte)) return "NOT_AVRO";
  if (bytes.length < MAGIC.length) return "TRUNCATED";
  const found = readMetadata(bytes);
  if (found === null) return "TRUNCATED";
  const { metadata, end } = found;
  const text = metadata.get("avro.schema");
  if (text === undefined) throw new MalformedError("it names no schema");
  if (text.length > MAX_SCHEMA_BYTES) throw new MalformedError("its schema is larger than 1 MiB");
  const codec = metadata.get("avro.codec");
  const sync = bytes.subarray(end, end + SYNC_BYTES);
  return new Header(schemaOf(text), codec ? Buffer.from(codec).toString("utf8") : "null", sync, end + SYNC_BYTES);
}

function readMetadata(bytes: Uint8Array): { metadata: Map<string, Uint8Array>; end: number } | null {
  const metadata = new Map<string, Uint8Array>();
  let p = MAGIC.length;
  try {
    for (;;) {
      const count = readCount(bytes, p, 2);
      p = at.end;
      if (count === 0) break;
      if (count > MAX_ENTRIES) throw new Error("its header has too many entries");
      for (let i = 0; i < count; i += 1) {
        const key = value();
        metadata.set(Buffer.from(key).toString("utf8"), value());
      }
    }
  } catch (error) {
    // Lengths beyond the end: the header goes on where the file does not.
    if (error instanceof MalformedError) return null;
    throw error;
  }
  return p + SYNC_BYTES <= bytes.length ? { metadata, end: p } : null;

  function value(): Uint8Array {
    const length = readLength(bytes, p);
    const part = bytes.subarray(at.end, at.end + length);
    p = at.end + length;
    return part;
  }
}

/** Schemas met last, newest first: a night of single-packet files repeats the same 30 KB of header in each. */
const recent: { bytes: Uint8Array; schema: WriterSchema }[] = [];
const MAX_RECENT = 8;

function schemaOf(text: Uint8Array): WriterSchema {
  const i = recent.findIndex(({ bytes }) => bytes.length === text.length && Buffer.compare(bytes, text) === 0);
  if (i === 0) return recent[0]!.schema;
  const found =
    i > 0
      ? recent.splice(i, 1)[0]!
      : { bytes: new Uint8Array(text), schema: writerSchema(Buffer.from(text).toString("utf8")) };
  recent.unshift(found);
  recent.length = Math.min(recent.length, MAX_RECENT);
  return found.schema;
}
