// What models said of alerts. Read by ../scores.ts and ../enriched/scores.ts, written with each batch by ../alerts.write.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/** One row for each alert and model that ran over it; `values` belong to the names in `outputs`. */
const SCORES: TableDefinition = {
  name: "scores",
  columns: `
  survey LowCardinality(String),
  jd Float64,
  candid Int64,
  objectId String,
  programid Int32,
  model LowCardinality(String),
  version LowCardinality(String),
  shadow Bool,
  inputHash UInt64,
  outputs Array(LowCardinality(String)),
  values Array(Float32),
  class LowCardinality(Nullable(String)),
  reason LowCardinality(Nullable(String)),
  batch UInt64`,
  engine: "ReplacingMergeTree",
  version: "batch",
  partitionBy: "if(jd >= 2449718.5 AND jd < 2475268.5, toUInt8((jd - 2449718.5) / 365), 255)",
  orderBy: "(survey, jd, candid, model, version)",
  settings: { index_granularity: 1024 },
  shardBy: "objectId",
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [SCORES]);
}
