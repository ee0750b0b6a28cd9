// The list match.<catalog> of each active catalog, as filters read it. Told to filters/ by cli/.
import type { Catalog } from "../../domain/catalog.js";
import { matchFields } from "../../domain/match.js";
import type { OperandList, OperandSource } from "../../domain/operand.js";
import type { CatalogStore } from "../../stores/catalogs.store.js";

/** Every survey's alerts are matched with every active catalog. */
export function matchOperands(store: Pick<CatalogStore, "active" | "onChange">): OperandSource {
  return {
    operands: () => ({ values: [], lists: store.active().map(matchList) }),
    onChange: (listener) => store.onChange(listener),
  };
}

/** Its list columns are `match.<catalog>.<field>`. */
const matchList = (catalog: Catalog): OperandList => ({
  name: `match.${catalog.name}`,
  description: `Sources of ${catalog.title} ${reach(catalog)}, nearest first.`,
  order: "separation",
  fields: matchFields(catalog),
});

function reach({ rule, radiusArcsec, limit }: Catalog): string {
  const within =
    rule.kind === "radius"
      ? `within ${radiusArcsec} arcsec`
      : `within ${rule.kpc} kpc at their distance${rule.ellipse === undefined ? "" : " or within their ellipse"}, at most ${radiusArcsec} arcsec`;
  return limit === null ? within : `${within}, at most ${limit}`;
}
