// What every archive does with hits and counterpart pairs: one seq each for ever, in order, whoever retries or dies. Called
// with each engine's stores by its tests.
import { beforeEach, describe, expect, it } from "vitest";
import type { Hit, NewHit } from "../domain/filter.js";
import { testSurvey } from "../test/batches.js";
import { committed, type NumberingArchive, numbered } from "../test/numbered.js";
import { viewers } from "../test/skyworld.js";
import type { CounterpartPair } from "./links.store.js";

const SURVEYS = [testSurvey("ZTF"), testSurvey("LSST")];

const owner = viewers.find(({ scope }) => scope === "owner")!;
const visitor = viewers.find(({ scope }) => scope === "public")!;

const hit = (filterId: string, candid: bigint, more: Partial<NewHit> = {}): NewHit => ({
  ...{ filterId, filterVersion: 1, survey: "ZTF", candid, objectId: `o${candid}`, jd: 2459000.5, programid: 1 },
  annotations: null,
  ...more,
});
const range = (filterId: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => hit(filterId, BigInt(from + n)));
const pair = (n: number): CounterpartPair => ({
  a: { survey: "ZTF", objectId: `ZTF${n}` },
  b: { survey: "LSST", objectId: `${n}` },
  separationArcsec: n / 7,
});
const seqs = (hits: readonly Hit[]) => hits.map(({ seq }) => seq);

