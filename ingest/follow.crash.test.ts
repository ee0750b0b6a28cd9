// A process that is killed anywhere between archive and graph, on the real engines of both: the next start's catchUp links
// every hit and pair that the archive holds.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Viewer } from "../domain/viewer.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { openGrafeo } from "../stores/graph/grafeo.js";
import { createGraphStores } from "../stores/graph/stores.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { createGraphFollower } from "./follow.js";

const owner: Viewer = { scope: "owner", mayChange: true, programids: new Map([["ZTF", "all"]]) };

/** Stores hits and pairs in the archive and lets the graph follow, batch after batch, until it is killed. */
const SERVICE = `
import { runnerImport } from ${JSON.stringify(import.meta.resolve("vite"))};
const load = async (file) =>
  (await runnerImport(${JSON.stringify(fileURLToPath(new URL("..", import.meta.url)))} + file, { configFile: false, logLevel: "error" })).module;
const { connectArchive } = await load("stores/archive/http.ts");
const { createArchiveStores } = await load("stores/archive/stores.ts");
const { openGrafeo } = await load("stores/graph/grafeo.ts");
const { createGraphStores } = await load("stores/graph/stores.ts");
const { createGraphFollower } = await load("ingest/follow.ts");
const { path, filterId, stopBeforeGraph, ...address } = JSON.parse(process.argv[1]);
const archive = await createArchiveStores(connectArchive(address), []);
const { links } = await createGraphStores(openGrafeo(path));
const follower = createGraphFollower({ ...archive, links, scope: "hits" });
await archive.sequence.begin(0);
await follower.catchUp();
for (let n = Number(await archive.hits.lastSeq()); ; n += 40) {
  const objects = Array.from({ length: 40 }, (_, i) => ({ survey: "ZTF", objectId: "ZTF" + (n + i) }));
  const batchId = archive.batches.begin();
  const hits = objects.map((object, i) => ({ ...object, filterId, filterVersion: 1,
    candid: 9007199254740993n + BigInt(n + i), jd: 2460000.5, programid: 1, annotations: null, passedAt: 1 }));
  const pairs = objects.map((a) => ({ a, b: { survey: "LSST", objectId: a.objectId }, separationArcsec: 0.5 }));
  await archive.sequence.number([batchId], new Map([[batchId, { hits, pairs }]]));
  console.log("stored");
  if (stopBeforeGraph) await new Promise((resolve) => setTimeout(resolve, 600000));
  await follower.catchUp();
  console.log("linked");
}`;

let archive: TestArchive;
let dir: string;
beforeAll(async () => {
  archive = await startTestArchive();
  dir = mkdtempSync(join(tmpdir(), "tocsin-crash-"));
});
afterAll(async () => {
  await archive?.stop();
  rmSync(dir, { recursive: true });
});

it("heals after kill -9 at any moment between archive and graph", async () => {
  const path = join(dir, "graph");
  const { url, user, password, client } = archive;
  const first = openGrafeo(path);
  const { filters } = await createGraphStores(first);
  const { id } = await filters.create({ name: "f", survey: "ZTF", where: "true", annotations: [], active: true });
  await first.close();
  const address = { url, user, password, database: client.database, path, filterId: id };

  for (const lines of [1, 6, 11, 15]) {
    const stopBeforeGraph = lines === 1;
    const settings = JSON.stringify({ ...address, stopBeforeGraph });
    const child = spawn(process.execPath, ["--input-type=module", "-e", SERVICE, settings], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let seen = 0;
    for await (const _ of createInterface({ input: child.stdout })) {
      seen += 1;
      if (seen === lines) child.kill("SIGKILL");
    }
    expect(seen).toBeGreaterThanOrEqual(lines);

    const graph = openGrafeo(path);
    const { links } = await createGraphStores(graph);
    const { hits, counterparts } = await createArchiveStores(client, []);
    if (stopBeforeGraph) expect([await links.checkpoint("hits"), await hits.lastSeq()]).toEqual([0n, 40n]);
    await createGraphFollower({ hits, counterparts, links, scope: "hits" }).catchUp();
    const stored = await hits.since(0n, 100_000);
    const passed = await links.passedFilters(owner, stored);
    const linked = await links.counterparts(stored);
    expect(stored.length).toBeGreaterThanOrEqual(40);
    expect(stored.filter(({ objectId, seq }) => passed.get(`ZTF:${objectId}`)?.[0]?.last.seq !== seq)).toEqual([]);
    const pairs = await counterparts.since(0n, 100_000);
    expect(pairs.length).toBeGreaterThanOrEqual(stored.length - 40);
    expect(linked.size).toBe(pairs.length);
    await graph.close();
  }
});
