// Corrections in an order of their own, and what filters say since of alerts whose values have changed. Read by
// ../corrections.ts, ../corrections.checks.ts and ../corrections.late.ts.
import type { ArchiveClient } from "../client.js";
import { isTableMissing } from "../http.errors.js";
import { quoted } from "../http.form.js";
import { createTables, everywhere, localName, type TableDefinition } from "../layout.js";
import { CORRECTIONS } from "./0012-corrections.js";

const COLUMNS = `
  batch UInt64,
  toldAt Int64,
  survey LowCardinality(String),
  objectId String,
  candid Int64,
  jd Float64,
  programid Int32,
  what LowCardinality(String),
  step LowCardinality(String),
  version LowCardinality(String),
  source String,
  scope LowCardinality(String),
  filterId String,
  filterVersion UInt32`;

/** What is told, before it has a number. toldAt: epoch milliseconds of the server's clock. */
const TOLD: TableDefinition = {
  name: "corrections_told",
  columns: `${COLUMNS},
  isShown Bool,
  reads LowCardinality(String)`,
  engine: "ReplacingMergeTree",
  orderBy: "(batch, survey, objectId, candid, what, filterId, source)",
  ttl: "toDateTime(bitShiftRight(batch, 20) / 1000) + INTERVAL 90 DAY",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** In the order of their cursors. */
const NUMBERED: TableDefinition = {
  name: "corrections_numbered",
  columns: `
  seq UInt64,${COLUMNS},
  INDEX by_object objectId TYPE bloom_filter GRANULARITY 2,
  INDEX by_batch batch TYPE minmax GRANULARITY 1`,
  engine: "ReplacingMergeTree",
  orderBy: "seq",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** Batches over whose alerts filters have been run again. */
const CHECKED: TableDefinition = {
  name: "corrections_checked",
  columns: "batch UInt64",
  engine: "ReplacingMergeTree",
  orderBy: "batch",
  ttl: "toDateTime(bitShiftRight(batch, 20) / 1000) + INTERVAL 180 DAY",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** What became last of a filter's hit of an alert. */
const HIT_CHANGES: TableDefinition = {
  name: "hit_changes",
  columns: `
  survey LowCardinality(String),
  candid Int64,
  filterId String,
  filterVersion UInt32,
  changedAt Int64,
  isWithdrawn Bool,
  because String`,
  engine: "ReplacingMergeTree",
  version: "changedAt",
  orderBy: "(survey, candid, filterId, filterVersion)",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** How far pieces of work beside the stream have come. */
const PROGRESS: TableDefinition = {
  name: "corrections_progress",
  columns: `
  work String,
  at Int64,
  savedAt Int64`,
  engine: "ReplacingMergeTree",
  version: "savedAt",
  orderBy: "work",
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [CORRECTIONS, TOLD, NUMBERED, CHECKED, HIT_CHANGES, PROGRESS]);
  await carryOver(client);
  const cluster = client.cluster ?? null;
  for (const name of new Set(["corrections", localName(cluster, "corrections")])) {
    await everywhere(client, (onCluster) => `DROP TABLE IF EXISTS ${quoted(name)}${onCluster} SYNC`);
  }
}

/** Those of before are told once more and get their numbers. Where this is done again, their table is there and empty. */
async function carryOver(client: ArchiveClient): Promise<void> {
  try {
    await client.command(`INSERT INTO corrections_told
      (batch, toldAt, survey, objectId, candid, jd, programid, what, step, version, isShown)
      SELECT bitShiftLeft(toUInt64(toldAt), 20), toldAt, survey, objectId, candid, jd, programid, what, step, version, true
      FROM corrections SETTINGS parallel_distributed_insert_select = 0`);
  } catch (error) {
    // Another service that starts at the same time has done all this meanwhile.
    if (!isTableMissing(error)) throw error;
  }
}
