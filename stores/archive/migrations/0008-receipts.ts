// The delivery clock, the receipts of nights, and the replay of dead letters. Read by ../clock.ts, ../receipts.ts and
// ../deadletters.ts.
import type { ArchiveClient } from "../client.js";
import { alterTable, createTables, type TableDefinition } from "../layout.js";

const BY_BATCH = "INDEX by_batch batch TYPE minmax GRANULARITY 1";

/** What a batch says became of its deliveries. Here as below: it counts once the batch is in `batches`. */
const RECEIPTS: TableDefinition = {
  name: "receipts",
  columns: `
  survey LowCardinality(String),
  night LowCardinality(String),
  source String,
  partition Int32,
  batch UInt64,
  received UInt32,
  stored UInt32,
  duplicates UInt32,
  ${BY_BATCH}`,
  engine: "ReplacingMergeTree",
  orderBy: "(survey, night, source, partition, batch)",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** The dead letters among a batch's deliveries: one that was delivered twice has two rows. */
const LETTER_RECEIPTS: TableDefinition = {
  name: "letter_receipts",
  columns: `
  survey LowCardinality(String),
  night LowCardinality(String),
  source String,
  partition Int32,
  id UInt64,
  batch UInt64,
  ${BY_BATCH},
  INDEX by_id id TYPE bloom_filter GRANULARITY 1`,
  engine: "ReplacingMergeTree",
  orderBy: "(survey, night, source, partition, id, batch)",
  settings: { index_granularity: 256 },
  shardBy: null,
};

/** Offsets of a partition that a batch had, without holes. */
const OFFSET_RANGES: TableDefinition = {
  name: "offset_ranges",
  columns: `
  source String,
  partition Int32,
  first UInt64,
  last UInt64,
  batch UInt64,
  INDEX by_last last TYPE minmax GRANULARITY 1`,
  engine: "ReplacingMergeTree",
  orderBy: "(source, partition, first, last, batch)",
  settings: { index_granularity: 1024 },
  shardBy: null,
};

/** Dead letters that were taken in after all, by that batch. */
const REPLAYS: TableDefinition = {
  name: "replays",
  columns: "id UInt64, batch UInt64, replayedAt Int64",
  engine: "ReplacingMergeTree",
  orderBy: "(id, batch)",
  settings: { index_granularity: 256 },
  shardBy: null,
};

/** What wrote the bare records among the dead letters. */
const LETTER_SCHEMAS: TableDefinition = {
  name: "letter_schemas",
  columns: "fingerprint String, text String CODEC(ZSTD(1))",
  engine: "ReplacingMergeTree",
  orderBy: "fingerprint",
  settings: { index_granularity: 256 },
  shardBy: null,
};

/** Epoch milliseconds, 0 where nobody told. Alerts of a batch were received within moments of each other. */
const moment = (name: string): string => `ADD COLUMN IF NOT EXISTS ${name} Int64 CODEC(Delta, LZ4)`;

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [RECEIPTS, LETTER_RECEIPTS, OFFSET_RANGES, REPLAYS, LETTER_SCHEMAS]);
  await alterTable(client, "alert_index", `${moment("emittedAt")}, ${moment("receivedAt")}`, "columns");
  await alterTable(client, "batches", `${moment("storedAt")}, ${moment("filteredAt")}`, "columns");
  // The alerts of a night: candids rise with time, so that few granules hold one.
  const byJd = "ADD INDEX IF NOT EXISTS by_jd jd TYPE minmax GRANULARITY 1";
  await alterTable(client, "alert_index", byJd, "rows");
  await alterTable(client, "hits", byJd, "rows");
  const kept = "if(isNull(bytes), 0, length(base64Decode(assumeNotNull(bytes))))";
  const columns = [
    "partition Nullable(Int32)",
    "offset Nullable(UInt64)",
    "isBare Bool DEFAULT false",
    `bytesKept UInt32 DEFAULT ${kept}`,
  ];
  const added = columns.map((column) => `ADD COLUMN IF NOT EXISTS ${column}`).join(", ");
  await alterTable(client, "dead_letters", added, "columns");
}
