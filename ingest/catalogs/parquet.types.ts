// What a Parquet file's columns hold, and errors of reading them as ours. Called by parquet.ts and parquet.lists.ts.
import type { SchemaElement } from "hyparquet";
import type { ElementType } from "../../domain/columns.js";
import { badCatalog } from "./table.js";

/** What the library throws at bytes that are no Parquet is any error. */
export async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^parquet\s*/i, "") : String(error);
    throw badCatalog(`it is no Parquet that can be read: ${why}.`, { file }, undefined, error);
  }
}

const INTEGERS: Readonly<Record<string, ElementType>> = {
  INT_8: "Int8",
  INT_16: "Int16",
  INT_32: "Int32",
  INT_64: "Int64",
  UINT_8: "UInt8",
  UINT_16: "Int32",
  UINT_32: "UInt32",
  UINT_64: "UInt64",
};

/** Dates and times become ISO texts, decimals Float64. Null for what has no plain value. */
export function typeOf({ type, converted_type, logical_type }: SchemaElement): ElementType | null {
  const kind = logical_type?.type;
  if (converted_type !== undefined && converted_type in INTEGERS) return INTEGERS[converted_type]!;
  if (kind === "INTEGER" && logical_type !== undefined) {
    const { bitWidth, isSigned } = logical_type as { bitWidth: number; isSigned: boolean };
    return INTEGERS[`${isSigned ? "" : "U"}INT_${bitWidth}`] ?? null;
  }
  if (converted_type === "DECIMAL" || kind === "DECIMAL") return "Float64";
  if (kind === "FLOAT16") return "Float32";
  if (kind === "DATE" || kind === "TIMESTAMP" || kind === "UUID" || type === "INT96") return "String";
  if (converted_type === "DATE" || converted_type?.startsWith("TIMESTAMP")) return "String";
  if (type === "BOOLEAN") return "Bool";
  if (type === "INT32") return "Int32";
  if (type === "INT64") return "Int64";
  if (type === "FLOAT") return "Float32";
  if (type === "DOUBLE") return "Float64";
  return type === "BYTE_ARRAY" || type === "FIXED_LEN_BYTE_ARRAY" ? "String" : null;
}
