// The journal of batches, what could not be taken in, and counterpart pairs. Read by ../batches.ts, ../deadletters.ts
// and ../counterparts.ts.
import type { ArchiveClient } from "../client.js";

/** One row per complete batch. `steps` is a JSON object of names and versions. */
const BATCHES = `
CREATE TABLE IF NOT EXISTS batches (
  batch UInt64,
  survey LowCardinality(String),
  read UInt32,
  stored UInt32,
  duplicates UInt32,
  deadLetters UInt32,
  hits UInt32,
  steps String,
  committedAt Int64
) ENGINE = ReplacingMergeTree
ORDER BY batch
SETTINGS index_granularity = 1024`;

/** `bytes` is base64: columns of text carry text. */
const DEAD_LETTERS = `
CREATE TABLE IF NOT EXISTS dead_letters (
  receivedAt Int64,
  id UInt64,
  reason LowCardinality(String),
  message String,
  source String,
  position String,
  survey LowCardinality(Nullable(String)),
  bytes Nullable(String) CODEC(ZSTD(1)),
  schemaFingerprint LowCardinality(Nullable(String)),
  INDEX by_id id TYPE bloom_filter GRANULARITY 1
) ENGINE = ReplacingMergeTree
ORDER BY (receivedAt, id)
SETTINGS index_granularity = 256`;

/** a before b by survey and objectId; the first row of a pair stays. */
const COUNTERPARTS = `
CREATE TABLE IF NOT EXISTS counterparts (
  surveyA LowCardinality(String),
  objectIdA String,
  surveyB LowCardinality(String),
  objectIdB String,
  separationArcsec Float64,
  seq UInt64,
  batch UInt64,
  PROJECTION by_seq (SELECT * ORDER BY seq)
) ENGINE = MergeTree
ORDER BY (surveyA, objectIdA, surveyB, objectIdB)
SETTINGS index_granularity = 1024`;

export async function up(client: ArchiveClient): Promise<void> {
  for (const table of [BATCHES, DEAD_LETTERS, COUNTERPARTS]) await client.command(table);
}
