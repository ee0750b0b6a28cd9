// What every archive of alerts does: pages, lookups and rights against a brute-force sky, and writes that may repeat.
// Called with each engine's stores by its tests.
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { maySee, type Viewer } from "../domain/viewer.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import {
  byTime,
  CLASSES,
  drawnAlerts,
  moved,
  SkyWorld,
  vectorSeparation,
  viewers,
  type WorldAlert,
} from "../test/skyworld.js";
import type { AlertConditions, AlertKey, AlertStore } from "./alerts.store.js";
import type { BatchStore } from "./batches.store.js";

const SURVEYS = [
  testSurvey("ZTF", [
    { name: "magpsf", type: "Float32", nullable: true, unit: "mag", description: "" },
    { name: "tblid", type: "Int64", nullable: false, unit: null, description: "" },
    { name: "flagged", type: "Bool", nullable: true, unit: null, description: "" },
  ]),
  testSurvey("LSST"),
];

export interface AlertArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
}
const receipt = { read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const everything: Viewer = viewers.find(({ scope }) => scope === "owner")!;

export function alertContract(open: (surveys: typeof SURVEYS) => Promise<AlertArchive>, settle: () => Promise<void>) {
  describe("alerts", () => {
    let archive: AlertArchive;
    const write = async (survey: string, alerts: readonly TestAlert[]) => {
      const description = SURVEYS.find(({ id }) => id === survey)!;
      const batch = archive.batches.begin();
      await archive.alerts.write(batch, testBatch(description, alerts), testHashes(alerts), testLocations(alerts));
      return batch;
    };
    beforeAll(async () => {
      archive = await open(SURVEYS);
    });

    it("pages through every condition newest first, each visible alert once, repeats in the tables or not", async () => {
      const world = new SkyWorld();
      const conditions = fc.record(
        {
          survey: fc.constantFrom("ZTF", "LSST"),
          objectId: fc.constantFrom("o0", "o1", "o2", "o11", "none"),
          time: fc.constantFrom({ startJd: 2459000.5, endJd: 2459001.625 }, { startJd: -10, endJd: 2e9 }),
          class: fc.constantFrom(...CLASSES),
          solarSystemName: fc.constantFrom("433", "2021 AB"),
        },
        { requiredKeys: [] },
      );
      const steps = fc.tuple(
        drawnAlerts,
        fc.array(
          fc.tuple(
            conditions,
            fc.constantFrom(0, 4, 400.0003),
            fc.constantFrom(...viewers),
            fc.constantFrom(3, 17, 1000),
          ),
          {
            minLength: 4,
            maxLength: 4,
          },
        ),
      );
      await fc.assert(
        fc.asyncProperty(steps, async ([draws, questions]) => {
          const added = world.add(draws);
          for (const survey of ["ZTF", "LSST"]) {
            const own = added.filter((alert) => alert.survey === survey);
            await write(survey, own);
            await write(survey, own.slice(0, own.length / 2));
          }
          for (const [plain, radiusArcsec, viewer, first] of questions) {
            const at = world.alerts.at(-1)!;
            // The rim of a wide cone runs through its alerts.
            const centre = moved(at.ra, at.dec, radiusArcsec > 100 ? 400 : 0, 0);
            const where: AlertConditions = radiusArcsec === 0 ? plain : { ...plain, cone: { ...centre, radiusArcsec } };
            const expected = world
              .visible(viewer)
              .filter((alert) => meets(alert, where))
              .sort(byTime);
            expect(await allPages(archive.alerts, viewer, where, first)).toEqual(expected.map(keyOf));
          }
        }),
        { numRuns: 8 },
      );
    });

    it("gives a page of each of many objects at once", async () => {
      const viewer = viewers[0]!;
      const alerts = Array.from({ length: 24 }, (_, n) => {
        // Ties of jd, and every fifth is not public.
        const more = { objectId: `p${n % 4}`, jd: 2460100.5 + (n >> 3), programid: n % 5 === 0 ? 2 : 1 };
        return alertAt(BigInt(7000 + ((n * 7) % 24)), more);
      });
      await write("ZTF", alerts);
      await write("ZTF", alerts.slice(5));
      const objectIds = ["p0", "p1", "p2", "p3", "none"];
      const pages = await archive.alerts.pagePerObject(viewer, "ZTF", objectIds, 3, null);
      for (const objectId of objectIds) {
        const whole = alerts
          .filter((alert) => alert.objectId === objectId && alert.programid === 1)
          .sort((a, b) => b.jd - a.jd || (a.candid < b.candid ? 1 : -1))
          .map(({ jd, candid }) => ({ jd, candid, survey: "ZTF" }));
        expect((pages.get(objectId) ?? []).map(keyOf)).toEqual(whole.slice(0, 3));
        const second = whole[1];
        if (second === undefined) continue;
        const next = await archive.alerts.pagePerObject(viewer, "ZTF", [objectId], 3, second);
        expect((next.get(objectId) ?? []).map(keyOf)).toEqual(whole.slice(2, 5));
      }
      expect(pages.size).toBe(4);
    });

    it("finds alerts by candid, for those who may see them", async () => {
      const alerts = [1, 2, 3].map((programid) => alertAt(2n ** 62n + BigInt(programid), { programid }));
      await write("ZTF", alerts);
      const candids = [...alerts.map(({ candid }) => candid), 17n];
      for (const viewer of viewers) {
        const seen = alerts.filter(({ programid }) => maySee(viewer, "ZTF", programid!)).map(({ candid }) => candid);
        expect([...(await archive.alerts.byCandid(viewer, "ZTF", candids)).keys()].sort()).toEqual(seen);
        expect([...(await archive.alerts.packetLocations(viewer, "ZTF", candids)).keys()].sort()).toEqual(seen);
        expect([...(await archive.alerts.ownFields(viewer, "ZTF", candids, ["tblid"])).keys()].sort()).toEqual(seen);
      }
      expect((await archive.alerts.byCandid(everything, "LSST", candids)).size).toBe(0);
    });

    it("keeps the survey's own fields to the last digit, and refuses others", async () => {
      const own = { magpsf: Math.fround(18.1), tblid: 2n ** 63n - 1n, flagged: null };
      await write("ZTF", [alertAt(900n, { own })]);
      const names = ["magpsf", "tblid", "flagged", "ra", "band"];
      const fields = await archive.alerts.ownFields(everything, "ZTF", [900n], names);
      expect(fields.get(900n)).toEqual({ ...own, ra: 10, band: "r" });
      await expect(archive.alerts.ownFields(everything, "ZTF", [900n], ["1 OR 1"])).rejects.toMatchObject({
        code: "BAD_ARGUMENT",
      });
      await expect(archive.alerts.ownFields(everything, "X", [900n], ["ra"])).rejects.toMatchObject({
        code: "UNKNOWN_SURVEY",
      });
    });

    it("knows an alert once any of its batches is complete, whatever unfinished ones follow", async () => {
      const alerts = [alertAt(501n), alertAt(502n)];
      const asked = BigInt64Array.of(501n, 502n, 503n);
      const known = async () => archive.alerts.known("ZTF", asked);
      const one = await write("ZTF", alerts);
      expect([...(await known()).entries()]).toEqual([
        [501n, { contentHash: testHashes(alerts)[0], committed: false }],
        [502n, { contentHash: testHashes(alerts)[1], committed: false }],
      ]);
      await archive.batches.commit(one, { survey: "ZTF", ...receipt });
      await write("ZTF", alerts.slice(0, 1));
      await settle();
      expect([...(await known()).values()].map(({ committed }) => committed)).toEqual([true, true]);
      expect((await archive.alerts.known("LSST", asked)).size).toBe(0);
    });

    it("tells where the packets of unfinished batches lie, and of no others", async () => {
      const lost = [alertAt(601n), alertAt(602n)];
      const mine = async (before = Date.now() + 1_000) =>
        (await archive.batches.uncommittedPackets(before)).filter(({ candid }) => candid === 601n || candid === 602n);
      await write("ZTF", lost);
      expect(await mine()).toEqual(
        lost.map(({ candid }, n) => ({ survey: "ZTF", candid, location: testLocations(lost)[n] })),
      );
      const again = await write("ZTF", lost.slice(0, 1));
      await archive.batches.commit(again, { survey: "ZTF", ...receipt });
      expect((await mine()).map(({ candid }) => candid)).toEqual([602n]);
      expect(await mine(Date.now() - 60_000)).toEqual([]);
      await archive.batches.recovered(Date.now() + 1_000);
      expect(await mine()).toEqual([]);
      // Ids stay above what has been recovered, so that nothing of later hides below it.
      await write("ZTF", lost);
      expect(await mine(Date.now() + 10_000)).toHaveLength(1);
    });

    it("begins batches with ids that grow", () => {
      const ids = Array.from({ length: 1000 }, () => archive.batches.begin());
      expect([...ids].sort((a, b) => (a < b ? -1 : 1))).toEqual(ids);
      expect(new Set(ids).size).toBe(1000);
    });
  });
}

function alertAt(candid: bigint, more: Partial<TestAlert> = {}): TestAlert {
  return { candid, objectId: "single", jd: 2460000.5, ra: 10, dec: 20, ...more };
}

const keyOf = ({ jd, candid, survey }: AlertKey): AlertKey => ({ jd, candid, survey });

function meets(alert: WorldAlert, where: AlertConditions): boolean {
  const { survey, objectId, time, cone } = where;
  return (
    (survey === undefined || alert.survey === survey) &&
    (objectId === undefined || alert.objectId === objectId) &&
    (time === undefined || (alert.jd >= time.startJd && alert.jd < time.endJd)) &&
    (where.class === undefined || alert.class === where.class) &&
    (where.solarSystemName === undefined || alert.solarSystemName === where.solarSystemName) &&
    (cone === undefined || vectorSeparation(cone.ra, cone.dec, alert.ra, alert.dec) <= cone.radiusArcsec)
  );
}

async function allPages(alerts: AlertStore, viewer: Viewer, where: AlertConditions, first: number) {
  const keys: AlertKey[] = [];
  for (let after: AlertKey | null = null; ; after = keys.at(-1)!) {
    const page: AlertKey[] = await alerts.page(viewer, where, first, after);
    keys.push(...page.map(keyOf));
    if (page.length < first) return keys;
  }
}
