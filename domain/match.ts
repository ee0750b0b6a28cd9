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
