// What lies near each alert in each catalog, and how far archived alerts have been matched with catalogs that came later.
// Read by ../matches.ts, ../rematches.ts and ../enriched/matches.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/**
 * A row for each alert and catalog that has sources within its radius, and a row without sources where there were some
 * before the catalog changed. Lists are nearest first. Match n's value of the k-th of `numberNames` is
 * numbers[(k - 1) * length(id) + n] (NaN where it is missing), of `textNames` (text and 64-bit integers) the same of `texts`.
 * By catalog first: a backtest that reads one catalog reads its rows alone.
 */
const MATCHES: TableDefinition = {
  name: "matches",
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
  batch UInt64`,
  engine: "ReplacingMergeTree",
  version: "batch",
  partitionBy: "if(jd >= 2449718.5 AND jd < 2475268.5, toUInt8((jd - 2449718.5) / 365), 255)",
  orderBy: "(survey, catalog, jd, candid)",
  settings: { index_granularity: 1024, min_compress_block_size: 8192, max_compress_block_size: 16_384 },
  shardBy: "objectId",
};

/** Archived alerts of a survey up to (jd, candid) have been matched with this revision by this version of the step. */
const REMATCHES: TableDefinition = {
  name: "rematches",
  columns: `
  catalog LowCardinality(String),
  revision UInt64,
  version LowCardinality(String),
  survey LowCardinality(String),
  startedAt Int64,
  jd Float64,
  candid Int64,
  done UInt64,
  total UInt64,
  complete Bool,
  updatedAt Int64`,
  engine: "ReplacingMergeTree",
  version: "updatedAt",
  orderBy: "(catalog, revision, version, survey)",
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [MATCHES, REMATCHES]);
}
