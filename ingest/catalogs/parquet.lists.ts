// Columns of a Parquet file that hold a list in each row. A row group's lists are decoded at once, one column after the
// other, into plain arrays of numbers. Called by parquet.ts.
import { type AsyncBuffer, type FileMetaData, parquetScan, type SchemaTree } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { Column, ElementType, ListColumn } from "../../domain/columns.js";
import { readable, typeOf } from "./parquet.types.js";
import { badCatalog, listed, type TableColumn } from "./table.js";
import { valuesColumn } from "./values.js";

/** Values of a list column in a row group: some 12 bytes each are held while it is decoded. */
const MOST_VALUES = 100_000_000;

export interface RowRange {
  readonly file: string;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  /** Rows within one row group. */
  readonly start: number;
  readonly end: number;
}

/** Of a list of plain values: its own group, one that is repeated, the value; or a repeated value. Else null. */
export function itemType({ element, children }: SchemaTree): ElementType | null {
  if (children.length === 0) return element.repetition_type === "REPEATED" ? typeOf(element) : null;
  const [middle] = children;
  if (children.length !== 1 || middle!.element.repetition_type !== "REPEATED") return null;
  if (middle!.children.length === 0) return typeOf(middle!.element);
  const [item] = middle!.children;
  const isPlain = middle!.children.length === 1 && item!.children.length === 0;
  return isPlain && item!.element.repetition_type !== "REPEATED" ? typeOf(item!.element) : null;
}

export function listNamed(columns: readonly TableColumn[], name: string, file: string): TableColumn {
  const found = columns.find((column) => column.name === name);
  if (found?.items !== undefined) return found;
  const why = found === undefined ? `there is no such column; there are ${listed(columns)}.` : "it holds no lists.";
  throw badCatalog(why, { file, column: name });
}

/** The lists of these rows; a missing list is an empty one. */
export async function listColumn(range: RowRange, { name, items }: TableColumn): Promise<ListColumn> {
  const { file, buffer, metadata, start, end } = range;
  refuseLarge(range, name);
  // A scan of its own, because it keeps what it decoded last.
  const lists = await readable(file, async () => {
    const scan = await parquetScan({
      file: buffer,
      metadata,
      columns: [name],
      compressors,
      utf8: true,
      useOffsetIndex: false,
    });
    return scan.readColumn({ column: name, rowStart: start, rowEnd: end });
  });
  if (lists.length < end - start) throw badCatalog("it has fewer values than rows.", { file, column: name });
  const ends = new Uint32Array(end - start);
  let count = 0;
  for (let row = 0; row < ends.length; row++) {
    count += (lists[row] as ArrayLike<unknown> | null | undefined)?.length ?? 0;
    ends[row] = count;
  }
  return { ends, items: flattened(lists as ArrayLike<ArrayLike<unknown> | null>, count, items!, file, name) };
}

const FLOATS = { Float32: Float32Array, Float64: Float64Array, Int32: Int32Array } as const;

function flattened(
  lists: ArrayLike<ArrayLike<unknown> | null>,
  count: number,
  type: ElementType,
  file: string,
  column: string,
): Column {
  if (type !== "Float32" && type !== "Float64" && type !== "Int32") {
    const all: unknown[] = [];
    for (let row = 0; row < lists.length; row++) for (const value of Array.from(lists[row] ?? [])) all.push(value);
    return valuesColumn(all, 0, count, type, { file, column });
  }
  const values = new FLOATS[type](count);
  const nulls = new Uint8Array(count);
  let at = 0;
  for (let row = 0; row < lists.length; row++) {
    const list = lists[row];
    if (list == null) continue;
    for (let n = 0; n < list.length; n++, at++) {
      const value = list[n];
      if (value === null || value === undefined) nulls[at] = 1;
      else values[at] = Number(value);
    }
  }
  return { type, values, nulls } as Column;
}

/** `count` rows from `from` on; the items are shared, not copied. */
export function listRows({ ends, items }: ListColumn, from: number, count: number): ListColumn {
  const first = from === 0 ? 0 : ends[from - 1]!;
  const last = count === 0 ? first : ends[from + count - 1]!;
  const values = items.type === "String" ? items.values.slice(first, last) : items.values.subarray(first, last);
  return {
    ends: ends.slice(from, from + count).map((end) => end - first),
    items: { ...items, values, nulls: items.nulls?.subarray(first, last) ?? null } as Column,
  };
}

function refuseLarge({ file, metadata, start }: RowRange, column: string): void {
  let row = 0;
  for (const group of metadata.row_groups) {
    row += Number(group.num_rows);
    if (start >= row) continue;
    const chunk = group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column);
    const values = Number(chunk?.meta_data?.num_values ?? 0);
    if (values <= MOST_VALUES) return;
    throw badCatalog(
      `a row group holds ${values} values in lists; at most ${MOST_VALUES} can be held at once.`,
      { file, column },
      "Write it with smaller row groups, as with pyarrow.parquet.write_table(table, path, row_group_size=20000).",
    );
  }
}
