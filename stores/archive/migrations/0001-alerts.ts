// Where alerts are found: by candid, by object and by place. The alerts themselves: ../alerts.table.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";
import { precedence } from "../precedence.js";

/** alert(candid), duplicates and packets. A candid keeps a row per batch that took it in (more than one after a crash). */
const ALERT_INDEX: TableDefinition = {
  name: "alert_index",
  columns: `
  survey LowCardinality(String),
  candid Int64,
  batch UInt64,
  objectId String,
  jd Float64,
  programid Int32,
  contentHash UInt64,
  segment UInt32,
  offset UInt64,
  length UInt32,
  schema LowCardinality(String)`,
  engine: "ReplacingMergeTree",
  orderBy: "(survey, candid, batch)",
  settings: { index_granularity: 1024, min_compress_block_size: 8192, max_compress_block_size: 16_384 },
  shardBy: "objectId",
};

/** The alerts of an object, and so its summary for any viewer. */
const OBJECT_ALERTS: TableDefinition = {
  name: "object_alerts",
  columns: `
  survey LowCardinality(String),
  objectId String,
  jd Float64,
  candid Int64,
  programid Int32,
  ra Float64,
  dec Float64`,
  engine: "ReplacingMergeTree",
  orderBy: "(survey, objectId, jd, candid)",
  settings: { index_granularity: 1024, min_compress_block_size: 8192, max_compress_block_size: 16_384 },
  shardBy: "objectId",
};

/**
 * Objects by place. A row is the latest alert of an object with one programid in one HEALPix cell of order 16 (3.2"):
 * whatever a viewer may see, the row of the object's latest visible alert is always among them, and the table grows
 * with objects, not with alerts.
 */
const POSITIONS: TableDefinition = {
  name: "positions",
  columns: `
  healpix UInt64,
  cell UInt64 MATERIALIZED bitShiftRight(healpix, 26),
  survey LowCardinality(String),
  objectId String,
  programid Int32,
  jd Float64,
  candid Int64,
  ra Float64,
  dec Float64,
  precedence UInt128 MATERIALIZED ${precedence("jd", "candid")}`,
  engine: "ReplacingMergeTree",
  version: "precedence",
  orderBy: "(cell, survey, objectId, programid)",
  settings: { index_granularity: 1024, min_compress_block_size: 8192, max_compress_block_size: 16_384 },
  shardBy: "objectId",
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [ALERT_INDEX, OBJECT_ALERTS, POSITIONS]);
}
