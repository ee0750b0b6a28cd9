// A catalog that does not fit into memory: the archive is asked, one query for all positions. Called by catalogs.ts.
import type { Catalog } from "../../domain/catalog.js";
import type { Block, Column } from "../../domain/columns.js";
import { separationArcsec } from "../../domain/sky.js";
import { MAX_RADIUS_ARCSEC } from "../../domain/skyobject.js";
import type { CatalogStore } from "../../stores/catalogs.store.js";
import { numberColumn } from "../rows.js";
import { type CatalogMatches, matchesAmong } from "./matches.js";

/** The engine's arithmetic may differ in the last digit: on the rim it is ours that decides. */
const RIM_ARCSEC = 1e-6;

/** What holdCatalog's match gives, to the last digit. */
export async function askCatalog(
  store: Pick<CatalogStore, "sourcesNear">,
  catalog: Catalog,
  ra: Float64Array,
  dec: Float64Array,
): Promise<CatalogMatches> {
  const names = catalog.columns.map(({ name }) => name);
  const near = await store.sourcesNear(
    catalog,
    ra,
    dec,
    Math.min(catalog.radiusArcsec + RIM_ARCSEC, MAX_RADIUS_ARCSEC),
    {
      columns: names,
      limit: null,
    },
  );
  const count = near.position.length;
  // An answer without rows has no columns.
  const rows = count === 0 ? emptyRows(catalog) : near.rows;
  const [sourceRa, sourceDec] = [numberColumn(rows, "ra").values, numberColumn(rows, "dec").values];
  const separations = Float64Array.from({ length: count }, (_, row) => {
    const at = near.position[row]!;
    return separationArcsec(ra[at]!, dec[at]!, sourceRa[row]!, sourceDec[row]!);
  });
  return matchesAmong(catalog, { ra, dec }, { position: near.position, separationArcsec: separations, rows });
}

function emptyRows({ idType, columns }: Catalog): Block {
  const all = [
    { name: "id", type: idType },
    { name: "ra", type: "Float64" as const },
    { name: "dec", type: "Float64" as const },
    ...columns,
  ];
  const empty = all.map(({ name, type }) => {
    const values =
      type === "String"
        ? []
        : type === "Int64"
          ? new BigInt64Array(0)
          : type === "UInt64"
            ? new BigUint64Array(0)
            : new Float64Array(0);
    return [name, { type, values, nulls: null } as unknown as Column] as const;
  });
  return { rows: 0, columns: new Map(empty) };
}
