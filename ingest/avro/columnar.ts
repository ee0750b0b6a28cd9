// Growable typed columns that the generated readers (generate.ts) append to, and the layout that says which fields of a
// packet become which columns. Called by ingest/decode.ts; surveys give the layouts.
import { ARRAY_OF, type Block, type Column, type ElementType } from "../../domain/columns.js";
import { fail, MalformedError } from "./primitives.js";

/** One field that becomes a column. Missing in the packet's schema, or of a kind that does not fit: all null. */
export interface LayoutField {
  /** Names from the packet's (or the list item's) record down: "candidate.jd". */
  readonly path: string;
  readonly column: string;
  readonly type: ElementType;
}
/** An array of records whose items become rows of a block of their own. */
export interface LayoutList {
  readonly path: string;
  readonly name: string;
  readonly fields: readonly LayoutField[];
}
export interface Layout {
  readonly fields: readonly LayoutField[];
  readonly lists: readonly LayoutList[];
}

/** What was read of a list: `parents[i]` is the row of the alert that row i belongs to. */
export interface ListBlock extends Block {
  readonly parents: Uint32Array;
}
export interface Decoded {
  readonly alerts: Block;
  readonly lists: ReadonlyMap<string, ListBlock>;
}

/** Appends one record to tables[0] and its lists' items to the others. Throws MalformedError or RangeError. */
export type GeneratedReader = (tables: readonly Table[], bytes: Uint8Array, view: DataView) => void;

/** Room for history points of one packet and list to begin with; ZTF packets have some 30 of either list. */
const HISTORY_ROWS = 32;
/** More history in one packet than any survey sends; keeps small hostile packets from filling the memory. */
const MAX_ITEMS = 10_000;

type Values = Uint8Array | Int8Array | Int16Array | Int32Array | Uint32Array | Float32Array | Float64Array;
const ARRAYS = {
  ...ARRAY_OF,
  // As pairs of 32-bit words, low one first: no bigint is made.
  Int64: Int32Array,
  UInt64: Int32Array,
} as const;
const isBig = (type: ElementType): type is "Int64" | "UInt64" => type === "Int64" || type === "UInt64";

/** Columns of one block while it is being filled. The generated code writes `values` and `nulls` at row `rows`. */
export class Table {
  rows = 0;
  parents = new Uint32Array(0);
  readonly values: (Values | string[])[];
  readonly nulls: Uint8Array[];
  #capacity = 0;
  #committed = 0;

  constructor(
    readonly fields: readonly LayoutField[],
    capacity: number,
  ) {
    this.values = fields.map(({ type }) => (type === "String" ? [] : new ARRAYS[type](0)));
    this.nulls = fields.map(() => new Uint8Array(0));
    this.#grow(Math.max(1, capacity));
  }

  /** Make room for `count` more rows of the packet that is being read. */
  reserve(count: number): void {
    const rows = this.rows + count;
    if (rows - this.#committed > MAX_ITEMS) fail(`a list is longer than ${MAX_ITEMS} items`);
    if (rows > this.#capacity) this.#grow(Math.max(rows, this.#capacity * 2));
  }

  commit(): void {
    this.#committed = this.rows;
  }

  /** Forget what was written since the last commit, rows begun included. */
  rollBack(): void {
    this.rows = this.#committed;
    for (const nulls of this.nulls) nulls.fill(0, this.rows);
    for (const values of this.values) if (Array.isArray(values)) values.length = this.rows;
  }

  finish(): ListBlock {
    const columns = new Map<string, Column>();
    for (const [k, { column, type }] of this.fields.entries()) {
      columns.set(column, finished(type, this.values[k]!, this.nulls[k]!.subarray(0, this.rows), this.rows));
    }
    return { rows: this.rows, columns, parents: this.parents.subarray(0, this.rows) };
  }

  #grow(capacity: number): void {
    for (const [k, { type }] of this.fields.entries()) {
      this.nulls[k] = enlarged(this.nulls[k]!, capacity);
      const values = this.values[k]!;
      if (!Array.isArray(values)) this.values[k] = enlarged(values, isBig(type) ? capacity * 2 : capacity);
    }
    this.parents = enlarged(this.parents, capacity);
    this.#capacity = capacity;
  }
}

function enlarged<T extends Values>(values: T, length: number): T {
  const larger = new (values.constructor as new (length: number) => T)(length);
  larger.set(values);
  return larger;
}

function finished(type: ElementType, values: Values | string[], nulls: Uint8Array, rows: number): Column {
  if (type === "String") return { type, values: values as string[], nulls };
  if (type === "Int64") return { type, values: new BigInt64Array((values as Values).buffer, 0, rows), nulls };
  if (type === "UInt64") return { type, values: new BigUint64Array((values as Values).buffer, 0, rows), nulls };
  return { type, values: (values as Values).subarray(0, rows), nulls };
}

/** The columns of one batch of packets of one layout; packets of different schemas may follow one another. */
export class Tables {
  readonly #tables: readonly Table[];

  constructor(
    readonly layout: Layout,
    packets: number,
  ) {
    this.#tables = [
      new Table(layout.fields, packets),
      ...layout.lists.map((list) => new Table(list.fields, packets * HISTORY_ROWS)),
    ];
  }

  /** Append one packet. Returns null, or what is wrong with its bytes; then the columns are as they were before. */
  append(reader: GeneratedReader, bytes: Uint8Array): string | null {
    try {
      this.#tables[0]!.reserve(1);
      // Always a plain Uint8Array: a Buffer beside it would make every access of the generated code polymorphic.
      const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
      reader(this.#tables, plain, new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
    } catch (error) {
      for (const table of this.#tables) table.rollBack();
      // RangeError: a DataView read past the end, or a schema that recurses without end.
      if (error instanceof MalformedError) return error.message;
      if (error instanceof RangeError) return "the bytes end before the record does";
      throw error;
    }
    for (const table of this.#tables) table.commit();
    return null;
  }

  finish(): Decoded {
    const [alerts, ...lists] = this.#tables.map((table) => table.finish());
    return { alerts: alerts!, lists: new Map(this.layout.lists.map(({ name }, i) => [name, lists[i]!])) };
  }
}
