// Catalogs and their sources as the API shows them. Called by the resolvers of this folder.
import type { Catalog } from "../../domain/catalog.js";
import type { Block } from "../../domain/columns.js";
import { jdFromEpochMs } from "../../domain/time.js";
import type { CatalogSourceType, CatalogStateEnum, CatalogType } from "../../schema/catalog/catalog.type.js";

export function shownCatalog({ rule, progress, rows, duplicates, files, ...catalog }: Catalog): CatalogType {
  return {
    ...catalog,
    revision: BigInt(catalog.revision),
    state: catalog.state as CatalogStateEnum,
    rule: rule.kind === "radius" ? null : { ...rule, ellipse: rule.ellipse ?? null },
    columns: [...catalog.columns],
    files: files.map((file) => ({ ...file, bytes: BigInt(file.bytes) })),
    sources: BigInt(rows),
    rowsRead: BigInt(progress.rowsRead),
    rejected: BigInt(progress.rejected),
    rejectedRows: progress.rejectedRows.map((one) => ({ ...one, row: BigInt(one.row) })),
    duplicates: BigInt(duplicates),
    changedAt: jdFromEpochMs(catalog.changedAt),
  };
}

const OWN = new Set(["id", "ra", "dec"]);

/** Row by row, with the separations that go with them. */
export function shownSources(rows: Block, separationArcsec: Float64Array): CatalogSourceType[] {
  const columns = [...rows.columns].filter(([name]) => !OWN.has(name));
  return Array.from({ length: rows.rows }, (_, row) => ({
    id: String(rows.columns.get("id")!.values[row]),
    ra: rows.columns.get("ra")!.values[row] as number,
    dec: rows.columns.get("dec")!.values[row] as number,
    separationArcsec: separationArcsec[row]!,
    fields: Object.fromEntries(
      columns.map(([name, { type, values, nulls }]) => {
        const value = values[row]!;
        return [name, nulls?.[row] ? null : type === "Bool" ? value === 1 : value];
      }),
    ),
  }));
}
