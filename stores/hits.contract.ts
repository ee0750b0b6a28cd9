// What every store of hits does: one seq per hit for ever, in order, whoever retries or dies. Called with each engine's
// stores by its tests.
import { beforeEach, describe, expect, it } from "vitest";
import type { Hit, NewHit } from "../domain/filter.js";
import { testSurvey } from "../test/batches.js";
import { viewers } from "../test/skyworld.js";
import type { BatchStore } from "./batches.store.js";
import type { HitStore } from "./hits.store.js";

const SURVEYS = [testSurvey("ZTF"), testSurvey("LSST")];

export interface HitArchive {
  readonly hits: HitStore;
  readonly batches: BatchStore;
}
const receipt = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const owner = viewers.find(({ scope }) => scope === "owner")!;
const visitor = viewers.find(({ scope }) => scope === "public")!;

const hit = (filterId: string, candid: bigint, more: Partial<NewHit> = {}): NewHit => ({
  ...{ filterId, filterVersion: 1, survey: "ZTF", candid, objectId: `o${candid}`, jd: 2459000.5, programid: 1 },
  annotations: null,
  ...more,
});
const range = (filterId: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => hit(filterId, BigInt(from + n)));
const seqs = (hits: readonly Hit[]) => hits.map(({ seq }) => seq);

/** `open` gives an empty archive; `reopen` one over the same data, as a new process would. */
export function hitContract(open: (surveys: typeof SURVEYS) => Promise<HitArchive>, reopen: () => Promise<HitArchive>) {
  describe("hits", () => {
    let archive: HitArchive;
    beforeEach(async () => {
      archive = await open(SURVEYS);
    });

    it("number themselves from 1 without gaps, also when appended at once", async () => {
      expect(await archive.hits.lastSeq()).toBe(0n);
      expect(await archive.hits.since(0n, 10)).toEqual([]);
      const given = await Promise.all(
        [0, 1, 2, 3].map((n) => archive.hits.append(archive.batches.begin(), range("f", n * 10, n * 10 + 10))),
      );
      expect(given.flatMap(seqs).sort((a, b) => Number(a - b))).toEqual(
        Array.from({ length: 40 }, (_, n) => BigInt(n + 1)),
      );
      expect(await archive.hits.lastSeq()).toBe(40n);
      expect(await archive.hits.since(0n, 100)).toEqual(given.flat());
      expect(seqs(await archive.hits.since(37n, 2))).toEqual([38n, 39n]);
    });

    it("come back as they were put in", async () => {
      const whole = hit("f", -(2n ** 63n), { annotations: '{"a":"\\n\\u0000 ü"}', survey: "LSST", filterVersion: 7 });
      const [given] = await archive.hits.append(archive.batches.begin(), [whole]);
      expect(given).toMatchObject({ ...whole, seq: 1n });
      expect(await archive.hits.since(0n, 1)).toEqual([given]);
    });

    it("have a key for their cursors, which is the archive's own and stays", async () => {
      const key = await archive.hits.cursorKey();
      expect(key).toHaveLength(16);
      expect(new Set(key).size).toBeGreaterThan(4);
      expect(await archive.hits.cursorKey()).toEqual(key);
      expect(await (await reopen()).hits.cursorKey()).toEqual(key);
      expect(await (await open(SURVEYS)).hits.cursorKey()).not.toEqual(key);
    });

    it("page by filters, between cursors, for those who may see them", async () => {
      const mixed = Array.from({ length: 60 }, (_, n) =>
        hit(`f${n % 3}`, BigInt(n), { programid: 1 + (n % 4), survey: n % 5 === 0 ? "LSST" : "ZTF" }),
      );
      const given = await archive.hits.append(archive.batches.begin(), mixed);
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

    it("keep their seq when their batch is tried again, by the same id or another", async () => {
      const batch = archive.batches.begin();
      const first = await archive.hits.append(batch, range("f", 0, 5));
      expect(await archive.hits.append(batch, range("f", 2, 7))).toEqual([
        ...first.slice(2),
        expect.objectContaining({ candid: 5n, seq: 6n }),
        expect.objectContaining({ candid: 6n, seq: 7n }),
      ]);
      const other = await archive.hits.append(archive.batches.begin(), range("f", 0, 5).reverse());
      expect(other).toEqual([...first].reverse());
      expect(await archive.hits.append(batch, [hit("g", 0n), hit("f", 0n, { survey: "LSST" })])).toMatchObject([
        { seq: 8n },
        { seq: 9n },
      ]);
      expect(seqs(await archive.hits.since(0n, 100))).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n]);
    });

    it("keep their seq when the process dies before the batch is complete", async () => {
      const done = archive.batches.begin();
      await archive.hits.append(done, range("f", 0, 3));
      await archive.batches.commit(done, receipt);
      const before = await archive.hits.append(archive.batches.begin(), range("f", 10, 13));

      let later = await reopen();
      expect(await later.hits.lastSeq()).toBe(6n);
      const again = later.batches.begin();
      expect(await later.hits.append(again, range("f", 10, 14))).toEqual([
        ...before,
        expect.objectContaining({ candid: 13n, seq: 7n }),
      ]);
      await later.batches.commit(again, receipt);

      // Complete now: the same alert would be a duplicate. Were it brought all the same, it would be a new hit.
      later = await reopen();
      expect(seqs(await later.hits.append(later.batches.begin(), range("f", 10, 11)))).toEqual([8n]);
      expect(seqs(await later.hits.page(owner, ["f"], 100, 0n, null))).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
    });
  });
}
