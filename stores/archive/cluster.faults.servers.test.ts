// A cluster whose servers die and come back, two shards of two replicas: nothing lost, nothing doubled, nothing half
// answered. Also where its packets lie when they are old.
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Cluster, startCluster } from "../../cli/servers/cluster.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { serverFolder } from "../../test/servers.js";
import { packet, packetContract } from "../packets.contract.js";
import { bigints, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { migrate } from "./migrate.js";
import { openArchivePackets } from "./packets.js";
import { openArchiveServers } from "./servers.js";
import { applyStorage } from "./storage.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

const ZTF = testSurvey("ZTF");
const viewer = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };
const receipt = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };

let cluster: Cluster;
const clients: ArchiveClient[] = [];

beforeAll(async () => {
  cluster = await startCluster({ folder: serverFolder() });
});
afterAll(async () => {
  for (const client of clients) await client.close();
  await cluster?.kill();
});

async function connect(database: string, storagePolicy: string | null = null): Promise<ArchiveClient> {
  const { settings } = cluster;
  const client = await openArchiveServers({
    urls: settings.CLICKHOUSE_URL!.split(","),
    user: settings.CLICKHOUSE_USER!,
    password: settings.CLICKHOUSE_PASSWORD!,
    cluster: settings.CLICKHOUSE_CLUSTER!,
    database,
    storagePolicy,
  });
  clients.push(client);
  return client;
}

const night = (batch: number, count: number): TestAlert[] =>
  Array.from({ length: count }, (_, n) => {
    const candid = BigInt(batch * 1000 + n + 1);
    const jd = 2460000.5 + n / 1000;
    return {
      ...{ candid, objectId: `o${(batch * 7 + n) % 97}`, jd, ra: 10, dec: 20 },
      points: [{ kind: 1 as const, pointId: candid, jd }],
    };
  });

async function takeIn({ alerts, batches }: ArchiveStores, batch: number, written: TestAlert[]): Promise<void> {
  const id = batches.begin();
  await alerts.write(id, testBatch(ZTF, written), testHashes(written), testLocations(written));
  await batches.commit(id, { ...receipt, stored: written.length });
  expect(batch).toBeGreaterThanOrEqual(0);
}

/** As ingest does: until it is stored. */
async function persistently(work: () => Promise<void>): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      await work();
      return tries;
    } catch (error) {
      if ((error as { code?: string }).code !== "ENGINE_UNAVAILABLE" || tries > 600) throw error;
      await delay(50);
    }
  }
}

it("stores every batch on both replicas, each row once, though replicas die while it is stored", async () => {
  const client = await connect("faults");
  const stores = await createArchiveStores(client, [ZTF]);
  let tries = 0;
  for (let batch = 0; batch < 12; batch++) {
    const victim = cluster.nodes[batch % 4]!;
    const work = persistently(() => takeIn(stores, batch, night(batch, 300)));
    if (batch % 2 === 0) {
      await delay(batch * 3);
      await victim.kill();
      // Long enough for a try to fail.
      await delay(150);
      await victim.restart();
    }
    tries += await work;
  }
  expect(tries).toBeGreaterThan(12);

  for (const [table, key] of [
    ["alerts_ztf", "(jd, candid, objectId)"],
    ["object_alerts", "(survey, objectId, jd, candid)"],
    ["tellings", "(survey, objectId, kind, pointId, valuesHash)"],
    // Batches that failed half-way may have left rows with one replica; they are nobody's.
    ["alert_index", "(survey, candid)"],
    ["positions", "(cell, survey, objectId, programid)"],
    ["batches", "batch"],
  ] as const) {
    const sums: string[] = [];
    for (const node of client.cluster!.nodes) {
      const kept = await node.query(
        `SELECT toString((count(), sum(cityHash64(key)))) AS sum FROM (SELECT DISTINCT ${key} AS key FROM ${table}_local)`,
      );
      sums.push(strings(kept, "sum")[0]!);
    }
    expect([table, sums[0], sums[2]]).toEqual([table, sums[1], sums[3]]);
  }
  const distinct = await client.query("SELECT uniqExact(candid) AS n FROM alerts_ztf");
  expect(bigints(distinct, "n")).toEqual(BigUint64Array.of(3600n));
  const seen = await stores.alerts.page(viewer, {}, 5000, null);
  expect(new Set(seen.map(({ candid }) => candid)).size).toBe(3600);
  expect(seen).toHaveLength(3600);
  const objects = await stores.objects.byIds(viewer, "ZTF", ["o0", "o50"]);
  const expected = (name: string) =>
    Array.from({ length: 12 }, (_, batch) => night(batch, 300))
      .flat()
      .filter(({ objectId }) => objectId === name).length;
  expect([objects.get("o0")?.alertCount, objects.get("o50")?.alertCount]).toEqual([expected("o0"), expected("o50")]);
});

