// Values of a column of a FITS binary table: big-endian, scaled, with their missing ones. Called by fitstable.columns.ts.
import { ARRAY_OF, type Column, type NumberColumn } from "./columns.js";
import type { FitsColumn } from "./fitstable.js";

type Read = (view: DataView, at: number) => number;
const READERS: Readonly<Record<string, readonly [number, Read]>> = {
  B: [1, (view, at) => view.getUint8(at)],
  I: [2, (view, at) => view.getInt16(at)],
  J: [4, (view, at) => view.getInt32(at)],
  E: [4, (view, at) => view.getFloat32(at)],
  D: [8, (view, at) => view.getFloat64(at)],
};

/** `rows` rows of `stride` bytes, the first at `start`. */
export function binaryColumn(
  column: FitsColumn,
  bytes: Uint8Array,
  start: number,
  stride: number,
  rows: number,
): Column {
  const first = start + column.offset;
  if (column.code === "A") return textColumn(bytes, first, column.repeat, stride, rows);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (column.code === "K") return longColumn(column, view, first, stride, rows);
  if (column.code === "L") return truthColumn(column, bytes, first, stride, rows);
  const [size, read] = READERS[column.code]!;
  const { repeat, scale, zero, type } = column;
  const total = rows * repeat;
  const values = new ARRAY_OF[type as NumberColumn["type"]](total);
  const { missing, nulls } = nullsFor(column, total);
  for (let row = 0, k = 0; row < rows; row++) {
    for (let n = 0, at = first + row * stride; n < repeat; n++, k++, at += size) {
      const stored = read(view, at);
      if (nulls !== null && stored === missing) nulls[k] = 1;
      else values[k] = zero + scale * stored;
    }
  }
  return { type: type as "Float64", values, nulls };
}

/** TNULL is of whole numbers only. */
function nullsFor({ missing, code }: FitsColumn, total: number) {
  const applies = typeof missing === "number" && "BIJK".includes(code);
  return { missing: applies ? missing : null, nulls: applies ? new Uint8Array(total) : null };
}

function longColumn(column: FitsColumn, view: DataView, first: number, stride: number, rows: number): Column {
  const { repeat, scale, zero, type } = column;
  const total = rows * repeat;
  const { missing, nulls } = nullsFor(column, total);
  const none = missing === null ? null : BigInt(missing);
  const scaled = type === "Float64" ? new Float64Array(total) : null;
  const exact = type === "UInt64" ? new BigUint64Array(total) : new BigInt64Array(scaled === null ? total : 0);
  // With TZERO = 2^63 the sign's bit is turned over.
  const shift = type === "UInt64" ? 1n << 63n : 0n;
  for (let row = 0, k = 0; row < rows; row++) {
    for (let n = 0, at = first + row * stride; n < repeat; n++, k++, at += 8) {
      const stored = view.getBigInt64(at);
      if (nulls !== null && stored === none) nulls[k] = 1;
      else if (scaled !== null) scaled[k] = zero + scale * Number(stored);
      else exact[k] = stored + shift;
    }
  }
  if (scaled !== null) return { type: "Float64", values: scaled, nulls };
  return { type: type as "Int64", values: exact, nulls };
}

const [T, F] = [0x54, 0x46];

function truthColumn({ repeat }: FitsColumn, bytes: Uint8Array, first: number, stride: number, rows: number): Column {
  const values = new Uint8Array(rows * repeat);
  const nulls = new Uint8Array(rows * repeat);
  for (let row = 0, k = 0; row < rows; row++) {
    for (let n = 0; n < repeat; n++, k++) {
      const stored = bytes[first + row * stride + n];
      if (stored === T) values[k] = 1;
      else if (stored !== F) nulls[k] = 1;
    }
  }
  return { type: "Bool", values, nulls };
}

/** Up to the first NUL, without trailing blanks. */
function textColumn(bytes: Uint8Array, first: number, width: number, stride: number, rows: number): Column {
  const values = Array.from({ length: rows }, (_, row) => fixedText(bytes, first + row * stride, width));
  return { type: "String", values, nulls: null };
}

const decoder = new TextDecoder("utf-8");
const BLANK = 0x20;

export function fixedText(bytes: Uint8Array, start: number, width: number): string {
  let end = start;
  let last = start;
  let isPlain = true;
  while (end < start + width && bytes[end] !== 0) {
    if (bytes[end] !== BLANK) last = end + 1;
    if (bytes[end]! >= 0x80) isPlain = false;
    end++;
  }
  if (!isPlain) return decoder.decode(bytes.subarray(start, last));
  return String.fromCharCode(...bytes.subarray(start, last));
}
