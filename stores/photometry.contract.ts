// What every archive of light curves does: the latest packet's word on each point, in whatever order packets came, and
// each point's own rights. Called with each engine's stores by its tests.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LightCurve } from "../domain/photometry.js";
import { maySee, type Viewer } from "../domain/viewer.js";
import { type TestAlert, type TestPoint, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import { viewers } from "../test/skyworld.js";
import type { AlertStore } from "./alerts.store.js";
import type { BatchStore } from "./batches.store.js";
import type { PhotometryStore } from "./photometry.store.js";

const SURVEYS = [testSurvey("ZTF")];

export interface PhotometryArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly photometry: PhotometryStore;
}

/** Ids that mean nothing across kinds and objects, negative and beyond 2^53. */
const POINT_IDS = [-1n, 0n, 1n, 2n ** 62n, 2n ** 62n + 1n, -(2n ** 63n)];
const point: fc.Arbitrary<TestPoint> = fc
  .record({
    kind: fc.constantFrom<(1 | 2 | 3)[]>(1, 2, 3),
    pointId: fc.constantFrom(...POINT_IDS),
    jd: fc.constantFrom(2459000.5, 2459000.5, 2459003.25, 2458000.75),
    programid: fc.constantFrom(1, 2, 3),
    flux: fc.oneof(fc.constant(null), fc.double({ noNaN: true })),
    limit: fc.double({ min: 15, max: 22, noNaN: true }),
  })
  .map(({ flux, limit, ...rest }) => ({
    ...rest,
    values: { flux, limitingMagnitude: limit, magnitude: flux === null ? null : limit, zeroPoint: limit },
  }));
const packet = fc.record({
  object: fc.integer({ min: 0, max: 3 }),
  // Ties of jd are broken by candid.
  jd: fc.constantFrom(2459010.5, 2459010.5, 2459011.5, -1.5, -700.25, 1.48e9, 0),
  points: fc.array(point, { maxLength: 12 }),
});

export function photometryContract(
  open: (surveys: typeof SURVEYS) => Promise<PhotometryArchive>,
  settle: () => Promise<void>,
) {
  describe("light curves", () => {
    it("merge what packets told, in any order and number of times, before and after merges", async () => {
      const archive = await open(SURVEYS);
      const write = async (alerts: readonly TestAlert[]) => {
        const batch = testBatch(SURVEYS[0]!, alerts);
        await archive.alerts.write(archive.batches.begin(), batch, testHashes(alerts), testLocations(alerts));
      };
      let round = 0;
      let candid = -500n;
      await fc.assert(
        fc.asyncProperty(
          fc.array(packet, { minLength: 1, maxLength: 15 }),
          fc.infiniteStream(fc.nat()),
          async (packets, chance) => {
            round += 1;
            const alerts = packets.map(({ object, jd, points }): TestAlert => {
              candid += 1n;
              return { candid, objectId: `r${round}o${object}`, jd, ra: 1, dec: 1, points };
            });
            const next = () => chance.next().value as number;
            const order = [...alerts, ...alerts.filter(() => next() % 3 === 0)]
              .map((alert) => ({ alert, at: next() }))
              .sort((a, b) => a.at - b.at)
              .map(({ alert }) => alert);
            for (let at = 0; at < order.length; ) {
              const size = 1 + (next() % 6);
              await write(order.slice(at, at + size));
              at += size;
            }
            const ids = [0, 1, 2, 3].map((object) => `r${round}o${object}`);
            const check = async () => {
              for (const viewer of viewers) {
                const found = await archive.photometry.lightCurves(viewer, "ZTF", ids);
                expect(found).toEqual(merged(alerts, viewer));
              }
            };
            await check();
            if (round % 4 === 0) await settle().then(check);
          },
        ),
        { numRuns: 12 },
      );
    });

    it("show a public point that a partnership's packet told", async () => {
      const { alerts, batches, photometry } = await open(SURVEYS);
      const packet: TestAlert = {
        ...{ candid: 1n, objectId: "p", jd: 2459000.5, ra: 1, dec: 1, programid: 2 },
        points: [
          { kind: 1, pointId: 1n, jd: 2459000.5, programid: 2 },
          { kind: 1, pointId: 9n, jd: 2458000.5, programid: 1 },
          { kind: 2, pointId: 9n, jd: 2458000.5, values: { programid: null } },
        ],
      };
      await alerts.write(
        batches.begin(),
        testBatch(SURVEYS[0]!, [packet]),
        testHashes([packet]),
        testLocations([packet]),
      );
      const curve = (await photometry.lightCurves(viewers[0]!, "ZTF", ["p"])).get("p");
      expect(curve?.detections.map(({ candid }) => candid)).toEqual([9n]);
      // A point without rights of its own is for those who may see everything.
      expect(curve?.nonDetections).toEqual([]);
      const owner = viewers.find(({ scope }) => scope === "owner")!;
      expect((await photometry.lightCurves(owner, "ZTF", ["p"])).get("p")?.nonDetections).toHaveLength(1);
    });

    it("are asked for a thousand at once and no more", async () => {
      const { photometry } = await open(SURVEYS);
      const ids = Array.from({ length: 1001 }, (_, n) => `o${n}`);
      expect((await photometry.lightCurves(viewers[0]!, "ZTF", ids.slice(1))).size).toBe(0);
      await expect(photometry.lightCurves(viewers[0]!, "ZTF", ids)).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    });
  });
}

/** The plain rule: of each (object, kind, id) the word of the packet with the highest (jd, candid), its last one. */
function merged(alerts: readonly TestAlert[], viewer: Viewer): Map<string, LightCurve> {
  const inOrder = [...alerts].sort((a, b) => a.jd - b.jd || (a.candid < b.candid ? -1 : 1));
  const objects = new Map<string, Map<string, TestPoint>>();
  for (const { objectId, points = [] } of inOrder) {
    const known = objects.get(objectId) ?? new Map<string, TestPoint>();
    for (const told of points) known.set(`${told.kind}:${told.pointId}`, told);
    objects.set(objectId, known);
  }
  const curves = new Map<string, LightCurve>();
  for (const [objectId, known] of objects) {
    const seen = [...known.values()]
      .filter(({ programid }) => maySee(viewer, "ZTF", programid!))
      .sort((a, b) => a.jd - b.jd || (a.pointId < b.pointId ? -1 : 1));
    if (seen.length === 0) continue;
    const of = (kind: number) => seen.filter((told) => told.kind === kind);
    const number = (told: TestPoint, name: string) => (told.values?.[name] ?? null) as number | null;
    const at = ({ jd }: TestPoint) => ({ jd, band: "r" });
    curves.set(objectId, {
      detections: of(1).map((told) => ({
        ...at(told),
        candid: told.pointId,
        magnitude: number(told, "magnitude"),
        magnitudeError: null,
        flux: number(told, "flux"),
        fluxError: null,
        isPositive: true,
      })),
      nonDetections: of(2).map((told) => ({ ...at(told), limitingMagnitude: number(told, "limitingMagnitude")! })),
      forced: of(3).map((told) => ({
        ...at(told),
        flux: number(told, "flux"),
        fluxError: null,
        zeroPoint: number(told, "zeroPoint"),
      })),
    });
  }
  return curves;
}
