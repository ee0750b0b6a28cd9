// SQL of positions: the cells of a cone, and the exact separation. Used by objects.ts and alerts.page.ts.
import { TocsinError } from "../../domain/errors.js";
import { coneRanges } from "../../domain/healpix.js";
import { type Cone, MAX_RADIUS_ARCSEC } from "../../domain/skyobject.js";
import type { Parameter } from "./client.js";

/** The table `positions` is ordered by cells of order 16: an order-29 pixel without its last 26 bits. */
const CELL_BITS = 26n;

export interface CellRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Inclusive ranges of cells that hold every position within the radius, ascending and apart. */
export function coneCells(ra: number, dec: number, radiusArcsec: number, maxRanges?: number): CellRange[] {
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

/** A condition on `cell` with its bound values. */
export function cellClause(cone: Cone): { sql: string; parameters: Record<string, Parameter> } {
  checkCone(cone);
  const parameters: Record<string, Parameter> = {};
  const ranges = coneCells(cone.ra, cone.dec, cone.radiusArcsec).map(({ first, last }, n) => {
    parameters[`first${n}`] = first;
    parameters[`last${n}`] = last;
    return `cell BETWEEN {first${n}:UInt64} AND {last${n}:UInt64}`;
  });
  return { sql: `(${ranges.join(" OR ")})`, parameters };
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
