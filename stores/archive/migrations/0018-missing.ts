// What batches lack of their enrichment. Read and written by ../missing.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/** A row for each part of a step that broke over a batch: none where nothing did. Filled in, the later row counts. */
const MISSING_VALUES: TableDefinition = {
  name: "missing_values",
  columns: `
  batch UInt64,
  step LowCardinality(String),
  part String,
  survey LowCardinality(String),
  alerts UInt32,
  code LowCardinality(String),
  reason String,
  since Int64,
  filledAt Int64`,
  engine: "ReplacingMergeTree",
  version: "filledAt",
  orderBy: "(batch, step, part)",
  settings: { index_granularity: 256 },
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [MISSING_VALUES]);
}
