// Watch lists, areas and sky maps: the registry, what they hold, and the alerts that they mark. Read by ../marks.ts,
// ../marks.contents.ts, ../marks.marked.ts and ../enriched/marks.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/** Every state that a mark has had: the latest is what it is, all of them are its events. */
const MARK_STATES: TableDefinition = {
  name: "mark_states",
  columns: `
  id String,
  changedAt Int64,
  kind LowCardinality(String),
  name String,
  scope LowCardinality(String),
  isShared Bool,
  state LowCardinality(String),
  revision UInt32,
  details String`,
  engine: "ReplacingMergeTree",
  orderBy: "(id, changedAt)",
  settings: { index_granularity: 256 },
  shardBy: null,
};

const WATCHED_POSITIONS: TableDefinition = {
  name: "watched_positions",
  columns: `
  content String,
  row UInt32,
  name String,
  ra Float64,
  dec Float64,
  radiusArcsec Float32`,
  engine: "ReplacingMergeTree",
  orderBy: "(content, row)",
  shardBy: null,
};

/** Order-29 nested pixels [start, end). */
const MARKED_CELLS: TableDefinition = {
  name: "marked_cells",
  columns: `
  content String,
  start UInt64,
  end UInt64,
  level Float64`,
  engine: "ReplacingMergeTree",
  orderBy: "(content, start)",
  shardBy: null,
};

/**
 * A row for each alert and content of a mark that holds it. Lists (of watch lists) are nearest first; `level` is a sky map's, else 1. Rows of
 * one key say the same whoever wrote them: position, time and content decide them.
 */
const MARKS: TableDefinition = {
  name: "marks",
  columns: `
  survey LowCardinality(String),
  content LowCardinality(String),
  jd Float64,
  candid Int64,
  objectId String,
  level Float64,
  names Array(String),
  separations Array(Float64),
  ras Array(Float64),
  decs Array(Float64),
  batch UInt64`,
  engine: "ReplacingMergeTree",
  version: "batch",
  partitionBy: "if(jd >= 2449718.5 AND jd < 2475268.5, toUInt8((jd - 2449718.5) / 365), 255)",
  orderBy: "(survey, content, jd, candid)",
  settings: { index_granularity: 1024, min_compress_block_size: 8192, max_compress_block_size: 16_384 },
  shardBy: "objectId",
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [MARK_STATES, WATCHED_POSITIONS, MARKED_CELLS, MARKS]);
}
