// A backup of a cluster: each server writes and reads its own share, and what they hold together is compared.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { strings } from "../stores/archive/blocks.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { openArchivePackets } from "../stores/archive/packets.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { packet } from "../stores/packets.contract.js";
import { testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import { serverFolder } from "../test/servers.js";
import { backup, restore } from "./backup.js";
import { openArchive } from "./engines.js";
import { type Cluster, startCluster } from "./servers/cluster.js";
import { readSettings } from "./settings.js";

const log = pino({ level: "silent" });
const TABLES = [
  "alerts_ztf",
  "alert_index",
  "object_alerts",
  "positions",
  "packets",
  "packet_schemas",
  "keys",
  "tellings",
];
let cluster: Cluster;
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tocsin-backup-"));
  cluster = await startCluster({ folder: serverFolder() });
});
afterAll(async () => {
  await cluster?.kill();
  await rm(root, { recursive: true, force: true });
});

const options = (dataDir: string, more: Record<string, string> = {}) => ({
  settings: readSettings({ ...cluster.settings, DATA_DIR: join(root, dataDir), LOG_LEVEL: "silent", ...more }),
  folder: join(root, "backup"),
  serverDisk: null,
  log,
});

async function connected<T>(work: (client: ArchiveClient) => Promise<T>): Promise<T> {
  const archive = await openArchive(options("a").settings, log);
  return work(archive.client).finally(() => archive.close());
}

const sums = (client: ArchiveClient): Promise<string[]> =>
  Promise.all(
    TABLES.map(async (table) => {
      const sum = await client.query(
        `SELECT toString((count(), groupBitXor(row))) AS sum FROM (SELECT DISTINCT sipHash64(toString(tuple(*))) AS row FROM ${table})`,
      );
      return `${table} ${strings(sum, "sum")[0]}`;
    }),
  );

it("comes back whole, on both replicas of each shard", async () => {
  const survey = testSurvey("ZTF");
  const written = Array.from({ length: 500 }, (_, n) => ({
    ...{ candid: BigInt(n), objectId: `o${n % 90}`, jd: 2460000.5 + n, ra: n / 2, dec: 2 },
    points: [{ kind: 1 as const, pointId: BigInt(n), jd: 2460000.5 + n }],
  }));
  const { before, location } = await connected(async (client) => {
    const { alerts, batches } = await createArchiveStores(client, [survey]);
    await alerts.write(batches.begin(), testBatch(survey, written), testHashes(written), testLocations(written));
    const [location] = await openArchivePackets(client).append([packet(7)]);
    return { before: await sums(client), location: location! };
  });
  expect(before[0]).toMatch(/^alerts_ztf \(500,/);
  await backup(options("a"));
  expect((await readdir(join(root, "backup"))).sort()).toEqual(["graph.jsonl", "manifest.json"]);
  await expect(restore(options("b"))).rejects.toMatchObject({ code: "TARGET_NOT_EMPTY" });

  await connected(async (client) => {
    for (const node of client.cluster!.nodes) await node.command("DROP DATABASE tocsin SYNC");
  });
  const { archive } = await restore(options("c"));
  expect(archive.rows).toMatchObject({ alerts_ztf: 500, positions: 500, tellings: 500 });
  await connected(async (client) => {
    expect(await sums(client)).toEqual(before);
    expect((await openArchivePackets(client).read(location)).bytes).toEqual(packet(7).bytes);
    const { alerts } = await createArchiveStores(client, [survey]);
    const viewer = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };
    for (const gone of [cluster.nodes[0]!, cluster.nodes[3]!]) await gone.kill();
    expect(await alerts.page(viewer, {}, 1000, null)).toHaveLength(500);
  });
  for (const gone of [cluster.nodes[0]!, cluster.nodes[3]!]) await gone.restart();
});

it("says what the servers' configuration lacks", async () => {
  const elsewhere = { ...options("a"), folder: join(root, "other"), serverDisk: "cold" };
  await expect(backup(elsewhere)).rejects.toMatchObject({
    code: "BAD_SETTING",
    remedy: expect.stringContaining("allowed_disk"),
  });
  expect(await readdir(root)).not.toContain("other");
  const named = options("d", { CLICKHOUSE_DATABASE: "another" });
  await expect(restore(named)).rejects.toMatchObject({ code: "BAD_BACKUP" });
});
