// ClickHouse servers of our own through @clickhouse/client: data and addresses survive kill -9, parts move to the cold
// volume, a backup comes back, and a cluster reads on with a server less.
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverFolder } from "../../test/servers.js";
import type { Running } from "./background.js";
import { startClickHouse } from "./clickhouse.js";
import { type Cluster, startCluster } from "./cluster.js";

const clientOf = ({ settings }: Running, password = settings.CLICKHOUSE_PASSWORD!) =>
  createClient({
    url: settings.CLICKHOUSE_URL!,
    username: settings.CLICKHOUSE_USER!,
    password,
    log: { level: ClickHouseLogLevel.OFF },
  });
type Client = ReturnType<typeof clientOf>;

const rows = async (client: Client, query: string): Promise<unknown[][]> =>
  (await client.query({ query, format: "JSONCompactEachRow" })).json<unknown[]>();

describe("one server", () => {
  let server: Running;
  let client: Client;
  beforeAll(async () => {
    server = await startClickHouse({ folder: serverFolder() });
    client = clientOf(server);
    await client.command({ query: "CREATE DATABASE own ENGINE = Atomic" });
  });
  afterAll(async () => {
    await client?.close();
    await server?.stop();
  });

  it("keeps what it acknowledged, and its address, through kill -9", async () => {
    await client.command({ query: "CREATE TABLE own.kept (id UInt64) ENGINE = MergeTree ORDER BY id" });
    await client.insert({ table: "own.kept", values: [{ id: "18446744073709551615" }], format: "JSONEachRow" });
    await server.kill();
    expect(server.pids).toEqual([]);
    await expect(rows(client, "SELECT 1")).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    await server.restart();
    expect(await rows(client, "SELECT toString(id) FROM own.kept")).toEqual([["18446744073709551615"]]);
  });

  it("refuses a wrong password", async () => {
    const stranger = clientOf(server, "wrong");
    await expect(rows(stranger, "SELECT 1")).rejects.toMatchObject({ type: "AUTHENTICATION_FAILED" });
    await stranger.close();
  });

  it("moves parts whose time is over to the cold volume", async () => {
    await client.command({
      query: `CREATE TABLE own.tiered (id UInt64, at DateTime) ENGINE = MergeTree ORDER BY id PARTITION BY id
              TTL at + INTERVAL 1 DAY TO VOLUME 'cold' SETTINGS storage_policy = 'tocsin'`,
    });
    await client.command({ query: "INSERT INTO own.tiered VALUES (1, now()), (2, now() - INTERVAL 2 DAY)" });
    const found = await rows(
      client,
      "SELECT partition, disk_name FROM system.parts WHERE table = 'tiered' AND active ORDER BY partition",
    );
    expect(found).toEqual([
      ["1", "default"],
      ["2", "cold"],
    ]);
  });

  it("writes backups to its folder, and to no other", async () => {
    await client.command({ query: "CREATE DATABASE saved ENGINE = Atomic" });
    await client.command({
      query: "CREATE TABLE saved.t ENGINE = MergeTree ORDER BY n AS SELECT number AS n FROM numbers(1000)",
    });
    await client.command({ query: "BACKUP DATABASE saved TO File('first')" });
    await client.command({ query: "DROP DATABASE saved SYNC" });
    await client.command({ query: "RESTORE DATABASE saved FROM File('first')" });
    expect(await rows(client, "SELECT count(), sum(n) FROM saved.t")).toEqual([[1000, 499500]]);
    await expect(client.command({ query: "BACKUP DATABASE saved TO File('/tmp/elsewhere')" })).rejects.toThrow();
  });
});

describe("a cluster of 2 shards and 2 copies", () => {
  let cluster: Cluster;
  let clients: Client[];
  const everywhere = (query: string) => Promise.all(clients.map((client) => client.command({ query })));
  beforeAll(async () => {
    cluster = await startCluster({ folder: serverFolder() });
    clients = cluster.nodes.map((node) => clientOf(node));
    await everywhere("CREATE DATABASE own ENGINE = Atomic");
    await everywhere("CREATE TABLE own.part (id UInt64) ENGINE = ReplacingMergeTree ORDER BY id");
    await everywhere("CREATE TABLE own.whole AS own.part ENGINE = Distributed('{cluster}', own, part, cityHash64(id))");
  });
  afterAll(async () => {
    await Promise.all(clients?.map((client) => client.close()) ?? []);
    await cluster?.stop();
  });

  it("gives the addresses of all servers", () => {
    expect(cluster.settings.CLICKHOUSE_URL!.split(",")).toEqual(
      cluster.nodes.map(({ settings }) => settings.CLICKHOUSE_URL),
    );
    expect(cluster.settings.CLICKHOUSE_CLUSTER).toBe("tocsin");
  });

  it("keeps each row on both copies of one shard, and reads on with a server less", async () => {
    await clients[0]!.command({
      query: "INSERT INTO own.whole SELECT number FROM numbers(1000)",
      clickhouse_settings: { distributed_foreground_insert: 1 },
    });
    const counts = await Promise.all(
      clients.map(async (c) => Number((await rows(c, "SELECT count() FROM own.part"))[0]![0])),
    );
    expect(counts[0]).toBe(counts[1]);
    expect(counts[2]).toBe(counts[3]);
    expect(counts[0]! + counts[2]!).toBe(1000);
    expect(Math.min(...counts)).toBeGreaterThan(400);

    await cluster.nodes[3]!.kill();
    expect(cluster.pids).toHaveLength(3);
    for (const client of clients.slice(0, 3)) {
      expect(await rows(client, "SELECT count() FROM own.whole")).toEqual([[1000]]);
    }
    await cluster.nodes[3]!.restart();
    expect(await rows(clients[3]!, "SELECT count() FROM own.whole")).toEqual([[1000]]);
  });
});
