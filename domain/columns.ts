// Rows as columns: how alerts travel from the packet reader to ClickHouse without becoming objects.
// Used by ingest/ (fills), stores/archive (sends and receives), filters/ (evaluates).

/** ClickHouse's names; Bool is UInt8 with 0 and 1. */
export type ElementType =
  | "Bool"
  | "UInt8"
  | "Int8"
  | "Int16"
  | "Int32"
  | "UInt32"
  | "Int64"
  | "UInt64"
  | "Float32"
  | "Float64"
  | "String";

export type NumberArray = Uint8Array | Int8Array | Int16Array | Int32Array | Uint32Array | Float32Array | Float64Array;
export type BigArray = BigInt64Array | BigUint64Array;

/** What holds a column's numbers: in memory as ClickHouse has them on the wire, little endian as every platform of Node. */
export const ARRAY_OF = {
  Bool: Uint8Array,
  UInt8: Uint8Array,
  Int8: Int8Array,
  Int16: Int16Array,
  Int32: Int32Array,
  UInt32: Uint32Array,
  Int64: BigInt64Array,
  UInt64: BigUint64Array,
  Float32: Float32Array,
  Float64: Float64Array,
} as const satisfies Record<Exclude<ElementType, "String">, unknown>;

export interface NumberColumn {
  readonly type: Exclude<ElementType, "String" | "Int64" | "UInt64">;
  readonly values: NumberArray;
  /** 1 where the value is missing; null for a column that cannot be missing. */
  readonly nulls: Uint8Array | null;
}
export interface BigColumn {
  readonly type: "Int64" | "UInt64";
  readonly values: BigArray;
  readonly nulls: Uint8Array | null;
}
export interface StringColumn {
  readonly type: "String";
  readonly values: readonly string[];
  readonly nulls: Uint8Array | null;
}
export type Column = NumberColumn | BigColumn | StringColumn;

/** A list of values in each row. Row i's are items ends[i - 1] (0 for the first row) up to ends[i]. */
export interface ListColumn {
  readonly ends: Uint32Array;
  readonly items: Column;
}

/** Bytes in each row, which need be no text: ClickHouse's String as it is. */
export interface BytesColumn {
  readonly values: readonly Uint8Array[];
}

/** A block of rows. Every column's values (and nulls) are exactly `rows` long. */
export interface Block {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
  /** Columns that hold a list in each row; a name stands in one of the maps only. */
  readonly lists?: ReadonlyMap<string, ListColumn>;
  readonly bytes?: ReadonlyMap<string, BytesColumn>;
}
