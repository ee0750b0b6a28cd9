// Rows of a FITS table as columns. Called by ingest/catalogs and by readers of sky maps.
import type { Column } from "./columns.js";
import { asciiColumn } from "./fitstable.ascii.js";
import { binaryColumn } from "./fitstable.binary.js";
import { badFits, type FitsColumn, type FitsTable } from "./fitstable.js";

/**
 * Values of a column of `rows` rows that begin at `start`. A column with `repeat` above 1 (not of text) gives as many values
 * for each row, one after the other. Numbers are scaled; TNULL, blanks of ASCII tables and bytes that are no truth value
 * are missing; NaN stays.
 * @throws TocsinError BAD_CATALOG for a column whose type is null, and for text that is no number.
 */
export function fitsColumn(
  table: FitsTable,
  column: FitsColumn,
  bytes: Uint8Array,
  start: number,
  rows: number,
): Column {
  if (start + rows * table.rowBytes > bytes.length) throw badFits("it ends within its rows");
  if (column.type === null)
    throw badFits(`the column ${column.name} has values of a kind that is not read (${column.code})`);
  const read = table.kind === "ascii" ? asciiColumn : binaryColumn;
  return read(column, bytes, start, table.rowBytes, rows);
}
