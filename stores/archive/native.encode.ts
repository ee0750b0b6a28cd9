// A block of rows as ClickHouse's Native format. Called by http.ts for inserts and for tables sent with a query.
import { ARRAY_OF, type Block, type Column } from "../../domain/columns.js";

/** ClickHouse's name of a column's type, e.g. Nullable(Float64). */
export function columnType(column: Column): string {
  return column.nulls === null ? column.type : `Nullable(${column.type})`;
}

/** Names and types of a block's columns, in the order in which they are encoded. */
export function blockStructure(block: Block): { name: string; type: string }[] {
  const scalars = [...block.columns].map(([name, column]) => ({ name, type: columnType(column) }));
  const lists = [...(block.lists ?? [])].map(([name, list]) => ({ name, type: `Array(${columnType(list.items)})` }));
  const bytes = [...(block.bytes?.keys() ?? [])].map((name) => ({ name, type: "String" }));
  return [...scalars, ...lists, ...bytes];
}

/**
 * The block in Native format, one block on the wire.
 * @throws RangeError where a column is not as long as the block.
 */
export function encodeNative(block: Block): Buffer {
  const { rows } = block;
  const writer = new NativeWriter(estimate(block));
  writer.varint(block.columns.size + (block.lists?.size ?? 0) + (block.bytes?.size ?? 0));
  writer.varint(rows);
  for (const [name, column] of block.columns) {
    writer.string(name);
    writer.string(columnType(column));
    writeColumn(writer, column, rows, name);
  }
  for (const [name, { ends, items }] of block.lists ?? []) {
    writer.string(name);
    writer.string(`Array(${columnType(items)})`);
    expectLength(ends.length, rows, name);
    writer.bytes(BigUint64Array.from(ends, BigInt));
    writeColumn(writer, items, rows === 0 ? 0 : ends[rows - 1]!, name);
  }
  for (const [name, { values }] of block.bytes ?? []) {
    writer.string(name);
    writer.string("String");
    expectLength(values.length, rows, name);
    for (const value of values) {
      writer.varint(value.byteLength);
      writer.bytes(value);
    }
  }
  return writer.written();
}

function writeColumn(writer: NativeWriter, column: Column, length: number, name: string): void {
  expectLength(column.values.length, length, name);
  if (column.nulls !== null) {
    expectLength(column.nulls.length, length, name);
    writer.bytes(column.nulls);
  }
  if (column.type === "String") {
    for (let i = 0; i < length; i++) writer.string(column.values[i]!);
  } else if (column.type === "Int64" || column.type === "UInt64") {
    writer.bytes(column.values);
  } else {
    const Wire = ARRAY_OF[column.type] as Float64ArrayConstructor;
    writer.bytes(column.values instanceof Wire ? column.values : Wire.from(column.values as ArrayLike<number>));
  }
}

function expectLength(length: number, expected: number, name: string): void {
  if (length !== expected) throw new RangeError(`Column ${name} has ${length} values in a block of ${expected} rows.`);
}

/** Bytes that the block will need, a little more than less: growing copies everything. */
function estimate(block: Block): number {
  let bytes = 64;
  const add = (column: Column) => {
    bytes += 80 + column.values.length * (column.type === "String" ? 17 : 9);
  };
  for (const column of block.columns.values()) add(column);
  for (const { ends, items } of block.lists?.values() ?? []) {
    bytes += ends.length * 8;
    add(items);
  }
  for (const { values } of block.bytes?.values() ?? []) {
    bytes += values.reduce((sum, value) => sum + value.byteLength + 5, 80);
  }
  return bytes;
}

/** Up to here a loop over the characters is faster than calls into native code. */
const SHORT_STRING = 24;

class NativeWriter {
  #buffer: Buffer;
  #at = 0;

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
  }

  written(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }

  bytes(values: NodeJS.ArrayBufferView): void {
    this.#reserve(values.byteLength);
    this.#buffer.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), this.#at);
    this.#at += values.byteLength;
  }

  varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  /** Length in bytes as a varint, then UTF-8. */
  string(text: string): void {
    const { length } = text;
    if (length > SHORT_STRING || !this.#shortAscii(text)) {
      const size = Buffer.byteLength(text);
      this.varint(size);
      this.#reserve(size);
      this.#buffer.write(text, this.#at, size, "utf8");
      this.#at += size;
    }
  }

  /** Write the text if it is plain ASCII; otherwise leave everything as it was. */
  #shortAscii(text: string): boolean {
    const { length } = text;
    this.#reserve(length + 1);
    const buffer = this.#buffer;
    const start = this.#at;
    buffer[start] = length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      buffer[start + 1 + i] = code;
    }
    this.#at = start + 1 + length;
    return true;
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#at + more, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}
