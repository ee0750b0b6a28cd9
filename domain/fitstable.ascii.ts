// Values of a column of a FITS ASCII table: characters in fixed places. Called by fitstable.columns.ts.
import type { Column } from "./columns.js";
import { TocsinError } from "./errors.js";
import { fixedText } from "./fitstable.binary.js";
import type { FitsColumn } from "./fitstable.js";

const INTEGER = /^[+-]?\d+$/;

/** `rows` rows of `stride` bytes, the first at `start`. Blanks are missing. */
export function asciiColumn(
  column: FitsColumn,
  bytes: Uint8Array,
  start: number,
  stride: number,
  rows: number,
): Column {
  const { width, offset, type, scale, zero, missing } = column;
  const texts = Array.from({ length: rows }, (_, row) => fixedText(bytes, start + row * stride + offset, width));
  if (type === "String") return { type, values: texts, nulls: null };
  const blank = typeof missing === "string" ? missing.trim() : missing === null ? "" : String(missing);
  const nulls = Uint8Array.from(texts, (text) => (text.trim() === "" || text.trim() === blank ? 1 : 0));
  if (type === "Int64") {
    const values = BigInt64Array.from(texts, (text, row) => {
      if (nulls[row]) return 0n;
      if (!INTEGER.test(text.trim())) throw noNumber(column, text, row);
      return BigInt(text.trim().replace(/^\+/, ""));
    });
    return { type, values, nulls };
  }
  const values = Float64Array.from(texts, (text, row) => {
    if (nulls[row]) return 0;
    const value = Number(text.trim().replace(/d/i, "e"));
    if (Number.isNaN(value) && !/^[+-]?nan$/i.test(text.trim())) throw noNumber(column, text, row);
    return zero + scale * value;
  });
  return { type: "Float64", values, nulls };
}

const noNumber = ({ name }: FitsColumn, text: string, row: number): TocsinError =>
  new TocsinError("BAD_CATALOG", `The FITS table cannot be read: ${JSON.stringify(text)} in ${name} is no number.`, {
    details: { column: name, rowOfBlock: row },
  });
