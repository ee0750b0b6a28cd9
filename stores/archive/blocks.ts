// Columns made for the archive's tables, and columns read out of its answers. Used by every store of this folder.
import type {
  BigArray,
  BigColumn,
  Block,
  Column,
  NumberArray,
  NumberColumn,
  StringColumn,
} from "../../domain/columns.js";

export const texts = (values: readonly string[]): StringColumn => ({ type: "String", values, nulls: null });
export const textsOrNull = (values: readonly (string | null)[]): StringColumn => ({
  type: "String",
  values: values.map((value) => value ?? ""),
  nulls: Uint8Array.from(values, (value) => (value === null ? 1 : 0)),
});
export const repeated = (rows: number, text: string): StringColumn => texts(new Array<string>(rows).fill(text));
export const unsigned = (values: BigUint64Array): BigColumn => ({ type: "UInt64", values, nulls: null });
export const signed = (values: BigInt64Array): BigColumn => ({ type: "Int64", values, nulls: null });
export const counts = (values: Uint32Array): NumberColumn => ({ type: "UInt32", values, nulls: null });
export const integers = (values: Int32Array): NumberColumn => ({ type: "Int32", values, nulls: null });
export const floats = (values: Float64Array): NumberColumn => ({ type: "Float64", values, nulls: null });

export function blockOf(rows: number, columns: Readonly<Record<string, Column>>): Block {
  return { rows, columns: new Map(Object.entries(columns)) };
}

/** The named columns of a block; they are shared, not copied. A missing one is a fault of the caller. */
export function chosen(block: Block, names: readonly string[]): Record<string, Column> {
  return Object.fromEntries(names.map((name) => [name, column(block, name)]));
}

// An answer without rows has no columns: all of these then give an empty list.
export const strings = (block: Block, name: string): readonly string[] =>
  block.rows === 0 ? [] : (column(block, name).values as readonly string[]);
export const numbers = (block: Block, name: string): NumberArray =>
  block.rows === 0 ? new Float64Array(0) : (column(block, name).values as NumberArray);
export const bigints = (block: Block, name: string): BigArray =>
  block.rows === 0 ? new BigUint64Array(0) : (column(block, name).values as BigArray);

/** Value of a row, or null where it is missing. */
export function stringsOrNull(block: Block, name: string): (row: number) => string | null {
  const values = strings(block, name);
  const nulls = block.columns.get(name)?.nulls;
  return (row) => (nulls?.[row] ? null : values[row]!);
}
export function numbersOrNull(block: Block, name: string): (row: number) => number | null {
  const values = numbers(block, name);
  const nulls = block.columns.get(name)?.nulls;
  return (row) => (nulls?.[row] ? null : values[row]!);
}

/** One item for each row of an answer. */
export function eachRow<T>(block: Block, make: (row: number) => T): T[] {
  return Array.from({ length: block.rows }, (_, row) => make(row));
}

export function column(block: Block, name: string): Column {
  const found = block.columns.get(name);
  if (found === undefined) throw new Error(`The block has no column ${name}.`);
  return found;
}
