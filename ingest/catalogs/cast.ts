// A column as one of another type; what does not fit is an error, not another value. Called by rows.ts.
import { ARRAY_OF, type Column, type ElementType, type NumberArray } from "../../domain/columns.js";
import { badCatalog, type Fault } from "./table.js";
import { textColumn } from "./texts.js";

/** NaN, the numbers that stand for it, and blanks are missing. `rowOf`: number of a row in the file. */
export function castColumn(
  column: Column,
  type: ElementType,
  missing: readonly number[],
  fault: Fault,
  rowOf: (row: number) => number = (row) => row + 1,
): Column {
  return withMissing(column.type === type ? column : converted(column, type, fault, rowOf), missing);
}

function converted(column: Column, type: ElementType, fault: Fault, rowOf: (row: number) => number): Column {
  const { values, nulls } = column;
  const rows = values.length;
  const { file, column: name = "" } = fault;
  if (type === "String") return { type, values: Array.from(values as ArrayLike<unknown>, String), nulls };
  if (column.type === "String") {
    const made = textColumn(name, type, rows, file, rowOf);
    for (let row = 0; row < rows; row++) made.put(row, nulls?.[row] ? "" : column.values[row]!);
    return made.column(rows);
  }
  const wrong = (row: number) =>
    badCatalog(`${String(values[row])} is no value of ${type}.`, { ...fault, row: rowOf(row) });
  if (type === "Int64" || type === "UInt64") {
    const made = type === "Int64" ? new BigInt64Array(rows) : new BigUint64Array(rows);
    for (let row = 0; row < rows; row++) {
      if (nulls?.[row]) continue;
      const value = values[row]!;
      if (typeof value === "number" && !Number.isSafeInteger(value)) throw wrong(row);
      made[row] = BigInt(value);
      if (made[row] !== BigInt(value)) throw wrong(row);
    }
    return { type, values: made, nulls } as Column;
  }
  const made = new (ARRAY_OF[type] as Float64ArrayConstructor)(rows) as NumberArray;
  const isReal = type === "Float32" || type === "Float64";
  for (let row = 0; row < rows; row++) {
    if (nulls?.[row]) continue;
    made[row] = Number(values[row]);
    if (!isReal && made[row] !== Number(values[row])) throw wrong(row);
  }
  return { type, values: made, nulls } as Column;
}

function withMissing(column: Column, missing: readonly number[]): Column {
  if (column.type === "String") {
    // Tables of fixed widths have blanks around texts.
    const values = column.values.map((value) => value.trim());
    return {
      ...column,
      values,
      nulls: Uint8Array.from(values, (value, row) => (column.nulls?.[row] || value === "" ? 1 : 0)),
    };
  }
  if (column.type === "Int64" || column.type === "UInt64") {
    if (missing.length === 0) return column;
    const none = new Set(missing.filter(Number.isInteger).map(BigInt));
    return {
      ...column,
      nulls: Uint8Array.from(column.values, (value, row) => (column.nulls?.[row] || none.has(value) ? 1 : 0)),
    };
  }
  const { type } = column;
  const values = column.values as NumberArray;
  const isReal = type === "Float32" || type === "Float64";
  if (!isReal && missing.length === 0) return column;
  // As a 32-bit float, -99.9 is another number.
  const none = type === "Float32" ? missing.map(Math.fround) : missing;
  const nulls = column.nulls === null ? new Uint8Array(values.length) : column.nulls.slice();
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!;
    if (Number.isNaN(value) || (none.length > 0 && none.includes(value))) nulls[row] = 1;
  }
  return { ...column, nulls };
}
