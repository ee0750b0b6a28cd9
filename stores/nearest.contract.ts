// What every NearestStore and the lists of counterparts' detections do: each alert has those that packets of the other survey
// up to its time told of the object that was nearest then, live and in filters over the past. Called with each engine's
// stores by its tests.
import { beforeAll, describe, expect, it } from "vitest";
import { counterpartList } from "../domain/photometry.js";
import { separationArcsec } from "../domain/sky.js";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { createActiveFilters } from "../filters/active.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { counterpartHistories, createCounterpartHistory } from "../ingest/enrich/counterparthistory.js";
import { createRandom } from "../ingest/simulator/random.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import { counterpartByRule, detectionsByRule } from "../test/counterparts.js";
import { type Known, randomPackets } from "../test/histories.js";
import type { AlertStore } from "./alerts.store.js";
import type { BacktestStore, Value } from "./backtest.store.js";
import type { BatchStore } from "./batches.store.js";
import { type NearestStore, otherSurvey } from "./counterparts.store.js";
import type { HistoryStore } from "./history.store.js";

export interface CounterpartArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly backtest: BacktestStore;
  readonly history: HistoryStore;
  readonly nearest: NearestStore;
}

type Place = readonly [ra: number, dec: number];
/** Poles, the wrap, corners of base faces, and the edge of the polar caps. */
const AWKWARD: readonly Place[] = [
  ...[-90, 90].map((dec) => [0, dec] as const),
  ...[0, 45, 90, 315].flatMap((ra) => [-66.4, -41.8103, 0, 41.8103, 41.81031, 89.999].map((dec) => [ra, dec] as const)),
];
const VIEWER: Viewer = {
  scope: "all",
  programids: new Map(SURVEYS.map(({ description }) => [description.id, "all"])),
  mayChange: true,
};

