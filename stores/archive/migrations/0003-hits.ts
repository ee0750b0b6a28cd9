// Filter hits. Read and written by ../hits.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/**
 * In the order of their cursors, and by filter for pages of a few filters. A row may stand twice (a resend after a lost
 * answer): reads take one per seq. Plain MergeTree, since projections follow its merges exactly.
 */
const HITS: TableDefinition = {
  name: "hits",
  columns: `
  seq UInt64,
  filterId String,
  filterVersion UInt32,
  survey LowCardinality(String),
  candid Int64,
  objectId String,
  jd Float64,
  programid Int32,
  annotations Nullable(String),
  passedAt Int64,
  batch UInt64,
  PROJECTION by_filter (SELECT * ORDER BY filterId, seq)`,
  engine: "MergeTree",
  orderBy: "seq",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [HITS]);
}
