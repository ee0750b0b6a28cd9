// Some rows of a block as a new block. Called by the steps of the pipeline and by filters/, which send what is left of a batch.
import type { BigColumn, Block, Column, ListColumn, NumberArray } from "./columns.js";

/** The given rows, in the given order, lists with them; bytes are left out. */
export function takeRows(block: Block, rows: Uint32Array): Block {
  const columns = new Map<string, Column>();
  for (const [name, column] of block.columns) columns.set(name, takeColumn(column, rows));
  if (block.lists === undefined) return { rows: rows.length, columns };
  const lists = new Map<string, ListColumn>();
  for (const [name, list] of block.lists) lists.set(name, takeList(list, rows));
  return { rows: rows.length, columns, lists };
}

function takeColumn(column: Column, rows: Uint32Array): Column {
  const nulls = column.nulls && takeNumbers(column.nulls, rows);
  if (column.type === "String") {
    const { values } = column;
    return { type: "String", values: Array.from(rows, (row) => values[row]!), nulls };
  }
  if (isBig(column)) {
    // 64-bit values as pairs of 32-bit words: no bigint is made on the way.
    const from = new Uint32Array(column.values.buffer, column.values.byteOffset, column.values.length * 2);
    const to = new Uint32Array(rows.length * 2);
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows[i]! * 2;
      to[i * 2] = from[row]!;
      to[i * 2 + 1] = from[row + 1]!;
    }
    const values = column.type === "Int64" ? new BigInt64Array(to.buffer) : new BigUint64Array(to.buffer);
    return { type: column.type, values, nulls };
  }
  return { type: column.type, values: takeNumbers(column.values, rows), nulls };
}

export const isBig = (column: Column): column is BigColumn => column.type === "Int64" || column.type === "UInt64";

function takeNumbers<T extends NumberArray>(values: T, rows: Uint32Array): T {
  const taken = new (values.constructor as new (length: number) => T)(rows.length);
  for (let i = 0; i < rows.length; i += 1) taken[i] = values[rows[i]!]!;
  return taken;
}

function takeList({ ends, items }: ListColumn, rows: Uint32Array): ListColumn {
  const takenEnds = new Uint32Array(rows.length);
  const startOf = (row: number) => (row === 0 ? 0 : ends[row - 1]!);
  let total = 0;
  for (let i = 0; i < rows.length; i += 1) {
    total += ends[rows[i]!]! - startOf(rows[i]!);
    takenEnds[i] = total;
  }
  const from = new Uint32Array(total);
  let at = 0;
  for (const row of rows) {
    for (let item = startOf(row); item < ends[row]!; item += 1) {
      from[at] = item;
      at += 1;
    }
  }
  return { ends: takenEnds, items: takeColumn(items, from) };
}
