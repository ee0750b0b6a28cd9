// What re-matching put other matches in the place of, and since when it has found the same: so it can be told what stood at a
// time. The stream writes neither. Read by ../matches.before.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

const YEARS = "if(jd >= 2449718.5 AND jd < 2475268.5, toUInt8((jd - 2449718.5) / 365), 255)";

/**
 * A row for each row of `matches` that a re-match replaced by another one with other sources, separations or columns. `batch`
 * wrote it, `firstBatch` was the first that told the same; it stood until the next one's `firstBatch`.
 */
const BEFORE: TableDefinition = {
  name: "matches_before",
  columns: `
  survey LowCardinality(String),
  catalog LowCardinality(String),
  jd Float64,
  candid Int64,
  objectId String,
  revision UInt64,
  version LowCardinality(String),
  id Array(String),
  separationArcsec Array(Float64),
  ra Array(Float64),
  dec Array(Float64),
  numberNames Array(LowCardinality(String)),
  numbers Array(Float64),
  textNames Array(LowCardinality(String)),
  texts Array(Nullable(String)),
  firstBatch UInt64,
  batch UInt64`,
  engine: "ReplacingMergeTree",
  partitionBy: YEARS,
  orderBy: "(survey, catalog, jd, candid, batch)",
  settings: { index_granularity: 1024, min_compress_block_size: 8192, max_compress_block_size: 16_384 },
  shardBy: "objectId",
};

/** The row of `matches` that a batch from `firstBatch` to `batch` wrote tells what `firstBatch` told. One for each alert and catalog. */
const SINCE: TableDefinition = {
  name: "matches_since",
  columns: `
  survey LowCardinality(String),
  catalog LowCardinality(String),
  jd Float64,
  candid Int64,
  objectId String,
  firstBatch UInt64,
  batch UInt64`,
  engine: "ReplacingMergeTree",
  version: "batch",
  partitionBy: YEARS,
  orderBy: "(survey, catalog, jd, candid)",
  settings: { index_granularity: 1024 },
  shardBy: "objectId",
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [BEFORE, SINCE]);
}
