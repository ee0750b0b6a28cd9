// What every LinkStore must do. Run on each engine by stores/graph/graph.contract.ts.
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Hit } from "../domain/filter.js";
import type { Viewer } from "../domain/viewer.js";
import type { FilterStore } from "./filters.store.js";
import { type LinkStore, type ObjectKey, objectKey } from "./links.store.js";

const owner: Viewer = {
  scope: "owner",
  mayChange: true,
  programids: new Map([
    ["ZTF", "all"],
    ["LSST", "all"],
  ]),
};
const anonymous: Viewer = { scope: "anonymous", mayChange: false, programids: new Map([["ZTF", [1]]]) };

/** `open` gives the stores of one graph; what else is in it must not matter. */
export function linkStoreContract(open: () => Promise<{ links: LinkStore; filters: FilterStore }>): void {
  describe("link store", () => {
    let links: LinkStore;
    let filterId: string;
    const run = randomUUID();
    const ztf = (name: string): ObjectKey => ({ survey: "ZTF", objectId: `${run}-${name}` });
    const lsst = (name: string): ObjectKey => ({ survey: "LSST", objectId: `${run}-${name}` });
    const hit = (object: ObjectKey, seq: bigint, change: Partial<Hit> = {}): Hit => ({
      ...object,
      filterId,
      filterVersion: 1,
      candid: 9_007_199_254_740_993n + seq,
      jd: 2_460_000.5 + Number(seq % 1000n),
      programid: 1,
      annotations: null,
      seq,
      passedAt: 1_790_000_000_000,
      ...change,
    });

    beforeAll(async () => {
      const stores = await open();
      links = stores.links;
      const filter = { name: run, survey: "ZTF", where: "true", annotations: [], active: true };
      filterId = (await stores.filters.create(filter)).id;
    });

    it("links counterparts both ways, nearest first", async () => {
      const [z, r1, r2] = [ztf("z"), lsst("9223372036854775806"), lsst("9223372036854775807")];
      await links.linkCounterparts([
        { a: z, b: r1, separationArcsec: 1 },
        { a: r2, b: z, separationArcsec: 0.25 },
      ]);
      const found = await links.counterparts([z, r1, r2, ztf("unknown"), z]);
      expect(found).toEqual(
        new Map([
          [
            objectKey(z),
            [
              { ...r2, separationArcsec: 0.25 },
              { ...r1, separationArcsec: 1 },
            ],
          ],
          [objectKey(r1), [{ ...z, separationArcsec: 1 }]],
          [objectKey(r2), [{ ...z, separationArcsec: 0.25 }]],
        ]),
      );
    });

    it("keeps a pair once, whichever way round and however often it is written", async () => {
      const [z, r] = [ztf("once"), lsst("once")];
      await links.linkObjects([z, z, r]);
      await links.linkCounterparts([
        { a: z, b: r, separationArcsec: 0.5 },
        { a: r, b: z, separationArcsec: 0.75 },
      ]);
      await links.linkCounterparts([{ a: z, b: r, separationArcsec: 0.7 }]);
      expect(await links.counterparts([z])).toEqual(new Map([[objectKey(z), [{ ...r, separationArcsec: 0.7 }]]]));
      expect(await links.counterparts([])).toEqual(new Map());
    });

    it("bounds the counterparts of an object", async () => {
      const z = ztf("crowded");
      const pairs = Array.from({ length: 120 }, (_, i) => ({
        a: z,
        b: lsst(`c${i}`),
        separationArcsec: (120 - i) / 100,
      }));
      await links.linkCounterparts(pairs);
      const found = (await links.counterparts([z])).get(objectKey(z));
      expect(found?.map(({ separationArcsec }) => separationArcsec)).toEqual(
        Array.from({ length: 100 }, (_, i) => (i + 1) / 100),
      );
    });

    it("keeps the first and the last hit, in any order and however often they are written", async () => {
      const z = ztf("hits");
      // 9 and 10 would change places as unpadded text; the large one is beyond 2^53.
      const hits = [10n, 9n, 18_000_000_000_000_000_001n, 11n].map((seq) => hit(z, seq));
      const expected = [
        {
          filterId,
          programid: 1,
          first: { seq: 9n, candid: hits[1]!.candid, jd: hits[1]!.jd },
          last: { seq: hits[2]!.seq, candid: hits[2]!.candid, jd: hits[2]!.jd },
        },
      ];
      await links.linkHits(hits);
      expect(await links.passedFilters(owner, [z])).toEqual(new Map([[objectKey(z), expected]]));
      for (const again of [hits.slice(0, 1), hits.toReversed()]) await links.linkHits(again);
      expect(await links.passedFilters(owner, [z])).toEqual(new Map([[objectKey(z), expected]]));
    });

    it("widens an edge by hits that come one at a time", async () => {
      const z = ztf("single");
      for (const seq of [50n, 7n, 120n, 60n]) await links.linkHits([hit(z, seq)]);
      const [edge] = (await links.passedFilters(owner, [z])).get(objectKey(z))!;
      expect([edge!.first.seq, edge!.last.seq]).toEqual([7n, 120n]);
    });

    it("shows a viewer only the programids it may see", async () => {
      const [z, r] = [ztf("rights"), lsst("rights")];
      await links.linkHits([hit(z, 1n), hit(z, 2n, { programid: 2 }), hit(z, 3n), hit(r, 4n)]);
      const seen = await links.passedFilters(anonymous, [z, r]);
      expect([...seen.keys()]).toEqual([objectKey(z)]);
      expect(seen.get(objectKey(z))?.map(({ programid, last }) => [programid, last.seq])).toEqual([[1, 3n]]);
      const all = await links.passedFilters(owner, [z, r]);
      expect(all.get(objectKey(z))?.map(({ programid }) => programid)).toEqual([1, 2]);
      expect(all.get(objectKey(r))).toHaveLength(1);
    });

    it("skips hits of a filter that the graph does not know", async () => {
      await links.linkHits([hit(ztf("orphan"), 1n, { filterId: randomUUID() })]);
      expect(await links.passedFilters(owner, [ztf("orphan")])).toEqual(new Map());
    });

    it("takes more hits than one transaction holds", async () => {
      const hits = Array.from({ length: 2500 }, (_, i) => hit(ztf(`many${i}`), BigInt(i + 1)));
      await links.linkHits(hits);
      expect((await links.passedFilters(owner, hits)).size).toBe(2500);
    });

    it("keeps a checkpoint per feed", async () => {
      const [hits, pairs] = [`${run}-hits`, `${run}-pairs`];
      expect(await links.checkpoint(hits)).toBe(0n);
      await links.setCheckpoint(hits, 9_007_199_254_740_993n);
      expect(await links.checkpoint(hits)).toBe(9_007_199_254_740_993n);
      await links.setCheckpoint(hits, 0n);
      expect(await links.checkpoint(hits)).toBe(0n);
      expect(await links.checkpoint(pairs)).toBe(0n);
    });
  });
}
