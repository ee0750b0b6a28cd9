// Rows of a VOTable's BINARY and BINARY2 streams: base64 between two tags, big-endian. Called by votable.ts.
import { badCatalog } from "./table.js";
import type { Field } from "./votable.fields.js";

/** Bytes of one element; bits are counted apart. */
const SIZES: Readonly<Record<string, number>> = {
  boolean: 1,
  bit: 1,
  unsignedByte: 1,
  short: 2,
  int: 4,
  long: 8,
  char: 1,
  unicodeChar: 2,
  float: 4,
  double: 8,
  floatComplex: 8,
  doubleComplex: 16,
};
const LONGEST_VALUE = 64 * 1024 ** 2;
const LESS_THAN = 0x3c;

/** One array for each row, a value (or null) for each field; values whose field has no type are null. */
export async function* binaryRows(
  fields: readonly Field[],
  hasNulls: boolean,
  rest: Buffer,
  chunks: AsyncIterator<Buffer>,
  file: string,
): AsyncGenerator<unknown[]> {
  const flags = hasNulls ? Math.ceil(fields.length / 8) : 0;
  let held: Buffer = Buffer.alloc(0);
  let seen = 0;
  for await (const bytes of decoded(rest, chunks, file)) {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    let at = 0;
    for (;;) {
      const end = rowEnd(fields, held, at + flags, file);
      if (end < 0) break;
      yield rowAt(fields, held, at, flags);
      seen++;
      at = end;
    }
    held = held.subarray(at);
  }
  if (held.length > 0) throw badCatalog("the file ends within a row.", { file, row: seen + 1 });
}

/** Decoded pieces up to the tag that ends the stream. */
async function* decoded(rest: Buffer, chunks: AsyncIterator<Buffer>, file: string): AsyncGenerator<Buffer> {
  let left = "";
  for (let chunk = rest; ; ) {
    const end = chunk.indexOf(LESS_THAN);
    const text = left + (end < 0 ? chunk : chunk.subarray(0, end)).toString("latin1").replaceAll(/\s+/g, "");
    const whole = end < 0 ? text.length - (text.length % 4) : text.length;
    left = text.slice(whole);
    if (whole > 0) yield Buffer.from(text.slice(0, whole), "base64");
    if (end >= 0) return;
    const next = await chunks.next();
    if (next.done) throw badCatalog("the file ends before its table does.", { file });
    chunk = next.value;
  }
}

/** Bytes of a value that begins at `at`, its count included; -1 where they are not all there. */
function valueBytes({ datatype, length, name }: Field, bytes: Buffer, at: number, file: string): number {
  let count = length;
  let head = 0;
  if (count === null) {
    if (at + 4 > bytes.length) return -1;
    count = bytes.readInt32BE(at);
    head = 4;
  }
  const size = datatype === "bit" ? Math.ceil(count / 8) : SIZES[datatype]! * count;
  if (Number.isNaN(size) || size < 0 || size > LONGEST_VALUE) {
    throw badCatalog(`a value of ${count} elements of ${datatype} cannot be.`, { file, column: name });
  }
  return at + head + size > bytes.length ? -1 : head + size;
}

function rowEnd(fields: readonly Field[], bytes: Buffer, start: number, file: string): number {
  if (start >= bytes.length) return -1;
  let at = start;
  for (const field of fields) {
    const size = valueBytes(field, bytes, at, file);
    if (size < 0) return -1;
    at += size;
  }
  return at;
}

function rowAt(fields: readonly Field[], bytes: Buffer, start: number, flags: number): unknown[] {
  let at = start + flags;
  return fields.map((field, n) => {
    const begin = at;
    const size = valueBytes(field, bytes, begin, "");
    at += size;
    const isNull = flags > 0 && (bytes[start + (n >> 3)]! & (0x80 >> (n & 7))) !== 0;
    return isNull || field.type === null ? null : valueAt(field, bytes, begin, size);
  });
}

function valueAt({ datatype, length }: Field, bytes: Buffer, at: number, size: number): unknown {
  const head = length === null ? 4 : 0;
  if (datatype === "char" || datatype === "unicodeChar") {
    const text = bytes.subarray(at + head, at + size);
    if (datatype === "char") return text.toString("utf8").replace(/\0.*$/s, "").trimEnd();
    return Buffer.from(text).swap16().toString("utf16le").replace(/\0.*$/s, "").trimEnd();
  }
  if (datatype === "boolean") {
    const letter = String.fromCharCode(bytes[at]!);
    return "Tt1".includes(letter) ? 1 : "Ff0".includes(letter) ? 0 : null;
  }
  if (datatype === "bit") return bytes[at] === 0 ? 0 : 1;
  if (datatype === "unsignedByte") return bytes[at]!;
  if (datatype === "short") return bytes.readInt16BE(at);
  if (datatype === "int") return bytes.readInt32BE(at);
  if (datatype === "long") return bytes.readBigInt64BE(at);
  return datatype === "float" ? bytes.readFloatBE(at) : bytes.readDoubleBE(at);
}
