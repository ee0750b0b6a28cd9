// Columns for what enrichment did not bring, because a step failed or a catalog came after the batch. Called by evaluate.ts.
import type { Column, ListColumn } from "../domain/columns.js";
import type { FilterField } from "./fields.js";

/** Missing in every row. */
export function absentColumn({ columnType: type }: FilterField, rows: number): Column {
  const nulls = new Uint8Array(rows).fill(1);
  if (type === "String") return { type, values: new Array<string>(rows).fill(""), nulls };
  if (type === "Int64" || type === "UInt64") return { type, values: new BigInt64Array(rows), nulls };
  return { type, values: new Uint8Array(rows), nulls };
}

/** An empty list in every row. */
export function absentList(field: FilterField, rows: number): ListColumn {
  const { nulls, ...items } = absentColumn(field, 0);
  return { ends: new Uint32Array(rows), items: { ...items, nulls: field.nullable ? nulls : null } as Column };
}
