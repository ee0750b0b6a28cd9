// The rule of a catalog applied to what lies near: which sources match a position, in one order whoever found them.
// Called by held.ts and asked.ts, so that a catalog in memory and one in the archive match alike.
import { type Catalog, type DistanceRule, distanceRadiusArcsec, ellipseOf } from "../../domain/catalog.js";
import type { Block, Column } from "../../domain/columns.js";
import { type Ellipse, isInEllipse } from "../../domain/ellipse.js";
import { MAX_MATCHES } from "../../domain/skyjoin.js";
import { takeRows } from "../rows.js";

/** Sources near positions: `position` ascending, one row for each: id, ra, dec and the catalog's columns. */
export interface Candidates {
  readonly position: ArrayLike<number>;
  /** As domain/sky.ts computes it, from the position to the source. */
  readonly separationArcsec: ArrayLike<number>;
  readonly rows: Block;
}

/** Position i's matches are items ends[i - 1] (0 for the first) up to ends[i]: nearest first, then by id. */
export interface CatalogMatches {
  readonly ends: Uint32Array;
  readonly separationArcsec: Float64Array;
  /** id, ra, dec and the catalog's columns. */
  readonly rows: Block;
  /** Of a catalog with a distance rule: projected, NaN where the distance is unknown or too near to tell. */
  readonly distanceKpc: Float64Array | null;
}

/** Below, redshift tells of motion rather than of distance. */
const LEAST_REDSHIFT = 0.005;
const RADIANS = Math.PI / 180;

/** Positions that are matched, degrees ICRS. */
export interface Positions {
  readonly ra: ArrayLike<number>;
  readonly dec: ArrayLike<number>;
}

/**
 * How far from each source (arcsec) anything can match it, by the columns of the distance rule; NaN where nothing can. Null:
 * the catalog's radius holds for all. As 32-bit floats, which is how an index in memory keeps them.
 */
export function radiiOf(catalog: Catalog, rows: Block): Float32Array | null {
  if (catalog.rule.kind === "radius") return null;
  const { circle, ellipse } = reachesOf(catalog.rule, rows);
  return Float32Array.from({ length: rows.rows }, (_, row) => {
    const widest = Math.max(circle(row), ellipse(row)?.semiMajorArcsec ?? 0);
    return widest > 0 ? Math.min(widest, catalog.radiusArcsec) : Number.NaN;
  });
}

/** Of a row: the radius in arcsec by its distance (0 where it is unknown), and how it extends. */
function reachesOf(rule: DistanceRule, rows: Block) {
  const distance = numbersOf(rows, rule.column);
  const circle = (row: number): number => distanceRadiusArcsec(rule, distance(row));
  const { ellipse: columns } = rule;
  if (columns === undefined) return { circle, ellipse: () => null };
  const [axis, ratio, angle] = [columns.axis, columns.ratio, columns.angle].map((name) => numbersOf(rows, name));
  return { circle, ellipse: (row: number): Ellipse | null => ellipseOf(columns, axis!(row), ratio!(row), angle!(row)) };
}

/** The matches among the candidates of the positions. The candidates may lie too far or in any order of separation. */
export function matchesAmong(catalog: Catalog, positions: Positions, candidates: Candidates): CatalogMatches {
  const within = ruleOf(catalog, positions, candidates);
  const kept: number[] = [];
  for (let row = 0; row < candidates.rows.rows; row++) if (within(row)) kept.push(row);
  return arranged(catalog, positions.ra.length, candidates, kept);
}

/** Whether a candidate matches its position. */
function ruleOf(catalog: Catalog, { ra, dec }: Positions, candidates: Candidates): (row: number) => boolean {
  const { rule, radiusArcsec } = catalog;
  const { position, separationArcsec: separation, rows } = candidates;
  if (rule.kind === "radius") return (row) => separation[row]! <= radiusArcsec;
  const radii = radiiOf(catalog, rows)!;
  if (rule.ellipse === undefined) return (row) => separation[row]! <= radii[row]!;
  const { circle, ellipse } = reachesOf(rule, rows);
  const [sourceRa, sourceDec] = [numbersOf(rows, "ra"), numbersOf(rows, "dec")];
  return (row) => {
    if (!(separation[row]! <= radii[row]!)) return false;
    if (separation[row]! <= Math.fround(circle(row))) return true;
    const own = ellipse(row);
    const at = position[row]!;
    return own !== null && isInEllipse(own, sourceRa(row), sourceDec(row), ra[at]!, dec[at]!);
  };
}

/** The candidates `kept`, at most as many of a position as the catalog's limit, in their order. */
export function arranged(catalog: Catalog, positions: number, candidates: Candidates, kept: number[]): CatalogMatches {
  const { position, separationArcsec: separation, rows } = candidates;
  const nearestFirst = byNearness(candidates);
  if (!kept.every((row, n) => n === 0 || nearestFirst(kept[n - 1]!, row) <= 0)) kept.sort(nearestFirst);
  const most = Math.min(catalog.limit ?? MAX_MATCHES, MAX_MATCHES);
  const ends = new Uint32Array(positions);
  const taken: number[] = [];
  let of = -1;
  let count = 0;
  for (const row of kept) {
    if (position[row] !== of) {
      of = position[row]!;
      count = 0;
    }
    if (count++ >= most) continue;
    taken.push(row);
    ends[of]!++;
  }
  for (let at = 1; at < positions; at++) ends[at]! += ends[at - 1]!;
  const own = taken.length === rows.rows && taken.every((row, n) => row === n);
  const separations = Float64Array.from(taken, (row) => separation[row]!);
  const matched = own ? rows : takeRows(rows, Uint32Array.from(taken));
  return { ends, separationArcsec: separations, rows: matched, distanceKpc: kpcOf(catalog, separations, matched) };
}

function byNearness({ position, separationArcsec, rows }: Candidates): (a: number, b: number) => number {
  const id = rows.columns.get("id")?.values ?? [];
  return (a, b) =>
    position[a]! - position[b]! ||
    separationArcsec[a]! - separationArcsec[b]! ||
    (id[a]! < id[b]! ? -1 : id[a]! > id[b]! ? 1 : 0);
}

/** With redshift, the field's 1 kpc = 1 arcsec at z = 0.05. */
function kpcOf({ rule }: Catalog, separation: Float64Array, rows: Block): Float64Array | null {
  if (rule.kind === "radius") return null;
  const distance = numbersOf(rows, rule.column);
  return separation.map((arcsec, row) => {
    const value = distance(row);
    if (rule.by === "redshift") return value > LEAST_REDSHIFT ? (arcsec * value) / 0.05 : Number.NaN;
    return value > 0 ? Math.tan((arcsec / 3600) * RADIANS) * value * 1000 : Number.NaN;
  });
}

/** Value of a row, NaN where it is missing. */
export function numbersOf(rows: Block, name: string): (row: number) => number {
  const column: Column | undefined = rows.columns.get(name);
  if (column === undefined) return () => Number.NaN;
  return (row) => (column.nulls?.[row] ? Number.NaN : Number(column.values[row]));
}
