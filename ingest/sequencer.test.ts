// Several processes that commit batches and number them in turns, on a real archive and graph: every hit gets one seq, and
// whoever listens anywhere hears of each once, also when the one that numbers freezes in the middle and comes back.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Alert } from "../domain/alert.js";
import type { Hit, NewHit } from "../domain/filter.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { openGrafeo } from "../stores/graph/grafeo.js";
import type { Graph } from "../stores/graph/graph.js";
import { createLease } from "../stores/graph/lease.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { testSurvey } from "../test/batches.js";
import { until } from "../test/until.js";
import { createSequencer, type Sequencer } from "./sequencer.js";

let engine: TestArchive;
let graph: Graph;
let folder: string;
beforeAll(async () => {
  engine = await startTestArchive();
  folder = mkdtempSync(join(tmpdir(), "tocsin-sequencer-"));
  graph = openGrafeo(join(folder, "graph"));
  await graph.migrate();
});
afterAll(async () => {
  await graph?.close();
  await engine?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const hit = (candid: bigint): NewHit => ({
  ...{ filterId: "f", filterVersion: 1, survey: "ZTF", candid, objectId: `o${candid}`, jd: 2459000.5, programid: 1 },
  annotations: null,
});

class Worker {
  readonly told: bigint[] = [];
  woken = 0;
  /** What number() waits for before it reaches the archive: a process that is frozen there. */
  frozen: Promise<void> | null = null;
  readonly sequencer: Sequencer;

  constructor(
    name: string,
    readonly stores: ArchiveStores,
  ) {
    const { sequence } = stores;
    this.sequencer = createSequencer({
      sequence: {
        begin: (...of) => sequence.begin(...of),
        pending: (...of) => sequence.pending(...of),
        number: async (...of) => {
          await this.frozen;
          return sequence.number(...of);
        },
      },
      lease: createLease(graph, "sequencer", { holder: name, seconds: 2 }),
      shared: true,
      publish: (hits) => this.told.push(...hits.map(({ seq }) => seq)),
      wake: () => {
        this.woken += 1;
      },
      followers: [],
      outages: { failed() {}, over() {} },
    });
  }

  async commit(candids: readonly bigint[]): Promise<void> {
    const batchId = this.stores.batches.begin();
    const hits = candids.map((candid) => ({ ...hit(candid), passedAt: Date.now() }));
    await this.stores.hits.found(batchId, hits);
    const receipt = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
    await this.stores.batches.commit(batchId, receipt);
    await this.sequencer.committed({ batchId, hits, pairs: [], alertOf: (candid) => ({ candid }) as Alert });
  }
}

test("hits of all are numbered once, by one at a time", async () => {
  const open = () => createArchiveStores(engine.client, [testSurvey("ZTF")]);
  const [a, b] = [new Worker("a", await open()), new Worker("b", await open())];
  await a.sequencer.start();
  await b.sequencer.start();
  expect([a.sequencer.epoch, b.sequencer.epoch]).toEqual([1n, null]);

  const all = async (): Promise<Hit[]> => a.stores.hits.since(0n, 1_000);
  const candids = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => BigInt(from + n));
  // b's batches are found by a; alerts that both took in count once.
  await Promise.all([a.commit(candids(0, 10)), b.commit(candids(5, 15))]);
  let found: Hit[] = [];
  const reading = async (count: number) => {
    found = await all();
    return found.length >= count;
  };
  const numbered = async (count: number) => {
    const deadline = Date.now() + 20_000;
    while (!(await reading(count)) && Date.now() < deadline);
    expect(found.map(({ seq }) => seq)).toEqual(candids(1, count + 1));
    expect(new Set(found.map(({ candid }) => candid)).size).toBe(count);
  };
  await numbered(15);
  expect(a.woken).toBeGreaterThan(0);

  // a freezes on its way to the archive, longer than its lease.
  let thaw = () => {};
  a.frozen = new Promise<void>((resolve) => {
    thaw = resolve;
  });
  const late = a.commit(candids(20, 30));
  await until("the other to take over", () => b.sequencer.epoch !== null, 20_000);
  expect(b.sequencer.epoch).toBe(2n);
  await numbered(25);
  await b.commit(candids(30, 35));
  thaw();
  a.frozen = null;
  await late;
  await a.commit(candids(40, 45));
  await numbered(35);
  expect(a.sequencer.epoch).toBeNull();
  expect(a.told.filter((seq) => seq > 15n)).toEqual([]);
  expect(b.told).toEqual([...new Set(b.told)].toSorted((x, y) => Number(x - y)));

  // An orderly end: the other one takes over at once.
  await b.sequencer.close();
  await until("the first one again", () => a.sequencer.epoch !== null, 5_000);
  expect(a.sequencer.epoch).toBe(3n);
  await a.commit(candids(45, 50));
  await numbered(40);
  await a.sequencer.close();
});
