// A catalog in memory: its positions as an index, its columns as the typed arrays that they came in. Loaded and asked by
// catalogs.ts.
import type { Catalog } from "../../domain/catalog.js";
import { ARRAY_OF, type Block, type Column, type ElementType } from "../../domain/columns.js";
import { buildSkyJoin, type SkyJoin } from "../../domain/skyjoin.js";
import type { CatalogStore } from "../../stores/catalogs.store.js";
import { type CatalogMatches, matchesAmong, radiiOf } from "./matches.js";

/** Bytes a source: position, row and cell in the index. A radius each and the columns come on top. */
const INDEX_BYTES = 24;
/** A text is taken to be about so long until the catalog has been read. */
const TEXT_BYTES = 24;
const BYTES_OF: Readonly<Record<ElementType, number>> = {
  ...{ Bool: 1, UInt8: 1, Int8: 1, Int16: 2, Int32: 4, UInt32: 4, Int64: 8, UInt64: 8, Float32: 4, Float64: 8 },
  String: TEXT_BYTES,
};

/** Memory that the catalog would take, before it is read. */
export function estimatedBytes({ rows, rule, idType, columns }: Catalog): number {
  const own = columns.reduce((sum, { type }) => sum + BYTES_OF[type], BYTES_OF[idType]);
  return rows * (INDEX_BYTES + (rule.kind === "distance" ? 4 : 0) + own);
}

export interface HeldCatalog {
  readonly bytes: number;
  match(ra: ArrayLike<number>, dec: ArrayLike<number>): CatalogMatches;
}

/** Read the catalog. Null where it turns out to take more than `mostBytes`, or `stopped` says that it is not wanted any more. */
export async function holdCatalog(
  store: Pick<CatalogStore, "read">,
  catalog: Catalog,
  mostBytes: number,
  stopped: () => boolean = () => false,
): Promise<HeldCatalog | null> {
  const parts: Part[] = [];
  const ra = new Positions(catalog.rows);
  const dec = new Positions(catalog.rows);
  const radii: Float32Array[] = [];
  const names = catalog.columns.map(({ name }) => name);
  let bytes = 0;
  for await (const block of store.read(catalog, names)) {
    if (stopped()) return null;
    const part = partOf(block, ra.count, names);
    bytes += part.bytes + INDEX_BYTES * block.rows;
    if (bytes > mostBytes) return null;
    parts.push(part);
    const radius = radiiOf(catalog, block);
    if (radius !== null) radii.push(radius);
    ra.add(block, "ra");
    dec.add(block, "dec");
  }
  const radiusArcsec = catalog.rule.kind === "radius" ? catalog.radiusArcsec : joinedRadii(radii);
  const index = await buildSkyJoin({ ra: ra.values(), dec: dec.values(), radiusArcsec });
  return new Held(catalog, parts, index, names);
}

class Held implements HeldCatalog {
  readonly bytes: number;

  constructor(
    private readonly catalog: Catalog,
    private readonly parts: readonly Part[],
    private readonly index: SkyJoin,
    private readonly names: readonly string[],
  ) {
    this.bytes = index.bytes + parts.reduce((sum, part) => sum + part.bytes, 0);
  }

