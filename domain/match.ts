// A source of a catalog near an alert, as filters read it. Used by ingest/crossmatch (makes matches) and by
// stores/archive/enriched (reads those that were kept).
import type { Catalog } from "./catalog.js";
import type { ElementType } from "./columns.js";
import type { Operand } from "./operand.js";

/** Fields of a match, those of every catalog first. A column of the same name does not hide them. */
export function matchFields({ rule, idType, columns }: Catalog): Operand[] {
  const field = (name: string, unit: string | null, description: string): Operand => {
    return { name, type: "Float64", nullable: false, unit, description };
  };
  const own: Operand[] = [
    field("separationArcsec", "arcsec", "Distance from the alert."),
    { name: "id", type: idType, nullable: false, unit: null, description: "The catalog's id of the source." },
    field("ra", "deg", "Right ascension of the source, ICRS."),
    field("dec", "deg", "Declination of the source, ICRS."),
  ];
  if (rule.kind === "distance") {
    const description = "Projected distance from the alert; missing where the source's distance is not known.";
    own.push({ ...field("distanceKpc", "kpc", description), nullable: true });
  }
  const taken = new Set(own.map(({ name }) => name));
  const kept = columns.filter(({ name }) => !taken.has(name));
  return [...own, ...kept.map((column) => ({ ...column, nullable: true }))];
}

/** Fields that the archive keeps as text: text, and integers that a 64-bit float does not hold. */
export const isKeptAsText = (type: ElementType): boolean => type === "String" || type === "Int64" || type === "UInt64";

/** What the choice of a host asks of a match. */
export interface HostCandidate {
  readonly catalog: string;
  readonly separationArcsec: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The galaxy that a position most likely lies in: of the matches with catalogs of galaxies (those that match by distance),
 * the one nearest in projected length. Galaxies too near to tell a length come before all others, as BOOM ranks them; then
 * by separation. Null where there is none.
 */
export function hostOf<M extends HostCandidate>(matches: readonly M[], catalogs: readonly Catalog[]): M | null {
  const galaxies = new Set(catalogs.filter(({ rule }) => rule.kind === "distance").map(({ name }) => name));
  let host: M | null = null;
  for (const match of matches) {
    if (galaxies.has(match.catalog) && (host === null || isNearer(match, host))) host = match;
  }
  return host;
}

/** Projected distance from the galaxy in kpc; null where the galaxy is too near to tell. */
export function kpcOf({ fields: { distanceKpc } }: HostCandidate): number | null {
  return typeof distanceKpc === "number" ? distanceKpc : null;
}

function isNearer(a: HostCandidate, b: HostCandidate): boolean {
  const [own, other] = [kpcOf(a) ?? -1, kpcOf(b) ?? -1];
  return own === other ? a.separationArcsec < b.separationArcsec : own < other;
}
