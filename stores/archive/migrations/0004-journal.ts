// The journal of batches, what could not be taken in, and counterpart pairs. Read by ../batches.ts, ../deadletters.ts
// and ../counterparts.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/** One row per complete batch. `steps` is a JSON object of names and versions. */
const BATCHES: TableDefinition = {
  name: "batches",
  columns: `
  batch UInt64,
  survey LowCardinality(String),
  read UInt32,
  stored UInt32,
  duplicates UInt32,
  deadLetters UInt32,
  hits UInt32,
  steps String,
  committedAt Int64`,
  engine: "ReplacingMergeTree",
  orderBy: "batch",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** `bytes` is base64: columns of text carry text. */
const DEAD_LETTERS: TableDefinition = {
  name: "dead_letters",
  columns: `
  receivedAt Int64,
  id UInt64,
  reason LowCardinality(String),
  message String,
  source String,
  position String,
  survey LowCardinality(Nullable(String)),
  bytes Nullable(String) CODEC(ZSTD(1)),
  schemaFingerprint LowCardinality(Nullable(String)),
  INDEX by_id id TYPE bloom_filter GRANULARITY 1`,
  engine: "ReplacingMergeTree",
  orderBy: "(receivedAt, id)",
  settings: { index_granularity: 256 },
  shardBy: null,
};

/** a before b by survey and objectId; the first row of a pair stays. */
const COUNTERPARTS: TableDefinition = {
  name: "counterparts",
  columns: `
  surveyA LowCardinality(String),
  objectIdA String,
  surveyB LowCardinality(String),
  objectIdB String,
  separationArcsec Float64,
  seq UInt64,
  batch UInt64,
  PROJECTION by_seq (SELECT * ORDER BY seq)`,
  engine: "MergeTree",
  orderBy: "(surveyA, objectIdA, surveyB, objectIdB)",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [BATCHES, DEAD_LETTERS, COUNTERPARTS]);
}
