// A whole record as a JavaScript object, for showing a packet. Called by ingest/packetreader.ts.
import { at, fail, readBigInt, readCount, readLength, readNumber, readString } from "./primitives.js";
import { type AvroNode, leastBytes, type RecordNode } from "./schema.js";

/**
 * Values as JSON can hold them: long as a decimal string, float and double as numbers (null where NaN or infinite), bytes
 * and fixed as Uint8Array (views of `bytes`; the caller removes or encodes them), enum as its symbol.
 */
export type RecordValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly RecordValue[]
  | { readonly [name: string]: RecordValue };
export type PacketRecord = Record<string, RecordValue>;

const MAX_DEPTH = 64;

/** Throws MalformedError where the bytes are not a record of the schema, all of it. */
export function readRecord(schema: RecordNode, bytes: Uint8Array): PacketRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let p = 0;
  let depth = 0;
  const record = value(schema) as PacketRecord;
  if (p !== bytes.length) fail("bytes are left over after the record");
  return record;

  function value(node: AvroNode): RecordValue {
    switch (node.kind) {
      case "null":
        return null;
      case "boolean":
        return bytes[take(1)] === 1;
      case "int":
        return ended(readNumber(bytes, p));
      case "long":
        return ended(readBigInt(bytes, p)).toString();
      case "float":
        return finite(view.getFloat32(take(4), true));
      case "double":
        return finite(view.getFloat64(take(8), true));
      case "string":
        return ended(readString(bytes, p, ""));
      case "bytes": {
        const length = ended(readLength(bytes, p));
        return bytes.subarray(take(length), p);
      }
      case "fixed":
        return bytes.subarray(take(node.size), p);
      case "enum":
        return node.symbols[ended(readNumber(bytes, p))] ?? fail("an enum has no such symbol");
      case "union":
        return value(node.branches[ended(readNumber(bytes, p))] ?? fail("a union has no such branch"));
      case "array":
        return items(leastBytes(node.items), () => value(node.items));
      case "map":
        return Object.fromEntries(
          items(1 + leastBytes(node.values), () => [ended(readString(bytes, p, "")), value(node.values)] as const),
        );
      case "record": {
        depth += 1;
        if (depth > MAX_DEPTH) fail(`the record nests deeper than ${MAX_DEPTH}`);
        const fields = node.fields.map(({ name, type }) => [name, value(type)] as const);
        depth -= 1;
        return Object.fromEntries(fields);
      }
    }
  }

  function items<T>(least: number, item: () => T): T[] {
    const found: T[] = [];
    for (;;) {
      const count = ended(readCount(bytes, p, least));
      if (count === 0) return found;
      // Items without bytes are nulls or empty records: nothing worth a loop of a hostile length.
      for (let i = 0; least > 0 && i < count; i += 1) found.push(item());
    }
  }

  function ended<T>(result: T): T {
    p = at.end;
    return result;
  }
  /** Step over `size` bytes that must be there; where they began. */
  function take(size: number): number {
    if (size > bytes.length - p) fail("the bytes end before the record does");
    p += size;
    return p - size;
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
