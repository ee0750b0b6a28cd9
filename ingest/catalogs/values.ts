// Values in plain or typed arrays, with nulls among the plain ones, as columns. Called by parquet.ts and votable.ts.
import type { BigArray, Column, ElementType, NumberArray } from "../../domain/columns.js";
import { badCatalog, type Fault } from "./table.js";

const ARRAYS = {
  Bool: Uint8Array,
  UInt8: Uint8Array,
  Int8: Int8Array,
  Int16: Int16Array,
  Int32: Int32Array,
  UInt32: Uint32Array,
  Float32: Float32Array,
  Float64: Float64Array,
} as const;

/** `count` values from `start` on. */
export function valuesColumn(
  values: ArrayLike<unknown>,
  start: number,
  count: number,
  type: ElementType,
  fault: Fault,
): Column {
  if (values.length < start + count) throw badCatalog("it has fewer values than rows.", fault);
  if (type === "String") return textValues(values, start, count);
  const Class =
    type === "Int64" ? BigInt64Array : type === "UInt64" ? BigUint64Array : (ARRAYS[type] as typeof Float64Array);
  const same = values as unknown as NumberArray | BigArray;
  if (values instanceof Class) {
    return { type, values: same.slice(start, start + count), nulls: null } as Column;
  }
  const made = new Class(count);
  const nulls = new Uint8Array(count);
  const isWide = type === "Int64" || type === "UInt64";
  for (let k = 0; k < count; k++) {
    const value = values[start + k];
    if (value === null || value === undefined) nulls[k] = 1;
    else (made as unknown as unknown[])[k] = isWide ? BigInt(value as bigint) : Number(value);
  }
  return { type, values: made, nulls } as Column;
}

function textValues(values: ArrayLike<unknown>, start: number, count: number): Column {
  const nulls = new Uint8Array(count);
  const texts = Array.from({ length: count }, (_, k) => {
    const value = values[start + k];
    if (value === null || value === undefined) {
      nulls[k] = 1;
      return "";
    }
    return value instanceof Date ? value.toISOString() : value instanceof Uint8Array ? utf8(value) : String(value);
  });
  return { type: "String", values: texts, nulls };
}

const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
