// The sky index against brute force; and the store on it against the same store without it, on a real engine.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SurveyDescription } from "../../domain/survey.js";
import { maySee } from "../../domain/viewer.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { drawnAlerts, moved, SkyWorld, vectorSeparation, viewers, type WorldAlert } from "../../test/skyworld.js";
import { objectContract } from "../objects.contract.js";
import { connectArchive } from "./http.js";
import { SkyIndex } from "./skyindex.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

const MB = 1024 ** 2;
/** Nobody can say on which side an object so near the rim lies. */
const RIM_ARCSEC = 1e-6;

const put = (index: SkyIndex, { jd, candid, programid, ...alert }: WorldAlert) =>
  index.put({ ...alert, lastJd: jd, latestCandid: candid }, programid);

describe("SkyIndex", () => {
  const question = fc.record({
    at: fc.nat(),
    offsets: fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true })),
    radiusArcsec: fc.constantFrom(0, 0.5, 5, 60, 400, 3600, 36_000),
    viewer: fc.constantFrom(...viewers),
  });

  it("finds what brute force finds, whatever order alerts come in and come again", () => {
    fc.assert(
      fc.property(
        fc.array(drawnAlerts, { maxLength: 4 }),
        fc.array(question, { maxLength: 12 }),
        (draws, questions) => {
          const world = new SkyWorld();
          const index = new SkyIndex(90 * MB);
          for (const some of draws) {
            const added = world.add(some);
            for (const alert of [...added, ...added.slice(0, 5)]) expect(put(index, alert)).toBe(true);
          }
          if (world.alerts.length === 0) return;
          for (const { at, offsets, radiusArcsec, viewer } of questions) {
            const near = world.alerts[at % world.alerts.length]!;
            const { ra, dec } = moved(near.ra, near.dec, ...offsets);
            const rows = index.within(ra, dec, radiusArcsec, ({ survey, programid }) =>
              maySee(viewer, survey, programid),
            );
            const found = new Map(rows.map((match) => [`${match.object.survey}:${match.object.objectId}`, match]));
            expect(found.size).toBe(rows.length);
            for (const { firstJd: _, alertCount: __, ...object } of world.objects(viewer)) {
              const separation = vectorSeparation(ra, dec, object.ra, object.dec);
              const match = found.get(`${object.survey}:${object.objectId}`);
              if (Math.abs(separation - radiusArcsec) > RIM_ARCSEC)
                expect(match !== undefined).toBe(separation < radiusArcsec);
              if (match !== undefined) expect(match.object).toEqual(object);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("misses nothing in cones all over the sky", () => {
    const index = new SkyIndex(100 * MB);
    const places = Array.from({ length: 12_000 }, (_, n) => {
      // A spiral that covers the sphere evenly; the turns of RA begin anywhere.
      const z = 1 - (2 * n + 1) / 12_000;
      return { ra: (n * 137.50776405) % 360, dec: (Math.asin(z) * 180) / Math.PI };
    });
    places.forEach(({ ra, dec }, n) => {
      const place = { survey: "ZTF", objectId: `ZTF18ü${n}`, ra, dec, lastJd: 1, latestCandid: BigInt(n) };
      expect(index.put(place, 1)).toBe(true);
    });
    const centres = [...places.filter((_, n) => n % 499 === 0), { ra: 0, dec: 90 }, { ra: 360, dec: -89.99 }];
    for (const { ra, dec } of [...centres, { ra: -1e-9, dec: 12 }, { ra: 359.9999, dec: 89.5 }]) {
      for (const radius of [30, 3600, 36_000]) {
        const expected = places.flatMap((place, n) =>
          vectorSeparation(ra, dec, place.ra, place.dec) <= radius ? [`ZTF18ü${n}`] : [],
        );
        const found = index.within(ra, dec, radius, () => true).map(({ object }) => object.objectId);
        expect(found.sort()).toEqual(expected.sort());
      }
    }
  });

  it("says when it is full, and keeps what it has", () => {
    const index = new SkyIndex(67 * MB);
    let kept = 0;
    const place = { survey: "ZTF", ra: 10, dec: 10, lastJd: 1, latestCandid: 1n };
    while (kept < 100_000 && index.put({ ...place, objectId: `o${kept}` }, 1)) kept += 1;
    expect(kept).toBeGreaterThan(1_000);
    expect(kept).toBeLessThan(100_000);
    expect(index.put({ ...place, objectId: "o7", lastJd: 2 }, 1)).toBe(true);
    expect(index.within(10, 10, 1, () => true)).toHaveLength(kept);
  });
});

describe("the store on the index", () => {
  let engine: TestArchive;
  let databases = 0;
  const clients: ReturnType<typeof connectArchive>[] = [];
  beforeAll(async () => {
    engine = await startTestArchive();
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await engine?.stop();
  });

  const SURVEYS = [testSurvey("ZTF"), testSurvey("LSST")];
  async function connect(surveys: readonly SurveyDescription[], skyIndexBytes: number, database = `sky${++databases}`) {
    const { url, user, password } = engine;
    const client = connectArchive({ url, user, password, database });
    clients.push(client);
    const stores = await createArchiveStores(client, surveys, { skyIndexBytes });
    expect(await stores.skyIndexed).toBe(skyIndexBytes > 0);
    return { stores, database };
  }
  const write = async ({ alerts, batches }: ArchiveStores, added: readonly WorldAlert[]) => {
    for (const survey of SURVEYS) {
      const own = added.filter((alert) => alert.survey === survey.id);
      await alerts.write(batches.begin(), testBatch(survey, own), testHashes(own), testLocations(own));
    }
  };

  objectContract(
    async (surveys) => (await connect(surveys, 100 * MB)).stores,
    async () => {},
  );

  it("answers as without it: filled as alerts came, and read from the archive", async () => {
    const world = new SkyWorld();
    const { stores: live, database } = await connect(SURVEYS, 100 * MB);
    for (const draws of fc.sample(drawnAlerts, { numRuns: 12, seed: 7 })) await write(live, world.add(draws));
    const { stores: read } = await connect(SURVEYS, 100 * MB, database);
    const { stores: plain } = await connect(SURVEYS, 0, database);
    let matches = 0;
    for (const [n, { ra, dec }] of world.alerts.slice(-72).entries()) {
      const viewer = viewers[n % viewers.length]!;
      const cone = { ra, dec, radiusArcsec: [1, 5, 60, 3600][n % 4]! };
      const survey = [null, "ZTF", "LSST"][n % 3]!;
      const expected = await plain.objects.cone(viewer, cone, survey, 100, null);
      matches += expected.length;
      for (const { objects } of [live, read]) {
        const found = await objects.cone(viewer, cone, survey, 100, null);
        expect(found.map(({ separationArcsec }) => separationArcsec)).toEqual(
          expected.map(({ separationArcsec }) => separationArcsec),
        );
        found.forEach(({ object }, at) => {
          expect(expected[at]!.object).toMatchObject(object);
        });
      }
    }
    expect(matches).toBeGreaterThan(25);
    const ra = Float64Array.from(world.alerts, (alert) => alert.ra);
    const dec = Float64Array.from(world.alerts, (alert) => alert.dec);
    const expected = await plain.objects.neighbours("ZTF", ra, dec, 2);
    expect(expected.length).toBeGreaterThan(20);
    expect(await live.objects.neighbours("ZTF", ra, dec, 2)).toEqual(expected);
    expect(await read.objects.neighbours("ZTF", ra, dec, 2)).toEqual(expected);
  });

  it("gives up where the budget is too small, and the archive answers", async () => {
    const { url, user, password } = engine;
    const client = connectArchive({ url, user, password, database: "small" });
    clients.push(client);
    const lines: string[] = [];
    const stores = await createArchiveStores(client, SURVEYS, { skyIndexBytes: MB, log: (line) => lines.push(line) });
    expect(await stores.skyIndexed).toBe(true);
    const world = new SkyWorld();
    const [draws] = fc.sample(drawnAlerts, { numRuns: 1, seed: 3 });
    await write(stores, world.add(draws!));
    expect(lines).toHaveLength(1);
    const { ra, dec } = world.alerts[0]!;
    expect(await stores.objects.cone(viewers[3]!, { ra, dec, radiusArcsec: 60 }, null, 100, null)).not.toHaveLength(0);

    const skyIndexBytes = 2 ** 52;
    const refused = await createArchiveStores(client, SURVEYS, { skyIndexBytes, log: (line) => lines.push(line) });
    expect(await refused.skyIndexed).toBe(false);
    expect(lines).toHaveLength(2);
  });
});
