// Sources of a catalog near positions: a join by cells of the sky, as wide as the radius asks. Called by catalogs.ts, and its
// parts by archival.near.ts.
import type { Catalog } from "../../domain/catalog.js";
import type { Block, Column } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { coneRanges, HEALPIX_ORDER, pixelsAround } from "../../domain/healpix.js";
import { normaliseRa } from "../../domain/sky.js";
import { type Cone, MAX_RADIUS_ARCSEC } from "../../domain/skyobject.js";
import type { NearbySources, SourceKey, SourcePage } from "../catalogs.store.js";
import { blockOf, counts, floats, numbers, unsigned } from "./blocks.js";
import { CATALOG_ORDER, tableOf } from "./catalogs.table.js";
import type { ArchiveClient } from "./client.js";
import { cellClause, SEPARATION } from "./cones.js";
import { quoted } from "./http.form.js";

/** Positions that one statement is asked for. */
export const POSITIONS = 20_000;
const TIMEOUT_MS = 120_000;
/** Side of a base pixel, arcsec: that of a cell of order o is this / 2^o. */
const BASE_ARCSEC = 58.6 * 3600;

/** The finest order whose cells are at least as wide as the radius: then a cone touches about nine of them. */
function orderFor(radiusArcsec: number): number {
  const order = Math.floor(Math.log2(BASE_ARCSEC / Math.max(radiusArcsec, 1e-3)));
  return Math.max(0, Math.min(CATALOG_ORDER, order));
}

/** Cells of this order that hold every position of the cone. */
function cellsOf(ra: number, dec: number, radiusArcsec: number, order: number): number[] {
  const near = pixelsAround(ra, dec, radiusArcsec / 3600, order);
  if (near !== null) return near;
  const bits = BigInt(2 * (HEALPIX_ORDER - order));
  const cells = new Set<number>();
  for (const { start, end } of coneRanges(ra, dec, radiusArcsec / 3600)) {
    for (let cell = start >> bits; cell <= (end - 1n) >> bits; cell++) cells.add(Number(cell));
  }
  return [...cells];
}

export interface Positions {
  readonly ra: Float64Array;
  readonly dec: Float64Array;
  readonly radiusArcsec: Float64Array | number;
}

/** Columns beside the catalog's own, by names that none of these can have. */
export const NEAR = {
  n: "near-n",
  place: "near-place",
  ra: "near-ra",
  dec: "near-dec",
  radius: "near-radius",
  separation: "near-separation",
} as const;
const { n: N, place: PLACE, ra: CONE_RA, dec: CONE_DEC, radius: RADIUS, separation: SEPARATED } = NEAR;

/** One row for each cell that a position's cone touches: the cell, and what the exact separation needs. */
export function wantedCells(
  { ra, dec, radiusArcsec }: Positions,
  from: number,
  to: number,
): { block: Block; order: number } {
  checkRadius(radiusArcsec);
  const radiusOf = (n: number) => (typeof radiusArcsec === "number" ? radiusArcsec : radiusArcsec[n]!);
  let widest = 0;
  for (let n = from; n < to; n++) widest = Math.max(widest, radiusOf(n));
  const order = orderFor(widest);
  const [numbersOf, cells]: [number[], number[]] = [[], []];
  for (let n = from; n < to; n++) {
    if (!Number.isFinite(ra[n]!) || !(Math.abs(dec[n]!) <= 90)) continue;
    for (const cell of cellsOf(ra[n]!, dec[n]!, radiusOf(n), order)) {
      numbersOf.push(n);
      cells.push(cell);
    }
  }
  const columns = {
    [N]: counts(Uint32Array.from(numbersOf)),
    [PLACE]: unsigned(BigUint64Array.from(cells, BigInt)),
    [CONE_RA]: floats(Float64Array.from(numbersOf, (n) => normaliseRa(ra[n]!))),
    [CONE_DEC]: floats(Float64Array.from(numbersOf, (n) => dec[n]!)),
    [RADIUS]: floats(Float64Array.from(numbersOf, radiusOf)),
  };
  return { block: blockOf(numbersOf.length, columns), order };
}

/** Arcsec between the columns ra, dec and the position of the row of `wanted`. */
export const PAIR_SEPARATION = SEPARATION.replaceAll("{coneRa:Float64}", quoted(CONE_RA)).replaceAll(
  "{coneDec:Float64}",
  quoted(CONE_DEC),
);

export async function near(
  client: ArchiveClient,
  catalog: Catalog,
  positions: Positions,
  columns: readonly string[],
  limit: number | null,
): Promise<NearbySources> {
  const blocks: Block[] = [];
  for (let from = 0; from < positions.ra.length; from += POSITIONS) {
    const { block, order } = wantedCells(positions, from, Math.min(from + POSITIONS, positions.ra.length));
    if (block.rows === 0) continue;
    const found = await client.query(
      nearText(catalog, columns, order, limit),
      {},
      { external: [{ name: "wanted", block }], timeoutMs: TIMEOUT_MS },
    );
    if (found.rows > 0) blocks.push(found);
  }
  const all = joined(blocks);
  const { [N]: n, [SEPARATED]: separation, ...rows } = Object.fromEntries(all.columns);
  return {
    position: (n?.values as Uint32Array | undefined) ?? new Uint32Array(0),
    separationArcsec: (separation?.values as Float64Array | undefined) ?? new Float64Array(0),
    rows: { rows: all.rows, columns: new Map(Object.entries(rows)) },
  };
}

