// The statements for servers that copy rows themselves (Replicated tables, ON CLUSTER), which no test here can run: the
// real engine reads each, and they say what they must.
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { alterTable, createTables, type TableDefinition } from "./layout.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

const OBJECTS: TableDefinition = {
  name: "things",
  columns: "objectId String, jd Float64, v UInt64 MATERIALIZED 1, INDEX i jd TYPE minmax GRANULARITY 1",
  engine: "ReplacingMergeTree",
  version: "jd",
  partitionBy: "toUInt8(jd)",
  orderBy: "(objectId, jd)",
  ttl: "toDateTime(jd) + INTERVAL 90 DAY",
  settings: { index_granularity: 1024 },
  shardBy: "objectId",
};
const SMALL: TableDefinition = { name: "small", columns: "x UInt8", engine: "MergeTree", orderBy: "x", shardBy: null };

/** A client of such a cluster that keeps its statements to itself. */
function replicated(statements: string[]): ArchiveClient {
  const { client } = archive;
  return {
    database: client.database,
    cluster: { name: "o'brien", replicated: true, nodes: [client] },
    storagePolicy: "tiers",
    query: (...of) => client.query(...of),
    insert: (...of) => client.insert(...of),
    command: async (sql) => void statements.push(sql),
    close: async () => {},
  };
}

it("makes replicated tables and a Distributed one on the whole cluster, by one statement each", async () => {
  const statements: string[] = [];
  const client = replicated(statements);
  await createTables(client, [OBJECTS, SMALL]);
  await alterTable(client, "things", "ADD COLUMN IF NOT EXISTS w Nullable(Float32)", "columns");
  await alterTable(client, "things", "MODIFY TTL toDateTime(jd) + INTERVAL 9 DAY", "rows");
  const read: string[] = [];
  for (const sql of statements) {
    const formatted = await archive.client.query("SELECT formatQuerySingleLine({sql:String}) AS sql", { sql });
    read.push(strings(formatted, "sql")[0]!);
  }
  const path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
  expect(read[0]).toMatch(/^CREATE TABLE IF NOT EXISTS things_local ON CLUSTER `o'brien` \(/);
  expect(read[0]).toContain(`ENGINE = ReplicatedReplacingMergeTree(${path}, jd) PARTITION BY toUInt8(jd)`);
  expect(read[0]).toMatch(/TTL .* SETTINGS index_granularity = 1024, storage_policy = 'tiers'$/);
  expect(read[1]).toContain(`ENGINE = ReplicatedMergeTree(${path}) ORDER BY x SETTINGS`);
  expect(read.slice(2, 4)).toEqual([
    "CREATE TABLE IF NOT EXISTS things ON CLUSTER `o'brien` AS things_local ENGINE = Distributed('o\\'brien', 'tocsin', 'things_local', cityHash64(objectId))",
    "CREATE TABLE IF NOT EXISTS small ON CLUSTER `o'brien` AS small_local ENGINE = Distributed('o\\'brien', 'tocsin', 'small_local', 0)",
  ]);
  expect(read.slice(4).map((sql) => sql.slice(0, 45))).toEqual([
    "ALTER TABLE things_local ON CLUSTER `o'brien`",
    "ALTER TABLE things ON CLUSTER `o'brien` (ADD ",
    "ALTER TABLE things_local ON CLUSTER `o'brien`",
  ]);
});

it("refuses a database that was made for one server", async () => {
  await archive.client.command("CREATE TABLE small (x UInt8) ENGINE = MergeTree ORDER BY x");
  await expect(createTables(replicated([]), [SMALL])).rejects.toMatchObject({ code: "BAD_SETTING" });
});
