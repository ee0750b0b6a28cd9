// The registry of catalogs. Read by ../revisions.ts; each revision's rows have a table of their own (../catalogs.table.ts).
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/** One row for each revision, as it was changed last; `record` is the whole of it as JSON (domain/catalog.ts, Catalog). */
const CATALOGS: TableDefinition = {
  name: "catalogs",
  columns: `
  name String,
  revision UInt64,
  state LowCardinality(String),
  changedAt UInt64,
  record String CODEC(ZSTD(1))`,
  engine: "ReplacingMergeTree",
  version: "changedAt",
  orderBy: "(name, revision)",
  settings: { index_granularity: 256 },
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [CATALOGS]);
}
