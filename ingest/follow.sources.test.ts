// Links to catalogs' sources on a real embedded graph: by hits, by batches, matched again, and after a crash.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Hit } from "../domain/filter.js";
import { openGrafeo } from "../stores/graph/grafeo.js";
import type { Graph } from "../stores/graph/graph.js";
import { createGraphStores, type GraphStores } from "../stores/graph/stores.js";
import type { StoredMatch } from "../stores/matches.store.js";
import { sourceKey } from "../stores/sources.store.js";
import { testBatch, testSurvey } from "../test/batches.js";
import { column, testCatalog } from "../test/catalogs.js";
import { createSourceFollower, type SourceFollower } from "./follow.sources.js";

const NED = testCatalog("ned", {
  rule: { kind: "distance", by: "redshift", column: "z", kpc: 30, nearArcsec: 300 },
  columns: [column("z", "Float64")],
});
const match = (sourceId: string, distanceKpc: number): StoredMatch => ({
  ...{ catalog: "ned", sourceId, ra: 1, dec: 2, separationArcsec: distanceKpc },
  fields: { z: 0.05, distanceKpc },
  ...{ version: "1", revision: 1 },
});
const alert = (n: number, objectId: string) => ({ candid: BigInt(n), objectId, jd: 2_460_000.5 + n, ra: 1, dec: 2 });
const hit = (n: number, objectId: string): Hit => ({
  ...{ survey: "ZTF", objectId, candid: BigInt(n), jd: 2_460_000.5 + n, programid: 1, seq: BigInt(n) },
  ...{ filterId: "f", filterVersion: 1, annotations: null, passedAt: 0 },
});

describe("links to sources follow", () => {
  let dir: string;
  let graph: Graph;
  let stores: GraphStores;
  let stored: Hit[];
  /** By candid. */
  let near: Map<bigint, StoredMatch[]>;
  let asked: number;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-sources-"));
    graph = openGrafeo(join(dir, "graph"), { shuffleUnordered: true });
    stores = await createGraphStores(graph);
    [stored, near, asked] = [[], new Map(), 0];
  });
  afterEach(async () => {
    await graph.close();
    rmSync(dir, { recursive: true });
  });

  const follower = (scope: "hits" | "all"): SourceFollower =>
    createSourceFollower({
      hits: {
        lastSeq: async () => stored.at(-1)?.seq ?? 0n,
        since: async (after, first) => stored.filter(({ seq }) => seq > after).slice(0, first),
      },
      matches: {
        async ofAlerts(_, alerts) {
          asked += alerts.length;
          return new Map(alerts.flatMap(({ candid }) => (near.has(candid) ? [[candid, near.get(candid)!]] : [])));
        },
      },
      ...stores,
      catalogs: () => [NED],
      scope,
    });
  const hosted = async (sourceId: string) => {
    const found = await stores.sources.hosted([{ catalog: "ned", sourceId }]);
    return (found.get(sourceKey({ catalog: "ned", sourceId })) ?? []).map(({ objectId }) => objectId);
  };

  it("the hits of objects: the latest alert's sources, once for each hit", async () => {
    near
      .set(1n, [match("A", 3)])
      .set(2n, [match("A", 4), match("B", 2)])
      .set(3n, [match("A", 5)]);
    stored = [hit(1, "o1"), hit(2, "o1"), hit(3, "o2")];
    await follower("hits").catchUp();
    expect([await hosted("A"), await hosted("B")]).toEqual([["o2"], ["o1"]]);
    expect(asked).toBe(2);
    // Another process, or the same after a restart, goes on behind the last page.
    stored.push(hit(4, "o1"));
    await follower("hits").catchUp();
    expect([await hosted("B"), asked]).toEqual([[], 3]);
  });

  it("another archive from its beginning, and a page that failed once more", async () => {
    await stores.links.setCheckpoint("sources", 1_000n);
    near.set(1n, [match("A", 3)]);
    stored = [hit(1, "o1")];
    const { linkSources } = stores.sources;
    let fails = true;
    const failing = {
      ...stores.sources,
      linkSources: async (...of: Parameters<typeof linkSources>) => {
        if (fails) throw new Error("away");
        return linkSources(...of);
      },
    };
    stores = { ...stores, sources: failing };
    await expect(follower("hits").catchUp()).rejects.toThrow("away");
    fails = false;
    await follower("hits").catchUp();
    expect(await hosted("A")).toEqual(["o1"]);
  });

  it("batches where every object enters, and only there", async () => {
    near.set(1n, [match("A", 3)]);
    const batch = testBatch(testSurvey("ZTF"), [alert(1, "o1"), alert(2, "o2")]);
    await follower("hits").enter(batch);
    expect(await hosted("A")).toEqual([]);
    await follower("all").enter(batch);
    expect(await hosted("A")).toEqual(["o1"]);
  });

  it("alerts that were matched again, of objects that are linked by them", async () => {
    near.set(1n, [match("A", 3)]).set(2n, [match("A", 3)]);
    stored = [hit(1, "o1")];
    const own = follower("hits");
    await own.catchUp();
    near
      .set(1n, [match("B", 1)])
      .set(2n, [match("B", 1)])
      .set(3n, [match("B", 1)]);
    const { alerts } = testBatch(testSurvey("ZTF"), [alert(1, "o1"), alert(2, "o2"), alert(3, "o1")]);
    await own.rematched("ZTF", alerts);
    // o2 is not in the graph, and o1's links are of its first alert.
    expect([await hosted("A"), await hosted("B")]).toEqual([[], ["o1"]]);
  });
});