function nearText(catalog: Catalog, columns: readonly string[], order: number, limit: number | null): string {
  const place = `intDiv(cell, ${4 ** (CATALOG_ORDER - order)})`;
  const kept = ["id", "ra", "dec", ...columns].map(quoted).join(", ");
  const most = limit === null ? "" : `LIMIT ${Math.floor(limit)} BY ${quoted(N)}`;
  // A step of declination first: the rest is worth its cosines for few.
  const [n, cell, radius, separation] = [N, PLACE, RADIUS, SEPARATED].map(quoted);
  return `SELECT ${n}, ${PAIR_SEPARATION} AS ${separation}, ${kept}
    FROM (SELECT ${place} AS ${cell}, ${kept} FROM ${quoted(tableOf(catalog))} WHERE ${place} IN (SELECT ${cell} FROM wanted)) AS sources
    INNER JOIN wanted USING (${cell})
    WHERE abs(dec - ${quoted(CONE_DEC)}) * 3600 <= ${radius} + 1e-3 AND ${separation} <= ${radius}
    ORDER BY ${n}, ${separation}, id ${most}
    SETTINGS enable_analyzer = 0`;
}

export async function conePage(
  client: ArchiveClient,
  catalog: Catalog,
  cone: Cone,
  first: number,
  after: SourceKey | null,
): Promise<SourcePage> {
  const cells = cellClause(cone);
  const own = catalog.columns.map(({ name }) => quoted(name));
  const separation = quoted(SEPARATED);
  const later =
    after === null
      ? ""
      : `AND (${separation} > {afterSeparation:Float64}
          OR (${separation} = {afterSeparation:Float64} AND id > {afterId:${catalog.idType}}))`;
  const block = await client.query(
    `SELECT ${SEPARATION} AS ${separation}, ${["id", "ra", "dec", ...own].join(", ")}
    FROM ${quoted(tableOf(catalog))}
    WHERE ${cells.sql} AND ${separation} <= {radiusArcsec:Float64} ${later}
    ORDER BY ${separation}, id LIMIT {first:UInt32}
    SETTINGS enable_analyzer = 0`,
    {
      ...cells.parameters,
      first: first + 1,
      ...(after !== null && { afterSeparation: after.separationArcsec, afterId: after.id }),
    },
  );
  const rows = Math.min(first, block.rows);
  const { [SEPARATED]: _, ...columns } = Object.fromEntries(block.columns);
  return {
    separationArcsec: numbers(block, SEPARATED).slice(0, rows) as Float64Array,
    rows: { rows, columns: new Map(Object.entries(columns).map(([name, column]) => [name, cut(column, rows)])) },
    hasMore: block.rows > first,
  };
}

function cut(column: Column, rows: number): Column {
  return { ...column, values: column.values.slice(0, rows), nulls: column.nulls?.slice(0, rows) ?? null } as Column;
}

function checkRadius(radiusArcsec: Float64Array | number): void {
  const radii = typeof radiusArcsec === "number" ? [radiusArcsec] : radiusArcsec;
  for (const radius of radii) {
    if (radius >= 0 && radius <= MAX_RADIUS_ARCSEC) continue;
    const message = `radiusArcsec must lie between 0 and ${MAX_RADIUS_ARCSEC}, not ${radius}.`;
    throw new TocsinError("BAD_ARGUMENT", message);
  }
}

/** Blocks of the same columns as one. */
function joined(blocks: readonly Block[]): Block {
  if (blocks.length <= 1) return blocks[0] ?? { rows: 0, columns: new Map() };
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const columns = [...blocks[0]!.columns.keys()].map((name) => {
    const parts = blocks.map((block) => block.columns.get(name)!);
    return [name, concatenated(parts, rows)] as const;
  });
  return { rows, columns: new Map(columns) };
}

function concatenated(parts: readonly Column[], rows: number): Column {
  const { type, values, nulls } = parts[0]!;
  const lists = parts.map((part) => part.values);
  const allNulls =
    nulls === null
      ? null
      : filled(
          new Uint8Array(rows),
          parts.map((part) => part.nulls!),
        );
  if (type === "String") return { type, values: (lists as (readonly string[])[]).flat(), nulls: allNulls };
  const Class = values.constructor as new (length: number) => Float64Array;
  return { type, values: filled(new Class(rows), lists as Float64Array[]), nulls: allNulls } as Column;
}

function filled<A extends { set(from: A, at: number): void; readonly length: number }>(all: A, parts: readonly A[]): A {
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
