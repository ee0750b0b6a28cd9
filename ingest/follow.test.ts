// The follower on a real embedded graph: what it links, and that a crash at any point heals by itself.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AlertBatch } from "../domain/alert.js";
import type { Hit } from "../domain/filter.js";
import type { Viewer } from "../domain/viewer.js";
import { openGrafeo } from "../stores/graph/grafeo.js";
import { type Graph, statement } from "../stores/graph/graph.js";
import { createGraphStores, type GraphStores } from "../stores/graph/stores.js";
import { type CounterpartPair, type LinkStore, objectKey } from "../stores/links.store.js";
import { createGraphFollower, type GraphFollower } from "./follow.js";

const owner: Viewer = {
  scope: "owner",
  mayChange: true,
  programids: new Map([
    ["ZTF", "all"],
    ["LSST", "all"],
  ]),
};
const OBJECTS = statement<Record<never, never>, { key: string }>("MATCH (o:Object) RETURN o.key AS key ORDER BY key");
const ztf = (n: number) => ({ survey: "ZTF", objectId: `ZTF${n}` });
const lsst = (n: number) => ({ survey: "LSST", objectId: `${10n ** 18n + BigInt(n)}` });

/** Two feeds of an archive, as they stand at the moment. */
class Feeds {
  readonly stored: Hit[] = [];
  readonly pairs: (CounterpartPair & { seq: bigint })[] = [];
  /** Reads of hits so far. */
  reads = 0;

  constructor(readonly filterId: string) {}

  readonly hits = {
    lastSeq: async () => this.stored.at(-1)?.seq ?? 0n,
    since: async (after: bigint, first: number) => {
      this.reads += 1;
      return this.stored.filter(({ seq }) => seq > after).slice(0, first);
    },
  };
  readonly counterparts = {
    since: async (after: bigint, first: number) => this.pairs.filter(({ seq }) => seq > after).slice(0, first),
  };

  add(count: number): void {
    const from = this.stored.length;
    for (let n = from + 1; n <= from + count; n += 1) {
      this.stored.push({
        ...ztf(n),
        filterId: this.filterId,
        filterVersion: 1,
        candid: 2_459_000_000_000_000_000n + BigInt(n),
        jd: 2_460_000.5 + n,
        programid: 1,
        annotations: null,
        seq: BigInt(n),
        passedAt: 1_790_000_000_000,
      });
      this.pairs.push({ a: ztf(n), b: lsst(n), separationArcsec: 0.5, seq: BigInt(n) });
    }
  }
}

describe("graph follower", () => {
  let dir: string;
  let graph: Graph;
  let stores: GraphStores;
  let feeds: Feeds;
  let follower: GraphFollower;

  async function open(): Promise<void> {
    graph = openGrafeo(join(dir, "graph"), { shuffleUnordered: true });
    stores = await createGraphStores(graph);
  }
  const follow = (links: LinkStore = stores.links, scope: "hits" | "all" = "hits") =>
    createGraphFollower({ hits: feeds.hits, counterparts: feeds.counterparts, links, scope });

  /** Everything the feeds hold is in the graph, and nothing else. */
  async function expectLinked(): Promise<void> {
    const passed = await stores.links.passedFilters(owner, feeds.stored);
    expect([...passed].map(([key, edges]) => [key, edges.map(({ last }) => last.seq)]).sort()).toEqual(
      feeds.stored.map((hit) => [objectKey(hit), [hit.seq]]).sort(),
    );
    const counterparts = await stores.links.counterparts(feeds.pairs.map(({ b }) => b));
    expect([...counterparts].map(([key, list]) => [key, list.map(objectKey)]).sort()).toEqual(
      feeds.pairs.map(({ a, b }) => [objectKey(b), [objectKey(a)]]).sort(),
    );
    const last = BigInt(feeds.stored.length);
    expect([await stores.links.checkpoint("hits"), await stores.links.checkpoint("counterparts")]).toEqual([
      last,
      last,
    ]);
  }

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-follow-"));
    await open();
    const filter = await stores.filters.create({
      name: "f",
      survey: "ZTF",
      where: "true",
      annotations: [],
      active: true,
    });
    feeds = new Feeds(filter.id);
    follower = follow();
  });
  afterEach(async () => {
    await graph.close();
    rmSync(dir, { recursive: true });
  });

  it("links nothing of an empty archive", async () => {
    await follower.catchUp();
    await expectLinked();
  });

  it("links page after page, then only what is new", async () => {
    feeds.add(2_000);
    await follower.catchUp();
    await expectLinked();
    feeds.reads = 0;
    feeds.add(3);
    await follower.catchUp();
    expect(feeds.reads).toBe(1);
    await expectLinked();
  });

  it("serves calls that overlap one after the other", async () => {
    feeds.add(10);
    const calls = [follower.catchUp(), follower.catchUp()];
    feeds.add(5);
    await Promise.all([...calls, follower.catchUp()]);
    await expectLinked();
  });

  it("heals after a stop between archive and graph", async () => {
    feeds.add(5);
    await follower.catchUp();
    feeds.add(5);
    await graph.close();
    await open();
    await follow().catchUp();
    await expectLinked();
  });

  it.each(["linkHits", "linkCounterparts", "setCheckpoint"] as const)(
    "heals after a fault before or after each %s",
    async (method) => {
      feeds.add(2_500);
      for (const moment of ["before", "after"] as const) {
        const faulty: LinkStore = {
          ...stores.links,
          async [method](...args: never[]): Promise<void> {
            if (moment === "after") await (stores.links[method] as (...all: never[]) => Promise<void>)(...args);
            throw new Error("crash");
          },
        };
        await expect(follow(faulty).catchUp()).rejects.toThrow("crash");
      }
      await follower.catchUp();
      await expectLinked();
    },
  );

  it("starts over where the graph is ahead of the archive", async () => {
    await stores.links.setCheckpoint("hits", 1_000n);
    await stores.links.setCheckpoint("counterparts", 1_000n);
    feeds.add(20);
    await follower.catchUp();
    await expectLinked();
  });

  it("lets the objects of a batch enter only in scope all", async () => {
    const batch = {
      survey: "ZTF",
      alerts: { rows: 3, columns: new Map([["objectId", { type: "String", values: ["a", "b", "a"], nulls: null }]]) },
    } as unknown as AlertBatch;
    await follower.enter(batch);
    expect(await graph.read(OBJECTS, {})).toEqual([]);
    await follow(stores.links, "all").enter(batch);
    expect(await graph.read(OBJECTS, {})).toEqual([{ key: "ZTF:a" }, { key: "ZTF:b" }]);
  });
});
