// Andromeda and Triangulum are wider than any radius: a catalog of galaxies matches with its source of one everywhere within
// its ellipse, whether the catalog tells of axes or not. Called by catalogs.ts around every match.
import { type Catalog, type DistanceRule, isNear } from "../../domain/catalog.js";
import type { Block, Column } from "../../domain/columns.js";
import { GIANTS, isInEllipse } from "../../domain/ellipse.js";
import { separationArcsec } from "../../domain/sky.js";
import { takeRows } from "../rows.js";
import { arranged, type CatalogMatches, numbersOf } from "./matches.js";

/** A near source that lies so near a giant's centre is the giant: catalogs differ by some arcsec. */
const SAME_ARCSEC = 30;

interface Places {
  readonly ra: Float64Array;
  readonly dec: Float64Array;
}

/** What `match` finds for the positions, and for those within a giant the catalog's source of it. */
export async function withGiants(
  catalog: Catalog,
  positions: Places,
  match: (positions: Places) => Promise<CatalogMatches>,
): Promise<CatalogMatches> {
  const found = await match(positions);
  const { rule } = catalog;
  if (rule.kind === "radius") return found;
  const inside = insideOf(positions);
  if (inside.length === 0) return found;
  const centres = await match({
    ra: Float64Array.from(GIANTS, ({ ra }) => ra),
    dec: Float64Array.from(GIANTS, ({ dec }) => dec),
  });
  const sources = GIANTS.map((_, giant) => sourceOf(rule, centres, giant));
  const ids = centres.rows.columns.get("id")!.values;
  const added = inside
    .map(({ at, giant }) => ({ at, row: sources[giant]! }))
    .filter(({ at, row }) => row !== null && !isAmong(found, at, ids[row]!)) as { at: number; row: number }[];
  return added.length === 0 ? found : joined(catalog, positions, found, centres.rows, added);
}

function insideOf({ ra, dec }: Places): { at: number; giant: number }[] {
  const inside: { at: number; giant: number }[] = [];
  for (let at = 0; at < ra.length; at++) {
    for (const [giant, { ellipse, ...centre }] of GIANTS.entries()) {
      if (Math.abs(dec[at]! - centre.dec) * 3600 > ellipse.semiMajorArcsec) continue;
      if (isInEllipse(ellipse, centre.ra, centre.dec, ra[at]!, dec[at]!)) inside.push({ at, giant });
    }
  }
  return inside;
}

/** The near source that is nearest to the giant's centre; null where the catalog does not have it. */
function sourceOf(rule: DistanceRule, { ends, separationArcsec, rows }: CatalogMatches, giant: number): number | null {
  const distance = numbersOf(rows, rule.column);
  for (let row = giant === 0 ? 0 : ends[giant - 1]!; row < ends[giant]!; row++) {
    if (separationArcsec[row]! > SAME_ARCSEC) return null;
    if (isNear(rule, distance(row))) return row;
  }
  return null;
}

function isAmong({ ends, rows }: CatalogMatches, at: number, id: Column["values"][number]): boolean {
  const ids = rows.columns.get("id")!.values;
  for (let row = at === 0 ? 0 : ends[at - 1]!; row < ends[at]!; row++) if (ids[row] === id) return true;
  return false;
}

function joined(
  catalog: Catalog,
  { ra, dec }: Places,
  found: CatalogMatches,
  sources: Block,
  added: readonly { at: number; row: number }[],
): CatalogMatches {
  const more = takeRows(
    sources,
    Uint32Array.from(added, ({ row }) => row),
  );
  const [sourceRa, sourceDec] = [numbersOf(more, "ra"), numbersOf(more, "dec")];
  const rows = stacked(found.rows, more);
  const position: number[] = [];
  for (const [at, end] of found.ends.entries()) while (position.length < end) position.push(at);
  const separation = added.map(({ at }, n) => separationArcsec(ra[at]!, dec[at]!, sourceRa(n), sourceDec(n)));
  const candidates = {
    position: [...position, ...added.map(({ at }) => at)],
    separationArcsec: [...found.separationArcsec, ...separation],
    rows,
  };
  return arranged(
    catalog,
    ra.length,
    candidates,
    Array.from({ length: rows.rows }, (_, row) => row),
  );
}

/** The rows of the one below those of the other, which has the same columns. */
function stacked(above: Block, below: Block): Block {
  if (above.rows === 0) return below;
  const columns = new Map<string, Column>();
  for (const [name, { type, values, nulls }] of above.columns) {
    const other = below.columns.get(name)!;
    const all = [values, other.values] as const;
    const one = type === "String" ? all.flat() : stackedNumbers(all as readonly [Float64Array, Float64Array]);
    const missing =
      nulls === null && other.nulls === null
        ? null
        : stackedNumbers([nulls ?? new Uint8Array(above.rows), other.nulls ?? new Uint8Array(below.rows)]);
    columns.set(name, { type, values: one, nulls: missing } as Column);
  }
  return { rows: above.rows + below.rows, columns };
}

function stackedNumbers<T extends Float64Array | Uint8Array>([above, below]: readonly [T, T]): T {
  const made = new (above.constructor as new (length: number) => T)(above.length + below.length);
  made.set(above);
  made.set(below, above.length);
  return made;
}
