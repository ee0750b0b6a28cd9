// What every archive of objects does: summaries, cones and neighbours against a brute-force sky, per viewer.
// Called with each engine's stores by its tests.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConeMatch, SkyObject } from "../domain/skyobject.js";
import { testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import { drawnAlerts, moved, SkyWorld, vectorSeparation, viewers } from "../test/skyworld.js";
import type { AlertStore } from "./alerts.store.js";
import type { BatchStore } from "./batches.store.js";
import type { ObjectStore } from "./objects.store.js";

const SURVEYS = [testSurvey("ZTF"), testSurvey("LSST")];
/** Nobody can say on which side an object so near the rim lies. */
const RIM_ARCSEC = 1e-6;

export interface ObjectArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly objects: ObjectStore;
}

export function objectContract(open: (surveys: typeof SURVEYS) => Promise<ObjectArchive>, settle: () => Promise<void>) {
  describe("objects", () => {
    it("sums up, finds by place and pairs what the viewer may see, at once and after merges", async () => {
      const archive = await open(SURVEYS);
      const world = new SkyWorld();
      const write = async (alerts: typeof world.alerts) => {
        for (const description of SURVEYS) {
          const own = alerts.filter(({ survey }) => survey === description.id);
          const batch = testBatch(description, own);
          await archive.alerts.write(archive.batches.begin(), batch, testHashes(own), testLocations(own));
        }
      };
      const question = fc.record({
        at: fc.nat(),
        offsets: fc.tuple(fc.double({ min: -6, max: 6, noNaN: true }), fc.double({ min: -6, max: 6, noNaN: true })),
        radiusArcsec: fc.constantFrom(0, 0.5, 3, 5, 60, 3600, 36_000),
        centred: fc.boolean(),
        survey: fc.constantFrom(null, "ZTF", "LSST"),
        viewer: fc.constantFrom(...viewers),
        first: fc.constantFrom(1, 4, 100),
      });
      const ask = async (q: typeof question extends fc.Arbitrary<infer T> ? T : never) => {
        const near = world.alerts[q.at % world.alerts.length]!;
        const centre = q.centred ? near : moved(near.ra, near.dec, ...q.offsets);
        const cone = { ra: centre.ra, dec: centre.dec, radiusArcsec: q.radiusArcsec };
        const objects = world.objects(q.viewer).filter(({ survey }) => q.survey === null || survey === q.survey);
        const found = await allPages(
          (first, after) => archive.objects.cone(q.viewer, cone, q.survey, first, after),
          q.first,
        );
        const byName = new Map(found.map((match) => [`${match.object.survey}:${match.object.objectId}`, match]));
        expect(byName.size).toBe(found.length);
        for (const object of objects) {
          const separation = vectorSeparation(cone.ra, cone.dec, object.ra, object.dec);
          const match = byName.get(`${object.survey}:${object.objectId}`);
          if (
            Math.abs(separation - cone.radiusArcsec) > RIM_ARCSEC ||
            (q.centred && object.latestCandid === near.candid)
          ) {
            expect(match !== undefined).toBe(separation <= cone.radiusArcsec);
          }
          if (match !== undefined) {
            const { firstJd: _, alertCount: __, ...place } = object;
            expect(match.object).toMatchObject(place);
            expect(match.separationArcsec).toBeCloseTo(separation, 6);
          }
        }
        expect(found.map(({ separationArcsec }) => separationArcsec)).toEqual(
          found.map(({ separationArcsec }) => separationArcsec).sort((a, b) => a - b),
        );
      };
      const check = async () => {
        for (const viewer of viewers) {
          const truth = world.objects(viewer);
          for (const { id } of SURVEYS) {
            const ids = Array.from({ length: 13 }, (_, n) => `o${n}`);
            const found = await archive.objects.byIds(viewer, id, ids);
            const expected = truth.filter(({ survey }) => survey === id).map((o) => [o.objectId, o] as const);
            expect(new Map(found)).toEqual(new Map<string, SkyObject>(expected));
          }
        }
      };
      await fc.assert(
        fc.asyncProperty(drawnAlerts, fc.array(question, { minLength: 6, maxLength: 6 }), async (draws, questions) => {
          const added = world.add(draws);
          await write(added);
          if (added.length % 2 === 0) await write(added.slice(added.length / 3));
          await check();
          for (const q of questions) await ask(q);
        }),
        { numRuns: 8 },
      );
      await settle();
      await check();

      const owner = viewers.find(({ scope }) => scope === "owner")!;
      const truth = world.objects(owner);
      const asking = truth.filter(({ survey }) => survey === "ZTF");
      const ra = Float64Array.from(asking, (object) => object.ra);
      const dec = Float64Array.from(asking, (object) => object.dec);
      for (const radius of [0.4, 2, 9]) {
        const pairs = asking.flatMap((a, index) =>
          truth
            .filter((b) => b.survey === "LSST" && vectorSeparation(a.ra, a.dec, b.ra, b.dec) <= radius)
            .map((b) => `${index}:${b.objectId}`),
        );
        const found = await archive.objects.neighbours("ZTF", ra, dec, radius);
        expect(found.map(({ index, objectId }) => `${index}:${objectId}`).sort()).toEqual(pairs.sort());
      }
      const same = asking.flatMap((a) => asking.filter((b) => a.ra === b.ra && a.dec === b.dec));
      expect(await archive.objects.neighbours("LSST", ra, dec, 0)).toHaveLength(same.length);
    });

    it("refuses cones out of bounds", async () => {
      const { objects } = await open(SURVEYS);
      const [viewer] = viewers;
      for (const cone of [
        { ra: 0, dec: 90.1, radiusArcsec: 1 },
        { ra: Number.NaN, dec: 0, radiusArcsec: 1 },
        { ra: 0, dec: 0, radiusArcsec: 36_001 },
        { ra: 0, dec: 0, radiusArcsec: -1 },
      ]) {
        await expect(objects.cone(viewer!, cone, null, 10, null)).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
      }
      await expect(objects.neighbours("ZTF", Float64Array.of(0), Float64Array.of(0), 61)).rejects.toMatchObject({
        code: "BAD_ARGUMENT",
      });
    });
  });
}

type Page = (first: number, after: Parameters<ObjectStore["cone"]>[4]) => Promise<ConeMatch[]>;

async function allPages(page: Page, first: number): Promise<ConeMatch[]> {
  const all: ConeMatch[] = [];
  for (;;) {
    const last = all.at(-1);
    const after = last && { separationArcsec: last.separationArcsec, ...last.object };
    const next = await page(first, after ?? null);
    all.push(...next);
    if (next.length < first) return all;
  }
}
