// Where alerts are found: by candid, by object and by place. The alerts themselves: ../alerts.table.ts.
import type { ArchiveClient } from "../client.js";
import { precedence } from "../precedence.js";

/** alert(candid), duplicates and packets. A candid keeps a row per batch that took it in (more than one after a crash). */
const ALERT_INDEX = `
CREATE TABLE IF NOT EXISTS alert_index (
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
  schema LowCardinality(String)
) ENGINE = ReplacingMergeTree
ORDER BY (survey, candid, batch)
SETTINGS index_granularity = 1024, min_compress_block_size = 8192, max_compress_block_size = 16384`;

/** The alerts of an object, and so its summary for any viewer. */
const OBJECT_ALERTS = `
CREATE TABLE IF NOT EXISTS object_alerts (
  survey LowCardinality(String),
  objectId String,
  jd Float64,
  candid Int64,
  programid Int32,
  ra Float64,
  dec Float64
) ENGINE = ReplacingMergeTree
ORDER BY (survey, objectId, jd, candid)
SETTINGS index_granularity = 1024, min_compress_block_size = 8192, max_compress_block_size = 16384`;

/**
 * Objects by place. A row is the latest alert of an object with one programid in one HEALPix cell of order 16 (3.2"):
 * whatever a viewer may see, the row of the object's latest visible alert is always among them, and the table grows
 * with objects, not with alerts.
 */
const POSITIONS = `
CREATE TABLE IF NOT EXISTS positions (
  healpix UInt64,
  cell UInt64 MATERIALIZED bitShiftRight(healpix, 26),
  survey LowCardinality(String),
  objectId String,
  programid Int32,
  jd Float64,
  candid Int64,
  ra Float64,
  dec Float64,
  precedence UInt128 MATERIALIZED ${precedence("jd", "candid")}
) ENGINE = ReplacingMergeTree(precedence)
ORDER BY (cell, survey, objectId, programid)
SETTINGS index_granularity = 1024, min_compress_block_size = 8192, max_compress_block_size = 16384`;

export async function up(client: ArchiveClient): Promise<void> {
  for (const table of [ALERT_INDEX, OBJECT_ALERTS, POSITIONS]) await client.command(table);
}
