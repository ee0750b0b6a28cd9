// What every reader of a table file gives: its columns, and its rows as blocks. Implemented by csv.ts, fits.ts, parquet.ts,
// votable.ts; opened by open.ts.
import type { Block, ElementType } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";

export interface TableColumn {
  readonly name: string;
  /** Null where its values are not read: lists, complex numbers. */
  readonly type: ElementType | null;
  /** Whether the first rows of a text file leave open whether it holds numbers with fractions: whole ones only, or none. */
  readonly isOpen?: boolean;
  /** Of the items, where it holds a list of plain values in each row: read into a block's lists. */
  readonly items?: ElementType;
  /** As the file writes it. */
  readonly unit: string | null;
  readonly description: string;
}

export interface TableReader {
  readonly format: "CSV" | "ECSV" | "FITS" | "Parquet" | "VOTable";
  readonly columns: readonly TableColumn[];
  /**
   * The rows from number `skip` (0 is the first) on, these columns of them, in blocks of at most BLOCK_ROWS; none for the
   * rows before. May be called once. Columns of `lists`, which only Parquet has, are read as lists.
   * @throws TocsinError BAD_CATALOG with what is wrong, and where.
   */
  blocks(names: readonly string[], skip: number, lists?: readonly string[]): AsyncIterable<Block>;
  /** Bytes of the file that have been read, of its size: for progress. */
  bytesRead(): number;
  close(): Promise<void>;
}

export const BLOCK_ROWS = 50_000;

export interface Fault {
  readonly file: string;
  /** Counted from 1, without header lines. */
  readonly row?: number;
  readonly column?: string;
}

const REMEDY = "Fetch the file again, or write it anew; nothing that was loaded of it is shown.";

export function badCatalog(message: string, fault: Fault, remedy: string = REMEDY, cause?: unknown): TocsinError {
  const { file, row, column } = fault;
  const place = [
    `${file}`,
    ...(row === undefined ? [] : [`row ${row}`]),
    ...(column === undefined ? [] : [`column ${column}`]),
  ];
  return new TocsinError("BAD_CATALOG", `${place.join(", ")}: ${message}`, { remedy, details: { ...fault }, cause });
}

/** The chosen columns in the order of `names`. */
export function columnsNamed(columns: readonly TableColumn[], names: readonly string[], file: string): TableColumn[] {
  return names.map((name) => {
    const found = columns.find((column) => column.name === name);
    if (found === undefined)
      throw badCatalog(`there is no such column; there are ${listed(columns)}.`, { file, column: name });
    if (found.type === null)
      throw badCatalog("it holds lists or complex numbers, which are not read.", { file, column: name });
    return found;
  });
}

export const listed = (columns: readonly TableColumn[]): string => {
  const names = columns.slice(0, 60).map(({ name }) => name);
  return [...names, ...(columns.length > names.length ? ["…"] : [])].join(", ");
};
