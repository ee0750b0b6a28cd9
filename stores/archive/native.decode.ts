// ClickHouse's Native format as one block of rows. Called by http.ts with the whole answer to a query.
import {
  ARRAY_OF,
  type BigColumn,
  type Block,
  type BytesColumn,
  type Column,
  type ElementType,
  type ListColumn,
  type NumberColumn,
} from "../../domain/columns.js";
import { StringReader } from "./native.strings.js";

type FixedType = Exclude<ElementType, "String">;

/** How a type is shown to callers that has no name of its own among ElementType. */
const SHOWN_AS: Readonly<Record<string, { read: "UInt16" | FixedType; as: FixedType }>> = {
  UInt16: { read: "UInt16", as: "UInt32" },
  Date: { read: "UInt16", as: "UInt32" },
  DateTime: { read: "UInt32", as: "UInt32" },
  DateTime64: { read: "Int64", as: "Int64" },
  Nothing: { read: "UInt8", as: "UInt8" },
};

/** One column as it comes, block after block. */
interface Part {
  readonly type: ElementType;
  readonly nulls: Uint8Array | null;
  readonly values: Column["values"];
  /** For a list: ends within this part. */
  readonly ends: Uint32Array | null;
}

/**
 * All blocks of an answer as one. An answer without rows has no columns either: ClickHouse sends nothing then.
 * `asBytes` names columns of String that are wanted as they are, as views of the answer.
 * UInt16 and Date become UInt32 (days since 1970), DateTime UInt32 (seconds), DateTime64 Int64 (ticks).
 * @throws Error for a type that is none of these, and for bytes that end too early.
 */
export function decodeNative(answer: Buffer, asBytes: readonly string[] = []): Block {
  const reader = new NativeReader(answer);
  const parts = new Map<string, Part[]>();
  const bytes = new Map<string, BytesColumn & { values: Uint8Array[] }>();
  let rows = 0;
  while (!reader.atEnd()) {
    const columns = reader.varint();
    const blockRows = reader.varint();
    for (let i = 0; i < columns; i++) {
      const name = reader.strings.one();
      const type = reader.strings.one();
      if (asBytes.includes(name)) {
        const column = bytes.get(name) ?? { values: [] };
        for (let row = 0; row < blockRows; row++) column.values.push(reader.bytes());
        bytes.set(name, column);
        continue;
      }
      const part = readPart(reader, type, blockRows);
      const earlier = parts.get(name);
      if (earlier === undefined) parts.set(name, [part]);
      else earlier.push(part);
    }
    rows += blockRows;
  }
  const columns = new Map<string, Column>();
  const lists = new Map<string, ListColumn>();
  for (const [name, pieces] of parts) {
    if (pieces[0]!.ends === null) columns.set(name, joined(pieces));
    else lists.set(name, { ends: joinedEnds(pieces), items: joined(pieces) });
  }
  return {
    rows,
    columns,
    ...(lists.size === 0 ? {} : { lists }),
    ...(bytes.size === 0 ? {} : { bytes }),
  };
}

