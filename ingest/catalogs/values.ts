// Values in plain or typed arrays, with nulls among the plain ones, as columns. Called by parquet.ts and votable.ts.
import { ARRAY_OF, type BigArray, type Column, type ElementType, type NumberArray } from "../../domain/columns.js";
import { badCatalog, type Fault } from "./table.js";

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
  const Class = ARRAY_OF[type] as typeof Float64Array;
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
