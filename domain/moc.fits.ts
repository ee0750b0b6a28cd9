// Regions as FITS files: NUNIQ (MOC 1.1) and ranges (MOC 2.0, of space). Called by server/marks.ts.
// Standard: IVOA MOC 2.0, section 4.2.
import type { BigColumn, Column } from "./columns.js";
import { fitsColumn } from "./fitstable.columns.js";
import { type FitsCards, fitsDataBytes, fitsHeader, fitsTable } from "./fitstable.js";
import type { PixelRange } from "./healpix.js";
import { badMark, cellOfUniq, cellRange, type Moc, mocOfRanges } from "./moc.js";

/** The first table of a FITS file: its header, and each column by its name in capitals. Throws BAD_MARK, BAD_CATALOG. */
export interface FirstTable {
  readonly cards: FitsCards;
  readonly rows: number;
  readonly names: readonly string[];
  column(name: string): Column;
}

export function firstTable(bytes: Uint8Array): FirstTable {
  for (let start = 0; start < bytes.length; ) {
    const header = fitsHeader(bytes, start);
    if (header === null) throw badMark("The FITS file ends within a header.");
    const { cards, byteLength } = header;
    if (start === 0 && cards.get("SIMPLE") !== true) throw badMark("The file is not FITS.");
    const table = fitsTable(cards);
    if (table !== null) {
      const at = start + byteLength;
      const byName = new Map(table.columns.map((column) => [column.name.toUpperCase(), column]));
      return {
        cards,
        rows: table.rows,
        names: [...byName.keys()],
        column: (name) => fitsColumn(table, byName.get(name)!, bytes, at, table.rows),
      };
    }
    start += byteLength + fitsDataBytes(cards);
  }
  throw badMark("The FITS file has no table.");
}

/** Throws BAD_MARK where positions are not equatorial (ICRS): a region in galactic coordinates would mark another sky. */
export function requireEquatorial(cards: FitsCards): void {
  const frame = String(cards.get("COORDSYS") ?? "C").trim();
  if (!/^(C|ICRS|EQ|EQUATORIAL|CELESTIAL|RADEC)$/i.test(frame)) {
    throw badMark(`COORDSYS is ${JSON.stringify(frame)}; only equatorial (C) maps are read.`);
  }
}

/** Throws BAD_MARK. */
export function readMocFits(bytes: Uint8Array): Moc {
  const table = firstTable(bytes);
  const { cards, names } = table;
  requireEquatorial(cards);
  const dimension = String(cards.get("MOCDIM") ?? "SPACE").trim();
  if (dimension !== "SPACE") throw badMark(`MOCDIM is ${dimension}; only regions of space are read.`);
  const ordering = String(cards.get("ORDERING") ?? "").trim();
  const name = names[0];
  if (name === undefined || table.rows === 0) return mocOfRanges([]);
  const values = longs(table.column(name), name);
  if (ordering === "NUNIQ") return mocOfRanges(ofUniqs(values));
  if (ordering === "RANGE") return mocOfRanges(ofPairs(values));
  throw badMark(`ORDERING is ${JSON.stringify(ordering)}; a region's is NUNIQ or RANGE.`);
}

/** Whole numbers of a column, 32 or 64 bits wide. */
export function longs(column: Column, name: string): BigInt64Array | BigUint64Array {
  if (column.type === "Int64" || column.type === "UInt64") return (column as BigColumn).values;
  if (column.type === "Int32" || column.type === "UInt32" || column.type === "Int16") {
    return BigInt64Array.from(column.values as Int32Array, BigInt);
  }
  throw badMark(`The column ${name} holds ${column.type}, not whole numbers.`);
}

function* ofUniqs(uniqs: Iterable<bigint>): Generator<PixelRange> {
  for (const uniq of uniqs) {
    // Rows of a table that is larger than its region are filled with 0.
    if (uniq === 0n) continue;
    const { order, pixel } = cellOfUniq(uniq);
    yield cellRange(order, pixel);
  }
}

function* ofPairs(values: BigInt64Array | BigUint64Array): Generator<PixelRange> {
  if (values.length % 2 !== 0) throw badMark("The column of ranges has a start without an end.");
  for (let i = 0; i < values.length; i += 2) {
    const [start, end] = [values[i]!, values[i + 1]!];
    if (start !== end) yield { start, end };
  }
}