it("answers with one replica of each shard away, and takes nothing in then", async () => {
  const client = await connect("faults");
  const stores = await createArchiveStores(client, [ZTF]);
  await Promise.all([cluster.nodes[0]!.kill(), cluster.nodes[3]!.kill()]);
  try {
    for (let round = 0; round < 8; round++) {
      expect(await stores.alerts.page(viewer, {}, 5000, null)).toHaveLength(3600);
      expect((await stores.photometry.lightCurves(viewer, "ZTF", ["o0"])).get("o0")!.detections.length).toBeGreaterThan(
        30,
      );
    }
    await expect(takeIn(stores, 50, night(50, 100))).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    // A service that starts now finds what it needs.
    const late = await createArchiveStores(await connect("faults"), [ZTF]);
    expect((await late.alerts.page(viewer, {}, 10, null)).length).toBe(10);
    await expect(connect("fresh").then(migrate)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    // With a shard gone, nobody is told a part for the whole.
    await cluster.nodes[1]!.kill();
    await expect(stores.alerts.page(viewer, {}, 5000, null)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  } finally {
    await Promise.all([0, 1, 3].map((n) => cluster.nodes[n]!.restart()));
  }
  await vi.waitFor(() => takeIn(stores, 50, night(50, 100)), { timeout: 20_000, interval: 100 });
  expect(await stores.alerts.page(viewer, {}, 5000, null)).toHaveLength(3700);
});

it("passes over a server that is frozen, and comes back to it", async () => {
  const client = await connect("faults");
  const ask = () => client.query("SELECT count() AS n FROM batches", {}, { timeoutMs: 1_000 });
  cluster.nodes[2]!.freeze();
  try {
    const asked: string[] = [];
    for (let n = 0; n < 12; n++) {
      asked.push(
        await ask().then(
          () => "answered",
          (error: { code: string }) => error.code,
        ),
      );
    }
    expect(asked.filter((answer) => answer !== "answered").length).toBeLessThanOrEqual(2);
  } finally {
    cluster.nodes[2]!.thaw();
  }
  await vi.waitFor(async () => {
    for (let n = 0; n < 8; n++) await ask();
  }, 20_000);
});

it("migrates once when several processes start together", async () => {
  const together = await Promise.all([1, 2, 3, 4].map(() => connect("together")));
  await Promise.all(together.map((client) => createArchiveStores(client, [ZTF])));
  const keys = await Promise.all(together.map(async (c) => (await createArchiveStores(c, [ZTF])).hits.cursorKey()));
  expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
  const rows = await together[0]!.query("SELECT count() AS n FROM keys");
  expect(Number(bigints(rows, "n")[0])).toBeGreaterThan(0);
});

it("refuses addresses that are not the whole cluster", async () => {
  const { settings } = cluster;
  const urls = settings.CLICKHOUSE_URL!.split(",");
  const address = {
    ...{ user: settings.CLICKHOUSE_USER!, password: settings.CLICKHOUSE_PASSWORD!, database: "d", storagePolicy: null },
  };
  for (const wrong of [
    { urls, cluster: null },
    { urls, cluster: "other" },
    { urls: urls.slice(0, 3), cluster: "tocsin" },
  ]) {
    await expect(openArchiveServers({ ...address, ...wrong })).rejects.toMatchObject({ code: "BAD_SETTING" });
  }
});

let packets: ArchiveClient;
let databases = 0;
packetContract(
  async () => {
    packets = await connect(`packets${++databases}`);
    await migrate(packets);
    return openArchivePackets(packets);
  },
  async () => openArchivePackets(packets),
);

it("moves old packets to the cold volume, on every server, and reads them there", async () => {
  const client = await connect("tiers", "tocsin");
  await migrate(client);
  await applyStorage(client, { coldDays: 7 });
  const store = openArchivePackets(client);
  const old = Date.now() - 8 * 86_400_000;
  const now = vi.spyOn(Date, "now").mockReturnValue(old);
  const locations = await store.append([packet(1), packet(2)]);
  now.mockRestore();
  const [young] = await store.append([packet(3)]);
  const disks = async (node: ArchiveClient) => {
    const block = await node.query(
      "SELECT disk_name, toString(sum(rows)) AS n FROM system.parts WHERE database = 'tiers' AND table = 'packets_local' AND active GROUP BY disk_name ORDER BY disk_name",
    );
    return strings(block, "disk_name").map((disk, row) => `${disk}: ${strings(block, "n")[row]}`);
  };
  await vi.waitFor(
    async () => {
      const all = (await Promise.all(client.cluster!.nodes.map(disks))).flat().sort();
      expect(all).toEqual(["cold: 2", "cold: 2", "default: 1", "default: 1"]);
    },
    { timeout: 30_000, interval: 200 },
  );
  for (const [n, location] of [...locations, young!].entries()) {
    expect((await store.read(location)).bytes).toEqual(packet(n + 1).bytes);
  }
  const policies = await client.cluster!.nodes[3]!.query(
    "SELECT DISTINCT storage_policy AS p FROM system.tables WHERE database = 'tiers' AND engine LIKE '%MergeTree'",
  );
  expect(strings(policies, "p")).toEqual(["tocsin"]);
  await expect(applyStorage(await connect("faults", "tocsin"), {})).rejects.toMatchObject({ code: "BAD_SETTING" });
});
