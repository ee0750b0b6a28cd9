// The numbering of hits and counterpart pairs after the commit of their batch. Read by ../sequence.ts, ../hits.ts,
// ../counterparts.ts and ../batches.ts.
import type { ArchiveClient } from "../client.js";
import { alterTable, createTables, type TableDefinition } from "../layout.js";

/** What a batch found has long been numbered by then. A batch id is its beginning in milliseconds above 20 bits. */
const UNTIL_NUMBERED = "toDateTime(bitShiftRight(batch, 20) / 1000) + INTERVAL 90 DAY";

/** What the filters found in a batch: the rows of `hits` before they have a seq. */
const HITS_FOUND: TableDefinition = {
  name: "hits_found",
  columns: `
  batch UInt64,
  survey LowCardinality(String),
  candid Int64,
  filterId String,
  filterVersion UInt32,
  objectId String,
  jd Float64,
  programid Int32,
  annotations Nullable(String),
  passedAt Int64`,
  engine: "ReplacingMergeTree",
  orderBy: "(batch, survey, candid, filterId)",
  ttl: UNTIL_NUMBERED,
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** The rows of `counterparts` before they have a seq. */
const COUNTERPARTS_FOUND: TableDefinition = {
  name: "counterparts_found",
  columns: `
  batch UInt64,
  surveyA LowCardinality(String),
  objectIdA String,
  surveyB LowCardinality(String),
  objectIdB String,
  separationArcsec Float64`,
  engine: "ReplacingMergeTree",
  orderBy: "(batch, surveyA, objectIdA, surveyB, objectIdB)",
  ttl: UNTIL_NUMBERED,
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** Batches whose hits and pairs have their seqs. */
const NUMBERED: TableDefinition = {
  name: "numbered",
  columns: `
  batch UInt64,
  epoch UInt64,
  numberedAt Int64`,
  engine: "ReplacingMergeTree",
  orderBy: "batch",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** Who may number: the highest (epoch, holder). */
const EPOCHS: TableDefinition = {
  name: "epochs",
  columns: `
  epoch UInt64,
  holder UInt64,
  begunAt DateTime64(3) DEFAULT now64(3)`,
  engine: "MergeTree",
  orderBy: "epoch",
  shardBy: null,
};

/** Batches that began before `before` (epoch ms) are committed, or were taken in again. */
const RECOVERED: TableDefinition = {
  name: "recovered",
  columns: "before Int64",
  engine: "MergeTree",
  orderBy: "before",
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [HITS_FOUND, COUNTERPARTS_FOUND, NUMBERED, EPOCHS, RECOVERED]);
  // Whether an alert's hit has a seq, and which alerts belong to the batches of the last hours.
  const byAlert = "by_alert (SELECT survey, candid, filterId ORDER BY survey, candid, filterId)";
  await alterTable(client, "hits", `ADD PROJECTION IF NOT EXISTS ${byAlert}`, "rows");
  await alterTable(client, "alert_index", "ADD INDEX IF NOT EXISTS by_batch batch TYPE minmax GRANULARITY 1", "rows");
  // Batches of before were numbered while they were taken in. Others may do this migration too, and one of them may number
  // before the last one comes here: what a batch of theirs has found lies in these tables before it is committed. A cluster
  // would give the whole statement to its shards, which do not know the tables by these names.
  await client.command(`INSERT INTO numbered SELECT batch, 0, 0 FROM batches
    WHERE batch GLOBAL NOT IN (SELECT batch FROM hits_found)
      AND batch GLOBAL NOT IN (SELECT batch FROM counterparts_found)
    SETTINGS parallel_distributed_insert_select = 0`);
}
