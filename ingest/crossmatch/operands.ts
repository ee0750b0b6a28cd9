// The list match.<catalog> of each active catalog, as filters read it. Told to filters/ by cli/.
import type { Catalog } from "../../domain/catalog.js";
import type { Operand, OperandList, OperandSource } from "../../domain/operand.js";
import type { CatalogStore } from "../../stores/catalogs.store.js";

/** Every survey's alerts are matched with every active catalog. */
export function matchOperands(store: Pick<CatalogStore, "active" | "onChange">): OperandSource {
  return {
    operands: () => ({ values: [], lists: store.active().map(matchList) }),
    onChange: (listener) => store.onChange(listener),
  };
}

/** Its list columns are `match.<catalog>.<field>`. */
export const matchList = (catalog: Catalog): OperandList => ({
  name: `match.${catalog.name}`,
  description: `Sources of ${catalog.title} ${reach(catalog)}, nearest first.`,
  order: "separation",
  fields: matchFields(catalog),
});

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

function reach({ rule, radiusArcsec, limit }: Catalog): string {
  const within =
    rule.kind === "radius"
      ? `within ${radiusArcsec} arcsec`
      : `within ${rule.kpc} kpc at their distance, at most ${radiusArcsec} arcsec`;
  return limit === null ? within : `${within}, at most ${limit}`;
}