function readPart(reader: NativeReader, type: string, length: number): Part {
  const isList = type.startsWith("Array(");
  const itemType = isList ? type.slice(6, -1) : type;
  const dictionary = /^LowCardinality\((Nullable\()?String\)+$/.exec(itemType);
  // A column with a dictionary begins with the version of its layout, before the ends of its lists.
  if (dictionary !== null && length > 0) reader.number();
  const ends = isList ? Uint32Array.from(reader.fixed(BigUint64Array, length), Number) : null;
  const items = ends === null ? length : (ends[length - 1] ?? 0);
  if (dictionary !== null) return { ...readDictionary(reader, dictionary[1] !== undefined, items), ends };
  return { ...readScalars(reader, itemType, items), ends };
}

function readScalars(reader: NativeReader, type: string, length: number): Omit<Part, "ends"> {
  const nullable = type.startsWith("Nullable(");
  const nulls = nullable ? reader.fixed(Uint8Array, length) : null;
  const base = nullable ? type.slice(9, -1) : type;
  if (base === "String") return { type: "String", nulls, values: reader.strings.many(length) };
  const shown =
    base in ARRAY_OF ? { read: base as FixedType, as: base as FixedType } : SHOWN_AS[base.replace(/\(.*/, "")];
  if (shown === undefined) throw new Error(`The archive answered with a column of type ${type}, which is not read.`);
  if (shown.read === "UInt16") {
    return { type: shown.as, nulls, values: Uint32Array.from(reader.fixed(Uint16Array, length)) };
  }
  return { type: shown.as, nulls, values: reader.fixed<FixedArray>(ARRAY_OF[shown.read], length) };
}

const KEY_CLASSES = [Uint8Array, Uint16Array, Uint32Array] as const;

/** LowCardinality(String): the distinct values, then the number of its value for each row. Key 0 is the missing one. */
function readDictionary(reader: NativeReader, nullable: boolean, length: number): Omit<Part, "ends"> {
  if (length === 0) return { type: "String", nulls: nullable ? new Uint8Array(0) : null, values: [] };
  // The lowest byte tells the width of the keys; the others say that the values follow here.
  const width = reader.number() % 256;
  const distinct = reader.strings.many(reader.number());
  const KeyClass = KEY_CLASSES[width];
  if (KeyClass === undefined) throw new Error("The archive answered with a dictionary of more than 2^32 values.");
  const keys = reader.fixed<Uint8Array | Uint16Array | Uint32Array>(KeyClass, reader.number());
  const values = Array.from(keys, (key) => distinct[key]!);
  return { type: "String", nulls: nullable ? Uint8Array.from(keys, (key) => (key === 0 ? 1 : 0)) : null, values };
}

function joined(parts: readonly Part[]): Column {
  const { type, nulls, values } = parts[0]!;
  if (parts.length === 1) return { type, nulls, values } as Column;
  const allNulls = nulls === null ? null : concatenated(parts.map((part) => part.nulls!));
  if (type === "String") {
    return { type, nulls: allNulls, values: parts.flatMap((part) => part.values as readonly string[]) };
  }
  const arrays = parts.map((part) => part.values as NumberColumn["values"] | BigColumn["values"]);
  return { type, nulls: allNulls, values: concatenated(arrays) } as Column;
}

type FixedArray = NumberColumn["values"] | BigColumn["values"];

/** Same class for all: it is the column's. */
function concatenated<A extends FixedArray>(arrays: readonly A[]): A {
  const length = arrays.reduce((sum, array) => sum + array.length, 0);
  const all = new (arrays[0]!.constructor as new (length: number) => A)(length);
  let at = 0;
  for (const array of arrays) {
    (all as { set(from: A, at: number): void }).set(array, at);
    at += array.length;
  }
  return all;
}

function joinedEnds(parts: readonly Part[]): Uint32Array {
  let base = 0;
  const shifted = parts.map(({ ends, values }) => {
    const from = base;
    base += values.length;
    return from === 0 ? ends! : ends!.map((end) => end + from);
  });
  return shifted.length === 1 ? shifted[0]! : concatenated(shifted);
}

interface FixedArrayClass<A> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

class NativeReader {
  readonly strings: StringReader;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.strings = new StringReader(bytes);
  }

  atEnd(): boolean {
    return this.strings.at >= this.#bytes.length;
  }

  varint(): number {
    return this.strings.varint();
  }

  /** Length, then as many bytes: a view of the answer. */
  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.strings.at;
    if (start + length > this.#bytes.length) throw new Error("The archive's answer ends too early.");
    this.strings.at = start + length;
    return this.#bytes.subarray(start, start + length);
  }

  /** A UInt64 that is small. */
  number(): number {
    return Number(this.fixed(BigUint64Array, 1)[0]);
  }

  /** A view of the answer where the elements lie on their boundaries, a copy elsewhere. */
  fixed<A>(Class: FixedArrayClass<A>, length: number): A {
    const size = Class.BYTES_PER_ELEMENT;
    const start = this.strings.at;
    const end = start + length * size;
    if (end > this.#bytes.length) throw new Error("The archive's answer ends too early.");
    this.strings.at = end;
    const { buffer, byteOffset } = this.#bytes;
    if ((byteOffset + start) % size === 0) return new Class(buffer, byteOffset + start, length);
    return new Class(buffer.slice(byteOffset + start, byteOffset + end), 0, length);
  }
}