export function counterpartContract(
  open: (surveys: readonly SurveyDescription[]) => Promise<CounterpartArchive>,
  settle: () => Promise<void>,
): void {
  const random = createRandom("counterparts");
  const places = [
    ...AWKWARD,
    ...Array.from({ length: 150 }, (): Place => {
      return [360 * random.uniform(), (Math.asin(2 * random.uniform() - 1) * 180) / Math.PI];
    }),
  ];
  let candid = 10n;

  /** Somewhere within so many arcsec in each direction. */
  function near([ra, dec]: Place, arcsec: number): { ra: number; dec: number } {
    const step = () => ((2 * random.uniform() - 1) * arcsec) / 3600;
    const [dx, dy] = [step(), step()];
    const north = Math.abs(dec + dy) > 90 ? dec - dy : dec + dy;
    const turn = Math.abs(dec) === 90 ? 360 * random.uniform() : dx / Math.cos((north * Math.PI) / 180);
    return { ra: (ra + turn + 360) % 360, dec: north };
  }

  async function write(stores: CounterpartArchive, survey: SurveyDescription, alerts: readonly TestAlert[]) {
    const id = stores.batches.begin();
    await stores.alerts.write(id, testBatch(survey, alerts), testHashes(alerts), testLocations(alerts));
    const counts = { read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
    await stores.batches.commit(id, { survey: survey.id, ...counts });
  }

  describe("counterparts of places", () => {
    const [ZTF, LSST] = [testSurvey("ZTF"), testSurvey("LSST")];
    let stores: CounterpartArchive;
    beforeAll(async () => {
      stores = await open([ZTF, LSST]);
    });

    it("are the nearest objects, where they were at that time", async () => {
      /** Objects that wander by some arcsec, some of them in private packets. */
      const others: TestAlert[] = places.flatMap((place, n) =>
        Array.from({ length: 8 }, (_, k) => ({
          ...{ candid: candid++, objectId: `o${n}x${k % 3}`, jd: 2460000 + random.below(20) },
          ...{ programid: random.pick([1, 1, 1, 2]), ...near(place, 3) },
        })),
      );
      const alerts: TestAlert[] = places.flatMap((place, n) =>
        Array.from({ length: 6 }, () => ({
          ...{ candid: candid++, objectId: `a${n}`, jd: 2460000 + random.below(25), ...near(place, 2) },
        })),
      );
      for (let at = 0; at < others.length; at += 500) await write(stores, LSST, others.slice(at, at + 500));
      const expected = alerts.map((alert) => counterpartByRule(alert, others, LSST, 2));
      expect(expected.filter((objectId) => objectId !== null).length).toBeGreaterThan(alerts.length / 3);
      expect(expected.filter((objectId) => objectId === null).length).toBeGreaterThan(alerts.length / 10);
      const asked = testBatch(ZTF, alerts).alerts;
      expect(await stores.nearest.nearest(asked, otherSurvey(ZTF, LSST))).toEqual(expected);
      await settle();
      expect(await stores.nearest.nearest(asked, otherSurvey(ZTF, LSST))).toEqual(expected);
    });

    it.each([0.01, 0.3, 5, 30])("are found at any radius (%d)", async (radiusArcsec) => {
      const others = places.flatMap((place, n) =>
        Array.from({ length: 3 }, (_, k) => ({
          ...{
            candid: candid++,
            objectId: `r${radiusArcsec} ${n}x${k}`,
            jd: 2470000,
            ...near(place, 1.2 * radiusArcsec),
          },
        })),
      );
      await write(stores, LSST, others);
      const alerts = places.map(([ra, dec]) => ({ candid: candid++, objectId: "a", jd: 2470001, ra, dec }));
      const other = { ...otherSurvey(ZTF, LSST), radiusArcsec };
      const found = await stores.nearest.nearest(testBatch(ZTF, alerts).alerts, other);
      const isFound = alerts.map(({ ra, dec }) =>
        others.some((one) => separationArcsec(ra, dec, one.ra, one.dec) <= radiusArcsec),
      );
      expect(isFound.filter(Boolean).length).toBeGreaterThan(50);
      // What was written before may be found as well.
      found.forEach((objectId, n) => {
        if (isFound[n]) expect(objectId).not.toBeNull();
      });
    });
  });

  describe("detections of counterparts", () => {
    const descriptions = SURVEYS.map(({ description }) => description);
    const operands = counterpartHistories(descriptions);
    /** Some at the same places, each object somewhere else within an arcsec in each packet. */
    const packets = descriptions.flatMap((survey) =>
      randomPackets(survey, `${survey.id}counterparts`, 250).map((packet) => {
        const n = [...packet.objectId].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 12;
        return { survey, alert: { ...packet, ...near(places[n]!, 1) } };
      }),
    );
    const ofSurvey = (id: string) => packets.flatMap(({ survey, alert }) => (survey.id === id ? [alert] : []));
    const otherOf = (survey: SurveyDescription) => descriptions.find(({ id }) => id !== survey.id)!;
    const fieldsOf = (survey: SurveyDescription) => otherOf(survey).pointFields.detections.map(({ name }) => name);
    const expected = (survey: SurveyDescription, alert: TestAlert) => {
      const other = otherOf(survey);
      return detectionsByRule(alert, ofSurvey(other.id), other, otherSurvey(survey, other).radiusArcsec);
    };

    function activeFilters(where: (survey: SurveyDescription) => string) {
      const filters = descriptions.map((survey) => {
        const version = { number: 1, where: where(survey), annotations: [], createdAt: 0, changelog: null };
        const { id } = survey;
        return { id, name: id, survey: id, active: true, stream: null, versions: [version] };
      });
      const store = { active: async () => filters, onChange: () => () => undefined };
      return createActiveFilters(store, fieldsOfSurveys(descriptions, [operands]));
    }
    const stepOf = (stores: CounterpartArchive, where: (survey: SurveyDescription) => string) => {
      const surveys = new Map(descriptions.map((survey) => [survey.id, survey]));
      return createCounterpartHistory({ ...stores, surveys, active: activeFilters(where) });
    };
    const everyField = (survey: SurveyDescription) => {
      const list = counterpartList(otherOf(survey).id);
      return fieldsOf(survey)
        .map((field) => `has(${list}, ${field} is null)`)
        .join(" or ");
    };

    let stores: CounterpartArchive;

    it("live: what had been told by then of what was nearest then", async () => {
      stores = await open(descriptions);
      const step = stepOf(stores, everyField);
      const order = packets.toSorted((a, b) => a.alert.jd - b.alert.jd);
      let some = 0;
      for (let at = 0; at < order.length; ) {
        const until = order[Math.min(order.length - 1, at + 80)]!.alert.jd;
        const part = order.slice(at).filter(({ alert }) => alert.jd <= until);
        at += part.length;
        const parts = descriptions.map(
          (survey) => [survey, part.flatMap((one) => (one.survey === survey ? [one.alert] : []))] as const,
        );
        for (const [survey, alerts] of parts) if (alerts.length > 0) await write(stores, survey, alerts);
        // What came with them and is later must not be seen.
        for (const [survey, alerts] of parts) {
          const { lists } = (await step.run(testBatch(survey, alerts))).alerts;
          alerts.forEach((alert, row) => {
            const known = expected(survey, alert);
            if (known.length > 0) some += 1;
            const name = counterpartList(otherOf(survey).id);
            const found = fieldsOf(survey).map((field) => {
              const { ends, items } = lists!.get(`${name}.${field}`)!;
              const values = Array.from({ length: ends[row]! - (row === 0 ? 0 : ends[row - 1]!) }, (_, n) => {
                const item = (row === 0 ? 0 : ends[row - 1]!) + n;
                const value = items.nulls?.[item] ? null : items.values[item]!;
                return items.type === "Bool" && value !== null ? value === 1 : value;
              });
              return [field, values] as const;
            });
            expect(pointsOf(found)).toEqual(known);
          });
        }
      }
      expect(some).toBeGreaterThan(100);
    });

    it("of archived alerts, the same, whichever survey's packets came first", async () => {
      const check = async () => {
        for (const survey of descriptions) {
          const alerts = ofSurvey(survey.id);
          const columns = fieldsOf(survey).map((field) => `${counterpartList(otherOf(survey).id)}.${field}`);
          const asked = columns.map((name) => ({ sql: `\`${name}\``, columns: [name] }));
          const candids = alerts.map(({ candid }) => candid);
          const values = await stores.backtest.values(VIEWER, survey.id, candids, asked);
          for (const alert of alerts) {
            const row = values.get(alert.candid)! as readonly (readonly Value[])[];
            const found = fieldsOf(survey).map((field, n) => [field, row[n]!] as const);
            expect(pointsOf(found)).toEqual(expected(survey, alert));
          }
        }
      };
      await check();
      await settle();
      await check();
      stores = await open(descriptions);
      for (const survey of descriptions.toReversed()) await write(stores, survey, ofSurvey(survey.id).toReversed());
      await check();
    });

    it("are looked for where an active filter reads them, no more of them than it reads", async () => {
      const survey = descriptions[0]!;
      const name = counterpartList(otherOf(survey).id);
      const batch = testBatch(survey, ofSurvey(survey.id).slice(0, 10));
      const nobody = { nearest: async () => Promise.reject(new Error("nobody asked")) };
      const unread = await stepOf({ ...stores, nearest: nobody }, () => "jd > 0").run(batch);
      expect(unread.alerts.lists?.size ?? 0).toBe(0);
      const read = await stepOf(stores, (one) => (one === survey ? `max(${name}, jd) < jd` : "jd > 0")).run(batch);
      expect([...read.alerts.lists!.keys()]).toEqual([`${name}.jd`]);
    });
  });
}

/** Points out of the values of each field. */
function pointsOf(fields: readonly (readonly [string, readonly Value[]])[]): Known[] {
  return fields[0]![1].map((_, n) => Object.fromEntries(fields.map(([field, values]) => [field, values[n]!])));
}
