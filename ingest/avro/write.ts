// Writing Avro: records by their schema, and container files. Called by the sky simulator and by tests.
import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { type AvroNode, parseSchema } from "./schema.js";

/** Bytes that grow. */
class Sink {
  bytes = Buffer.allocUnsafe(64 * 1024);
  length = 0;

  room(size: number): number {
    const from = this.length;
    this.length += size;
    if (this.length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.length, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, from);
      this.bytes = larger;
    }
    return from;
  }
  byte(value: number): void {
    const from = this.room(1);
    this.bytes[from] = value;
  }
  raw(bytes: Uint8Array): void {
    const from = this.room(bytes.length);
    this.bytes.set(bytes, from);
  }
  /** A zig-zag varint. */
  int(value: number): void {
    if ((value | 0) !== value) {
      this.long(BigInt(value));
      return;
    }
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    for (; rest > 127; rest >>>= 7) this.byte((rest & 127) | 128);
    this.byte(rest);
  }
  long(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    for (; rest > 127n; rest >>= 7n) this.byte(Number(rest & 127n) | 128);
    this.byte(Number(rest));
  }
  prefixed(bytes: Uint8Array): void {
    this.int(bytes.length);
    this.raw(bytes);
  }
}

export type RecordEncoder = (record: Readonly<Record<string, unknown>>) => Buffer;

/**
 * Encoder of records (the bare body) of a schema. long takes bigint or a safe integer; a union takes the first branch
 * that fits the value; a missing field counts as null. Throws TypeError, naming the field, where a value does not fit.
 */
export function recordEncoder(schemaText: string): RecordEncoder {
  const schema = parseSchema(schemaText);
  return (record) => {
    const sink = new Sink();
    write(sink, schema, record, schema.name);
    return sink.bytes.subarray(0, sink.length);
  };
}

function fits(node: AvroNode, value: unknown): boolean {
  switch (node.kind) {
    case "null":
      return value === null || value === undefined;
    case "boolean":
      return typeof value === "boolean";
    case "int":
      return typeof value === "number" && (value | 0) === value;
    case "long":
      return typeof value === "bigint" || Number.isSafeInteger(value);
    case "float":
    case "double":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "bytes":
      return value instanceof Uint8Array;
    case "fixed":
      return value instanceof Uint8Array && value.length === node.size;
    case "enum":
      return node.symbols.includes(value as string);
    case "array":
      return Array.isArray(value);
    case "map":
    case "record":
      return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
    case "union":
      return node.branches.some((branch) => fits(branch, value));
  }
}

function write(sink: Sink, node: AvroNode, value: unknown, path: string): void {
  if (node.kind !== "union" && !fits(node, value)) throw new TypeError(`${path} is not a valid ${node.kind}`);
  switch (node.kind) {
    case "null":
      return;
    case "boolean":
      sink.byte(value === true ? 1 : 0);
      return;
    case "int":
      sink.int(value as number);
      return;
    case "long":
      if (typeof value === "bigint") sink.long(value);
      else sink.int(value as number);
      return;
    case "float": {
      const from = sink.room(4);
      sink.bytes.writeFloatLE(value as number, from);
      return;
    }
    case "double": {
      const from = sink.room(8);
      sink.bytes.writeDoubleLE(value as number, from);
      return;
    }
    case "string":
      sink.prefixed(Buffer.from(value as string, "utf8"));
      return;
    case "bytes":
      sink.prefixed(value as Uint8Array);
      return;
    case "fixed":
      sink.raw(value as Uint8Array);
      return;
    case "enum":
      sink.int(node.symbols.indexOf(value as string));
      return;
    case "union": {
      const branch = node.branches.findIndex((candidate) => fits(candidate, value));
      if (branch < 0) throw new TypeError(`${path} fits no branch of its union`);
      sink.int(branch);
      write(sink, node.branches[branch]!, value, path);
      return;
    }
    case "array": {
      const items = value as readonly unknown[];
      if (items.length > 0) sink.int(items.length);
      for (const item of items) write(sink, node.items, item, path);
      sink.byte(0);
      return;
    }
    case "map": {
      const entries = Object.entries(value as object);
      if (entries.length > 0) sink.int(entries.length);
      for (const [key, item] of entries) {
        sink.prefixed(Buffer.from(key, "utf8"));
        write(sink, node.values, item, `${path}.${key}`);
      }
      sink.byte(0);
      return;
    }
    case "record":
      for (const { name, type } of node.fields) {
        write(sink, type, (value as Record<string, unknown>)[name], `${path}.${name}`);
      }
  }
}

export type WritableCodec = "null" | "deflate";

/** Parts of a container file, to be written one after the other: the header first, then blocks. */
export class ContainerWriter {
  readonly #sync = randomBytes(16);

  constructor(
    readonly schemaText: string,
    readonly codec: WritableCodec = "null",
  ) {}

  header(): Buffer {
    const sink = new Sink();
    sink.raw(Buffer.from("Obj\x01", "latin1"));
    sink.int(2);
    for (const [key, text] of [
      ["avro.schema", this.schemaText],
      ["avro.codec", this.codec],
    ] as const) {
      sink.prefixed(Buffer.from(key));
      sink.prefixed(Buffer.from(text, "utf8"));
    }
    sink.byte(0);
    sink.raw(this.#sync);
    return sink.bytes.subarray(0, sink.length);
  }

  /**
   * One block of record bodies. Alerts are large: one record a block costs 20 bytes more and lets a reader take the
   * block as the record, without looking for its end first.
   */
  block(bodies: readonly Uint8Array[]): Buffer {
    const plain = bodies.length === 1 ? bodies[0]! : Buffer.concat(bodies);
    const packed = this.codec === "deflate" ? deflateRawSync(plain) : plain;
    const sink = new Sink();
    sink.int(bodies.length);
    sink.prefixed(packed);
    sink.raw(this.#sync);
    return sink.bytes.subarray(0, sink.length);
  }
}

/** A whole container file, one record a block. */
export function writeContainer(
  schemaText: string,
  bodies: readonly Uint8Array[],
  codec: WritableCodec = "null",
): Buffer {
  const writer = new ContainerWriter(schemaText, codec);
  return Buffer.concat([writer.header(), ...bodies.map((body) => writer.block([body]))]);
}
