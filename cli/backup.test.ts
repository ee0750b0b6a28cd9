// A backup of a service that has taken in real packets, restored into an empty folder: every table, the graph and a cutout
// are what they were. And backups and targets that must be refused.
import { appendFile, cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { strings } from "../stores/archive/blocks.js";
import { startEmbeddedArchive } from "../stores/archive/engine/embedded.js";
import { connectArchive } from "../stores/archive/http.js";
import { startTestService } from "../test/service.js";
import { SHARED } from "../test/shared.js";
import { backup, restore } from "./backup.js";
import { readSettings } from "./settings.js";

const log = pino({ level: "silent" });
let root: string;
let folder: string;
let source: string;
let before: { cutout: Buffer; filters: unknown; alerts: unknown };

const options = (dataDir: string, to = folder) => ({
  settings: readSettings({ DATA_DIR: dataDir, SKY_INDEX_MB: "0", LOG_LEVEL: "silent" }),
  folder: to,
  serverDisk: null,
  log,
});

/** What a user sees. */
async function seen(dataDir: string): Promise<typeof before> {
  const service = await startTestService({ DATA_DIR: dataDir, SKY_INDEX_MB: "0", LOG_LEVEL: "silent" });
  try {
    const { alerts } = await service.ask<{ alerts: { edges: { node: { candid: string } }[] } }>(
      "{ alerts(where: { survey: ZTF }, first: 30) { edges { node { candid objectId magnitude } } } }",
    );
    const filters = await service.ask("{ filters(first: 10) { edges { node { id name } } } }");
    const candid = alerts.edges[0]!.node.candid;
    const answer = await fetch(`${service.url}/cutouts/ZTF/${candid}/science.fits`);
    expect(answer.status).toBe(200);
    return { cutout: Buffer.from(await answer.arrayBuffer()), filters, alerts };
  } finally {
    await service.close();
  }
}

/** Count and hash of each table's rows, whatever their order and repetition, and whatever has been merged already. */
async function tables(dataDir: string): Promise<Map<string, string>> {
  const { url, user, password, stop } = await startEmbeddedArchive({ dataDir: join(dataDir, "archive") }).then(
    (engine) => ({
      ...{ url: engine.url, user: engine.user, password: engine.password, stop: () => engine.stop() },
    }),
  );
  const client = connectArchive({ url, user, password, database: "tocsin" });
  try {
    const all = await client.query(
      `SELECT name, if(engine LIKE '%Replacing%', concat(name, ' FINAL'), name) AS rows
      FROM system.tables WHERE database = 'tocsin' ORDER BY name`,
    );
    const [names, rows] = [strings(all, "name"), strings(all, "rows")];
    const sums = new Map<string, string>();
    for (const [n, name] of names.entries()) {
      const sum = await client.query(
        `SELECT toString((count(), groupBitXor(row))) AS sum FROM (SELECT DISTINCT sipHash64(toString(tuple(*))) AS row FROM ${rows[n]})`,
      );
      sums.set(name, strings(sum, "sum")[0]!);
    }
    return sums;
  } finally {
    await client.close();
    await stop();
  }
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tocsin-backup-"));
  source = join(root, "data");
  folder = join(root, "backup");
  const service = await startTestService({ DATA_DIR: source, SKY_INDEX_MB: "0", LOG_LEVEL: "silent" });
  await service.ask('mutation { createFilter(input: { name: "kept", survey: ZTF, where: "magpsf < 30" }) { id } }');
  await writeFile(join(root, "broken.avro"), "no packet");
  await service.ingest(join(SHARED, "data/ztf/20200202"), join(root, "broken.avro"));
  await service.close();
  before = await seen(source);
  await backup(options(source));
});
afterAll(() => rm(root, { recursive: true, force: true }));

it("comes back as it was, in an empty folder", async () => {
  const target = join(root, "restored");
  const { archive, files } = await restore(options(target));
  expect(archive.rows).toMatchObject({ alerts_ztf: 12, alert_index: 12, dead_letters: 1 });
  expect(files.map(({ path }) => path)).toContain("graph.jsonl");
  const [was, is] = [await tables(source), await tables(target)];
  expect(is).toEqual(was);
  expect(was.size).toBeGreaterThan(12);
  expect(await seen(target)).toEqual(before);
  expect(before.cutout.length).toBeGreaterThan(5000);
  expect(await readdir(join(target, "archive"))).not.toContain("backups");
  // It goes on as any other.
  const service = await startTestService({ DATA_DIR: target, SKY_INDEX_MB: "0", LOG_LEVEL: "silent" });
  const counts = await service.ingest(join(SHARED, "data/ztf/20200202"));
  expect(counts).toMatchObject({ stored: 0, duplicates: 12 });
  await service.close();
});

it("leaves the service's folder as it was, and nothing of its own there", async () => {
  expect(await readdir(join(source, "archive"))).not.toContain("backups");
  expect(await seen(source)).toEqual(before);
});

it("is refused where something is already", async () => {
  await expect(restore(options(source))).rejects.toMatchObject({ code: "TARGET_NOT_EMPTY" });
  await expect(backup(options(source))).rejects.toMatchObject({ code: "TARGET_NOT_EMPTY" });
  const service = await startTestService({ DATA_DIR: source, SKY_INDEX_MB: "0", LOG_LEVEL: "silent" });
  await expect(backup(options(source, join(root, "meanwhile")))).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
  await service.close();
});

it("is refused where a byte of it has changed, or it is of servers", async () => {
  const damaged = join(root, "damaged");
  await cp(folder, damaged, { recursive: true });
  await appendFile(join(damaged, "packets", "00000001.seg"), "x");
  const target = join(root, "never");
  await expect(restore(options(target, damaged))).rejects.toMatchObject({ code: "BAD_BACKUP" });
  await expect(restore(options(target, join(root, "nothing")))).rejects.toMatchObject({ code: "BAD_BACKUP" });
  const settings = readSettings({ DATA_DIR: target, CLICKHOUSE_URL: "http://127.0.0.1:1" });
  await expect(restore({ ...options(target), settings })).rejects.toMatchObject({ code: "BAD_BACKUP" });
  expect(await readdir(root)).not.toContain("never");
});