  match(ra: ArrayLike<number>, dec: ArrayLike<number>): CatalogMatches {
    const found = this.index.join(ra, dec);
    const position = new Uint32Array(found.rows.length);
    for (let at = 0, of = 0; at < position.length; at++) {
      while (found.ends[of]! <= at) of++;
      position[at] = of;
    }
    const parts = Array.from(found.rows, (row) => this.#partOf(row));
    const columns = new Map<string, Column>();
    for (const name of ["id", ...this.names]) columns.set(name, this.#gather(name, found.rows, parts));
    columns.set("ra", { type: "Float64", values: found.ra, nulls: null });
    columns.set("dec", { type: "Float64", values: found.dec, nulls: null });
    const rows = { rows: position.length, columns };
    return matchesAmong(this.catalog, { ra, dec }, { position, separationArcsec: found.separationArcsec, rows });
  }

  /** Values of a column at rows, each of which lies in its part. */
  #gather(name: string, rows: Uint32Array, parts: readonly Part[]): Column {
    const type =
      name === "id" ? this.catalog.idType : this.catalog.columns.find((column) => column.name === name)!.type;
    const nulls = new Uint8Array(rows.length);
    const values = type === "String" ? new Array<string>(rows.length) : new ARRAY_OF[type](rows.length);
    let part: Part | undefined;
    let column: HeldColumn | undefined;
    for (let at = 0; at < rows.length; at++) {
      if (parts[at] !== part) {
        part = parts[at]!;
        column = part.columns.get(name)!;
      }
      const row = rows[at]! - part!.start;
      nulls[at] = column!.nulls?.[row] ?? 0;
      values[at] = column!.value(row);
    }
    return { type, values, nulls } as Column;
  }

  #partOf(row: number): Part {
    let low = 0;
    let high = this.parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.parts[middle]!.start <= row) low = middle;
      else high = middle - 1;
    }
    return this.parts[low]!;
  }
}

/** The rows of one block. */
interface Part {
  readonly start: number;
  readonly columns: ReadonlyMap<string, HeldColumn>;
  readonly bytes: number;
}
interface HeldColumn {
  readonly bytes: number;
  readonly nulls: Uint8Array | null;
  value(row: number): string | number | bigint;
}

function partOf(block: Block, start: number, names: readonly string[]): Part {
  const columns = new Map(["id", ...names].map((name) => [name, heldColumn(block, name)]));
  return { start, columns, bytes: [...columns.values()].reduce((sum, column) => sum + column.bytes, 0) };
}

function heldColumn(block: Block, name: string): HeldColumn {
  const column = block.columns.get(name);
  if (column === undefined) throw new Error(`The catalog's rows came without their column ${name}.`);
  const nulls = column.nulls?.includes(1) ? compact(column.nulls) : null;
  const missing = nulls?.byteLength ?? 0;
  if (column.type !== "String") {
    const values = compact(column.values as Float64Array);
    return { nulls, bytes: values.byteLength + missing, value: (row) => values[row]! };
  }
  // One pool of bytes: a million JavaScript strings would take several times as much.
  const ends = new Uint32Array(block.rows);
  let end = 0;
  for (let row = 0; row < block.rows; row++) {
    end += Buffer.byteLength(column.values[row]!);
    ends[row] = end;
  }
  // Joined they could be longer than a JavaScript string may be.
  const pool = Buffer.allocUnsafeSlow(end);
  for (let row = 0; row < block.rows; row++) pool.write(column.values[row]!, row === 0 ? 0 : ends[row - 1]!, "utf8");
  const value = (row: number) => pool.toString("utf8", row === 0 ? 0 : ends[row - 1]!, ends[row]!);
  return { nulls, bytes: pool.byteLength + ends.byteLength + missing, value };
}

/** An array that does not keep a larger buffer alive. */
const compact = <T extends Uint8Array | Float64Array>(values: T): T =>
  values.byteLength === values.buffer.byteLength ? values : (values.slice() as T);

/** Grows where the catalog has more rows than was told. */
class Positions {
  count = 0;
  #values: Float64Array;

  constructor(rows: number) {
    this.#values = new Float64Array(rows);
  }

  add(block: Block, name: string): void {
    const added = block.columns.get(name)!.values as Float64Array;
    if (this.count + added.length > this.#values.length) {
      const grown = new Float64Array(Math.max(this.count + added.length, 2 * this.#values.length));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values.set(added, this.count);
    this.count += added.length;
  }

  values(): Float64Array {
    return this.#values.subarray(0, this.count);
  }
}

function joinedRadii(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
