// What has changed of objects since it was told, as it was kept before 0015-corrections.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/** In the order of their cursors. toldAt is epoch milliseconds of the server's clock. */
export const CORRECTIONS: TableDefinition = {
  name: "corrections",
  columns: `
  toldAt Int64,
  survey LowCardinality(String),
  objectId String,
  candid Int64,
  what LowCardinality(String),
  jd Float64,
  programid Int32,
  step LowCardinality(String),
  version LowCardinality(String)`,
  engine: "ReplacingMergeTree",
  orderBy: "(toldAt, survey, objectId, candid, what)",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [CORRECTIONS]);
}