/** `open` gives an empty archive, `another` one that was never there; `reopen` one over the same data, as a new process would. */
export function hitContract(
  open: (surveys: typeof SURVEYS) => Promise<NumberingArchive>,
  reopen: () => Promise<NumberingArchive>,
  another = open,
) {
  describe("hits", () => {
    let archive: NumberingArchive;
    beforeEach(async () => {
      archive = await open(SURVEYS);
      await archive.sequence.begin(0);
    });

    it("come back as they were put in", async () => {
      expect(await archive.hits.lastSeq()).toBe(0n);
      expect(await archive.hits.since(0n, 10)).toEqual([]);
      const whole = hit("f", -(2n ** 63n), { annotations: '{"a":"\\n\\u0000 ü"}', survey: "LSST", filterVersion: 7 });
      const [given] = await numbered(archive, [whole]);
      expect(given).toMatchObject({ ...whole, seq: 1n });
      expect(await archive.hits.since(0n, 1)).toEqual([given]);
      expect(await archive.hits.lastSeq()).toBe(1n);
    });

    it("have a key for their cursors, which is the archive's own and stays", async () => {
      const key = await archive.hits.cursorKey();
      expect(key).toHaveLength(16);
      expect(new Set(key).size).toBeGreaterThan(4);
      expect(await archive.hits.cursorKey()).toEqual(key);
      expect(await (await reopen()).hits.cursorKey()).toEqual(key);
      expect(await (await another(SURVEYS)).hits.cursorKey()).not.toEqual(key);
    });

    it("page by filters, between cursors, for those who may see them", async () => {
      const mixed = Array.from({ length: 60 }, (_, n) =>
        hit(`f${n % 3}`, BigInt(n), { programid: 1 + (n % 4), survey: n % 5 === 0 ? "LSST" : "ZTF" }),
      );
      const given = await numbered(archive, mixed);
      for (const viewer of viewers) {
        const expected = given.filter(({ filterId, survey, programid }) => {
          const rights = viewer.programids.get(survey);
          return filterId !== "f1" && (rights === "all" || rights?.includes(programid));
        });
        const pages: Hit[] = [];
        for (;;) {
          const page = await archive.hits.page(viewer, ["f0", "f2"], 7, pages.at(-1)?.seq ?? 0n, null);
          pages.push(...page);
          if (page.length < 7) break;
        }
        expect(pages).toEqual(expected);
        expect(await archive.hits.page(viewer, ["f0", "f2"], 100, 10n, 30n)).toEqual(
          expected.filter(({ seq }) => seq > 10n && seq <= 30n),
        );
      }
      expect(await archive.hits.page(visitor, [], 10, 0n, null)).toEqual([]);
    });

    it("are seen by nobody before they are numbered", async () => {
      const batch = await committed(archive, range("f", 0, 5));
      expect(await archive.hits.since(0n, 10)).toEqual([]);
      expect(await archive.hits.page(owner, ["f"], 10, 0n, null)).toEqual([]);
      expect(await archive.sequence.pending(0, 10)).toEqual([batch]);
      const given = await archive.sequence.number([batch], new Map());
      expect(seqs(given!)).toEqual([1n, 2n, 3n, 4n, 5n]);
      expect(await archive.hits.since(0n, 10)).toEqual(given);
      expect(await archive.sequence.pending(0, 10)).toEqual([]);
    });
  });

  describe("the numbering of hits", () => {
    let archive: NumberingArchive;
    beforeEach(async () => {
      archive = await open(SURVEYS);
      await archive.sequence.begin(0);
    });

    it("is one sequence without gaps over batches, in the order of their commits", async () => {
      const batches = [];
      for (const n of [0, 1, 2, 3]) batches.push(await committed(archive, range("f", n * 10, n * 10 + 10)));
      expect(await archive.sequence.pending(0, 3)).toEqual(batches.slice(0, 3));
      expect(await archive.sequence.pending(Date.now() + 60_000, 10)).toEqual([]);
      const given = (await archive.sequence.number(batches, new Map()))!;
      expect(seqs(given)).toEqual(Array.from({ length: 40 }, (_, n) => BigInt(n + 1)));
      expect(given.map(({ candid }) => candid)).toEqual(Array.from({ length: 40 }, (_, n) => BigInt(n)));
      expect(await archive.hits.since(0n, 100)).toEqual(given);
      expect(seqs(await archive.hits.since(37n, 2))).toEqual([38n, 39n]);
    });

    it("takes batches with many hits a few at a time", async () => {
      const batches: bigint[] = [];
      for (const count of [30_000, 5_000, 14_000, 5_000, 0]) {
        batches.push(await committed(archive, [], [], count));
      }
      const shares = [[0], [1, 2], [3, 4]].map((share) => share.map((n) => batches[n]!));
      for (const share of shares) {
        expect(await archive.sequence.pending(0, 10)).toEqual(share);
        await archive.sequence.number(share, new Map());
      }
      expect(await archive.sequence.pending(0, 10)).toEqual([]);
    });

    it("takes what is in memory for what is in the archive", async () => {
      const found = range("f", 0, 3).map((each) => ({ ...each, passedAt: 5 }));
      const [one, other] = [await committed(archive, []), await committed(archive, range("f", 3, 5))];
      const given = await archive.sequence.number(
        [one, other],
        new Map([[one, { hits: found, pairs: [], areNew: false }]]),
      );
      expect(given!.map(({ candid, seq }) => [seq, candid])).toEqual([0n, 1n, 2n, 3n, 4n].map((n) => [n + 1n, n]));
    });

    it("gives one seq to a hit, whoever finds it again", async () => {
      const first = await numbered(archive, range("f", 0, 5));
      expect(await numbered(archive, range("f", 2, 7).reverse())).toMatchObject([{ candid: 5n }, { candid: 6n }]);
      expect(await numbered(archive, range("f", 0, 5))).toEqual([]);
      const same = [await committed(archive, range("g", 0, 2)), await committed(archive, range("g", 1, 3))];
      const both = (await archive.sequence.number(same, new Map()))!;
      expect(both.map(({ candid }) => candid)).toEqual([0n, 1n, 2n]);
      const others = [hit("h", 0n), hit("f", 0n, { survey: "LSST" })];
      expect(await numbered(archive, others)).toHaveLength(2);
      const all = await archive.hits.since(0n, 100);
      expect(all.slice(0, 5)).toEqual(first);
      expect(seqs(all)).toEqual(Array.from({ length: 12 }, (_, n) => BigInt(n + 1)));
    });

    it("goes on where another process ended, which from then on is refused", async () => {
      await numbered(archive, range("f", 0, 3));
      const late = await committed(archive, range("f", 10, 13));
      const next = await reopen();
      await next.sequence.begin(0);
      // Frozen before its insert, and awake again.
      expect(await archive.sequence.number([late], new Map())).toBeNull();
      expect(await next.hits.lastSeq()).toBe(3n);
      expect(await next.sequence.pending(0, 10)).toEqual([late]);
      expect(seqs((await next.sequence.number([late], new Map()))!)).toEqual([4n, 5n, 6n]);
      await expect(archive.sequence.number([late], new Map())).rejects.toMatchObject({ code: "INTERNAL" });
      expect(seqs(await next.hits.page(owner, ["f"], 100, 0n, null))).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
    });
  });

  describe("counterpart pairs", () => {
    it("are numbered once each, whichever end was met first, over restarts too", async () => {
      const archive = await open(SURVEYS);
      await archive.sequence.begin(0);
      expect(await archive.counterparts.since(0n, 10)).toEqual([]);
      const turned = ({ a, b, separationArcsec }: CounterpartPair) => ({ a: b, b: a, separationArcsec });
      const batches = [
        await committed(archive, [], [pair(1), pair(2), turned(pair(1))]),
        await committed(archive, [], [turned(pair(2)), pair(3)]),
      ];
      await archive.sequence.number(batches, new Map());
      const again = await reopen();
      await again.sequence.begin(0);
      await numbered(again, [], [pair(3), pair(4)]);
      const found = await again.counterparts.since(0n, 10);
      expect(found.map(({ seq }) => seq)).toEqual([1n, 2n, 3n, 4n]);
      expect(found.map(({ a, b }) => [a.objectId, b.objectId].sort())).toEqual(
        [1, 2, 3, 4].map((n) => [`${n}`, `ZTF${n}`]),
      );
      expect(found.map(({ separationArcsec }) => separationArcsec)).toEqual([1 / 7, 2 / 7, 3 / 7, 4 / 7]);
      expect(await again.counterparts.since(1n, 2)).toEqual(found.slice(1, 3));
    });
  });
}
