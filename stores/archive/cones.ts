// SQL of positions: the cells of a cone, and the exact separation. Used by objects.ts and alerts.page.ts.
import { TocsinError } from "../../domain/errors.js";
import { coneRanges, HEALPIX_ORDER, pixelsAround } from "../../domain/healpix.js";
import { type Cone, MAX_RADIUS_ARCSEC } from "../../domain/skyobject.js";
import type { Parameter } from "./client.js";

/** The table `positions` is ordered by cells of this order, of 3.2": an order-29 pixel without its last 26 bits. */
const CELL_ORDER = 16;
const CELL_BITS = BigInt(2 * (HEALPIX_ORDER - CELL_ORDER));

interface CellRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Inclusive ranges of cells that hold every position within the radius, ascending and apart. */
function coneCells(ra: number, dec: number, radiusArcsec: number, maxRanges: number): CellRange[] {
  const cells: { first: bigint; last: bigint }[] = [];
  for (const { start, end } of coneRanges(ra, dec, radiusArcsec / 3600, maxRanges)) {
    const first = start >> CELL_BITS;
    const last = (end - 1n) >> CELL_BITS;
    const previous = cells.at(-1);
    if (previous !== undefined && first <= previous.last + 1n) previous.last = last;
    else cells.push({ first, last });
  }
  return cells;
}

/** More ranges fit the circle better and take longer to plan than they save to read. */
const RANGES = 16;
/** From here on it pays to leave out the rim of the cover before the candidates are looked up. */
const WIDE_ARCSEC = 300;

export interface Clause {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
}

/** A condition on `positions` that is met in every cell that the cone touches, and in few others. Binds SEPARATION's values. */
export function cellClause(cone: Cone): Clause {
  checkCone(cone);
  const { ra, dec, radiusArcsec } = cone;
  const parameters: Record<string, Parameter> = { coneRa: ra, coneDec: dec, radiusArcsec };
  const ranges = coneCells(ra, dec, radiusArcsec, RANGES).map(({ first, last }, n) => {
    parameters[`first${n}`] = first;
    parameters[`last${n}`] = last;
    return `cell BETWEEN {first${n}:UInt64} AND {last${n}:UInt64}`;
  });
  return { sql: `(${ranges.join(" OR ")})`, parameters };
}

/** The same, without rows whose own position lies outside: enough for objects, which are where their row is. */
export function positionClause(cone: Cone): Clause {
  const cells = cellClause(cone);
  if (cone.radiusArcsec < WIDE_ARCSEC) return cells;
  return { ...cells, sql: `${cells.sql} AND ${SEPARATION} <= {radiusArcsec:Float64} + 1e-6` };
}

/** The cells that hold every position within a small radius. */
export function cellsAround(ra: number, dec: number, radiusArcsec: number): number[] {
  const cells = pixelsAround(ra, dec, radiusArcsec / 3600, CELL_ORDER);
  if (cells !== null) return cells;
  return coneCells(ra, dec, radiusArcsec, RANGES).flatMap(({ first, last }) =>
    Array.from({ length: Number(last - first) + 1 }, (_, n) => Number(first) + n),
  );
}

export function checkCone({ ra, dec, radiusArcsec }: Cone): void {
  if (!Number.isFinite(ra)) throw new TocsinError("BAD_ARGUMENT", `ra must be a number of degrees, not ${ra}.`);
  if (!(dec >= -90 && dec <= 90)) throw new TocsinError("BAD_ARGUMENT", `dec must lie in -90 to 90, not ${dec}.`);
  if (!(radiusArcsec >= 0 && radiusArcsec <= MAX_RADIUS_ARCSEC)) {
    throw new TocsinError(
      "BAD_ARGUMENT",
      `radiusArcsec must lie between 0 and ${MAX_RADIUS_ARCSEC}, not ${radiusArcsec}.`,
    );
  }
}

/** Arcsec between the columns ra, dec and the bound coneRa, coneDec: Vincenty's form, as domain/sky.ts has it. */
export const SEPARATION = `
degrees(atan2(
  hypot(
    cos(radians(dec)) * sin(radians(ra - {coneRa:Float64})),
    cos(radians({coneDec:Float64})) * sin(radians(dec))
      - sin(radians({coneDec:Float64})) * cos(radians(dec)) * cos(radians(ra - {coneRa:Float64}))
  ),
  sin(radians({coneDec:Float64})) * sin(radians(dec))
    + cos(radians({coneDec:Float64})) * cos(radians(dec)) * cos(radians(ra - {coneRa:Float64}))
)) * 3600`;
