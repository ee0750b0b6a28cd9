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
import type { Follower } from "./sequencer.followers.js";
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
  /** Batches in memory at the last call of number(). */
  inMemory = 0;
  /** What the lease's keeper waits for before it answers. */
  silence: Promise<void> | null = null;
  /** What number() waits for before it reaches the archive: a process that is frozen there. */
  frozen: Promise<void> | null = null;
  /** Called before each round: what others do meanwhile. */
  meanwhile: () => Promise<unknown> = async () => {};
  readonly sequencer: Sequencer;

  constructor(
    name: string,
    readonly stores: ArchiveStores,
    followers: readonly Follower[] = [],
  ) {
    const { sequence } = stores;
    const lease = createLease(graph, "sequencer", { holder: name, seconds: 2 });
    this.sequencer = createSequencer({
      sequence: {
        begin: (...of) => sequence.begin(...of),
        pending: (...of) => sequence.pending(...of),
        number: async (...of) => {
          await this.frozen;
          await this.meanwhile();
          this.inMemory = of[1].size;
          return sequence.number(...of);
        },
      },
      lease: {
        ...lease,
        hold: async () => {
          await this.silence;
          return lease.hold();
        },
      },
      shared: true,
      publish: (hits) => this.told.push(...hits.map(({ seq }) => seq)),
      wake: () => {
        this.woken += 1;
      },
      followers,
      outages: { failed() {}, over() {} },
    });
  }

  /** `untold`: the answer of the commit is late, and others find the batch before. */
  async commit(candids: readonly bigint[], untold: () => Promise<void> = async () => {}): Promise<void> {
    const batchId = this.stores.batches.begin();
    const hits = candids.map((candid) => ({ ...hit(candid), passedAt: Date.now() }));
    await this.stores.hits.found(batchId, hits);
    const receipt = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
    await this.stores.batches.commit(batchId, receipt);
    await untold();
    await this.sequencer.committed({
      batchId,
      hits,
      pairs: [],
      areNew: false,
      alertOf: (candid) => ({ candid }) as Alert,
    });
    await this.sequencer.followed();
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

test("an outage of those who follow is over where another process has taken the numbering", async () => {
  const { sequence } = await createArchiveStores(engine.client, [testSurvey("ZTF")]);
  const told: string[] = [];
  const own = createLease(graph, "outage", { holder: "own", seconds: 60 });
  const sequencer = createSequencer({
    sequence,
    lease: own,
    shared: true,
    publish: () => {},
    wake: () => {},
    followers: [{ isAwaited: false, catchUp: () => Promise.reject(new Error("Kafka is away")) }],
    outages: {
      failed: ({ message }) => void told.push(message),
      over: ({ message }) => void told.push(`no more: ${message}`),
    },
  });
  await sequencer.start();
  await until("the outage", () => told.length > 0);
  await own.release();
  const other = createLease(graph, "outage", { holder: "other", seconds: 60 });
  expect(await other.hold()).toBe(2n);
  await until("its end", () => told.at(-1) === "no more: Kafka is away");
  expect(sequencer.epoch).toBeNull();
  expect(new Set(told)).toEqual(new Set(["Kafka is away", "no more: Kafka is away"]));
  await sequencer.close();
});

async function leading(name: string, followers: readonly Follower[] = []): Promise<Worker> {
  const worker = new Worker(name, await createArchiveStores(engine.client, [testSurvey("ZTF")]), followers);
  await worker.sequencer.start();
  await until("the lease", () => worker.sequencer.epoch !== null, 10_000);
  return worker;
}

test("who follows has followed everything when the process ends in good order, though it failed a moment before", async () => {
  let isAway = false;
  let linked = 0n;
  const follower: Follower = {
    isAwaited: true,
    async catchUp() {
      if (isAway) throw new Error("the graph is away");
      linked = await worker.stores.hits.lastSeq();
    },
  };
  const worker = new Worker("ends", await createArchiveStores(engine.client, [testSurvey("ZTF")]), [follower]);
  await worker.sequencer.start();
  await until("the lease", () => worker.sequencer.epoch !== null, 10_000);
  isAway = true;
  await worker.commit([90n]);
  const last = await worker.stores.hits.lastSeq();
  expect(linked).toBeLessThan(last);
  isAway = false;
  await worker.sequencer.close();
  expect(linked).toBe(last);
});

test("a batch that was numbered before its worker heard of its commit leaves memory", async () => {
  const a = await leading("a");
  const before = await a.stores.hits.lastSeq();
  await a.commit([100n], async () => {
    while ((await a.stores.hits.lastSeq()) === before);
  });
  await a.commit([101n]);
  expect(a.inMemory).toBeLessThanOrEqual(1);
  await a.sequencer.close();
});

test("a batch does not wait for those that others commit meanwhile; they are numbered too", async () => {
  const calls: bigint[] = [];
  const follower = { isAwaited: true, catchUp: async () => void calls.push(await a.stores.hits.lastSeq()) };
  const a: Worker = await leading("a", [follower]);
  const b = new Worker("b", a.stores);
  const before = await a.stores.hits.lastSeq();
  let committed = 0n;
  let isDone = false;
  a.meanwhile = async () => {
    if (!isDone) await b.commit([10_000n + committed++]);
  };
  // Would never end if it waited until nothing is left.
  await a.commit([9_999n]);
  isDone = true;
  await until("those of the other", () => calls.at(-1) === before + committed + 1n);
  expect(committed).toBeGreaterThan(0n);
  await a.sequencer.close();
});

test("numbering does not wait for a lease's keeper or a graph that has fallen silent", async () => {
  let thaw = () => {};
  let silence: Promise<void> | null = null;
  let failures = 0;
  const away = {
    isAwaited: true,
    async catchUp() {
      if (silence === null) return;
      if (failures > 0) await silence;
      failures += 1;
      throw new Error("the graph is away");
    },
  };
  const a = await leading("a", [away]);
  silence = new Promise<void>((resolve) => {
    thaw = resolve;
  });
  a.silence = silence;
  const deadline = performance.now() + 5_000;
  for (let candid = 200n; performance.now() < deadline; candid += 1n) await a.commit([candid]);
  expect(failures).toBe(1);
  thaw();
  await a.sequencer.close();
});
