// The table of a catalog's revision: its rows by their place on the sky. Called by catalogs.ts and catalogs.near.ts.
import type { Catalog } from "../../domain/catalog.js";
import type { Block } from "../../domain/columns.js";
import { HEALPIX_ORDER, nestedPixels } from "../../domain/healpix.js";
import { chosen, numbers, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { createTables, everywhere, localName, type TableDefinition } from "./layout.js";

/** Rows lie by nested cells of this order, of 3.2 arcsec, as in `positions` (cones.ts). */
export const CATALOG_ORDER = 16;
const CELL_BITS = BigInt(2 * (HEALPIX_ORDER - CATALOG_ORDER));

export const tableOf = ({ name, revision }: Pick<Catalog, "name" | "revision">): string =>
  `catalog_${name}_${revision}`;

/**
 * A row that is sent again replaces itself: the same id in the same cell. A cell is on one shard, with all of its rows: a
 * catalog of billions is spread over the cluster, and a join by cells needs nothing of other shards.
 */
function definition(catalog: Catalog): TableDefinition {
  const own = catalog.columns.map(({ name, type }) => `${quoted(name)} Nullable(${type})`);
  return {
    name: tableOf(catalog),
    columns: [
      "cell UInt64 CODEC(Delta, ZSTD(1))",
      `id ${catalog.idType} CODEC(ZSTD(1))`,
      "ra Float64 CODEC(ZSTD(1))",
      "dec Float64 CODEC(ZSTD(1))",
      ...own,
    ].join(",\n  "),
    engine: "ReplacingMergeTree",
    orderBy: "(cell, id)",
    settings: { index_granularity: 1024 },
    shardBy: "cell",
  };
}

export const createTable = (client: ArchiveClient, catalog: Catalog): Promise<void> =>
  createTables(client, [definition(catalog)]);

/** The rows with their cells; columns that the catalog does not have are left out. */
export function rowsOf(catalog: Catalog, rows: Block): Block {
  const cells = new BigUint64Array(rows.rows);
  nestedPixels(numbers(rows, "ra") as Float64Array, numbers(rows, "dec") as Float64Array, cells);
  for (let row = 0; row < cells.length; row++) cells[row] = cells[row]! >> CELL_BITS;
  const columns = chosen(rows, ["id", "ra", "dec", ...catalog.columns.map(({ name }) => name)]);
  return { rows: rows.rows, columns: new Map([["cell", unsigned(cells)], ...Object.entries(columns)]) };
}

export async function dropTable(client: ArchiveClient, table: string): Promise<void> {
  const cluster = client.cluster ?? null;
  await everywhere(client, (onCluster) => `DROP TABLE IF EXISTS ${quoted(table)}${onCluster} SYNC`);
  if (cluster === null) return;
  await everywhere(client, (onCluster) => `DROP TABLE IF EXISTS ${quoted(localName(cluster, table))}${onCluster} SYNC`);
}
