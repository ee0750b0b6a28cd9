// What every HistoryStore and the lists of archived alerts do: each alert has the points that packets up to it told, live and
// in filters over the past, whichever came first and however far they are merged. Called with each engine's stores by its
// tests.
import { describe, expect, it } from "vitest";
import { nightNumber } from "../domain/night.js";
import { POINT_LISTS } from "../domain/photometry.js";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { createHistory } from "../ingest/enrich/history.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { type TestAlert, testBatch, testHashes, testLocations } from "../test/batches.js";
import { type Known, listsByRule, listsOf, randomPackets } from "../test/histories.js";
import type { AlertStore } from "./alerts.store.js";
import type { BacktestStore, Value } from "./backtest.store.js";
import type { BatchStore } from "./batches.store.js";
import type { HistoryStore } from "./history.store.js";

export interface HistoryArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly backtest: BacktestStore;
  readonly history: HistoryStore;
}

const ALERTS = 150;
const DESCRIPTIONS = SURVEYS.map(({ description }) => description);
const PAGE = { first: ALERTS, after: null, counted: true };

/** The lists of an alert by their names out of the values of their fields. */
function listsOfValues({ pointFields }: SurveyDescription, values: readonly (Value | readonly Value[])[]) {
  let next = 0;
  const lists = POINT_LISTS.map(([name]) => {
    const fields = pointFields[name].map((field) => [field.name, values[next++] as readonly Value[]] as const);
    const points = fields[0]![1].map(
      (_, n): Known => Object.fromEntries(fields.map(([field, all]) => [field, all[n]!])),
    );
    return [name, points] as const;
  });
  return Object.fromEntries(lists);
}

export function historyContract(
  open: (surveys: readonly SurveyDescription[]) => Promise<HistoryArchive>,
  settle: () => Promise<void>,
): void {
  describe.each(DESCRIPTIONS)("histories of $id", (description) => {
    const { id: survey } = description;
    const viewer: Viewer = { scope: "all", programids: new Map([[survey, "all"]]), mayChange: true };
    const names = POINT_LISTS.flatMap(([name]) =>
      description.pointFields[name].map((field) => `${name}.${field.name}`),
    );
    const fields = names.map((name) => ({ sql: `\`${name}\``, columns: [name] }));
    const packets = randomPackets(description, survey, ALERTS);
    const expected = listsByRule(description, packets);
    const candids = packets.map(({ candid }) => candid);
    let stores: HistoryArchive;

    async function write(alerts: readonly TestAlert[]): Promise<void> {
      const id = stores.batches.begin();
      await stores.alerts.write(id, testBatch(description, alerts), testHashes(alerts), testLocations(alerts));
      const receipt = { survey, read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
      await stores.batches.commit(id, receipt);
    }

    async function checkLists(): Promise<void> {
      const values = await stores.backtest.values(viewer, survey, candids, fields);
      for (const candid of candids) {
        expect(listsOfValues(description, values.get(candid)!)).toEqual(expected.get(candid));
      }
    }

    it("live, batch by batch", async () => {
      stores = await open(DESCRIPTIONS);
      const history = createHistory(stores.history);
      for (let at = 0, size = 17; at < packets.length; at += size, size = (size * 5) % 61) {
        const part = packets.slice(at, at + size);
        const { alerts } = await history.run(testBatch(description, part));
        for (const [row, { candid }] of part.entries()) {
          expect(listsOf(description, alerts, row)).toEqual(expected.get(candid));
        }
        await write(part);
      }
      await checkLists();
    });

    it("of archived alerts, in any order and number of times", async () => {
      stores = await open(DESCRIPTIONS);
      const order = packets.toSorted((a, b) => Number((a.candid % 101n) - (b.candid % 101n)));
      for (let at = 0; at < order.length; at += 53)
        await write([...order.slice(at, at + 53), ...order.slice(at, at + 3)]);
      await checkLists();
      await settle();
      await write(packets.slice(20, 60));
      await checkLists();
    });

    it("in conditions of backtests, of queries and of funnels", async () => {
      const often = { sql: "length(`detections.jd`) >= 3", columns: ["detections.jd"] };
      const forced = { sql: "arrayExists(f -> f > 100, `forced.snr`)", columns: ["forced.snr"] };
      const counted = (candid: bigint) => expected.get(candid)!.detections!.length >= 3;
      const measured = (candid: bigint) => expected.get(candid)!.forced!.some(({ snr }) => Number(snr ?? 0) > 100);
      const passing = packets.filter(({ candid }) => counted(candid) && measured(candid));
      expect(passing.length).toBeGreaterThan(5);
      expect(passing.length).toBeLessThan(ALERTS);
      const [startJd, endJd] = [2_460_010.5, 2_460_020.5];
      const within = ({ jd }: TestAlert) => jd >= startJd && jd < endJd;

      const run = await stores.backtest.run(viewer, { survey, startJd, endJd }, [often, forced], PAGE);
      expect(run.keys.map(({ candid }) => candid)).toEqual(passing.filter(within).map(({ candid }) => candid));
      expect(run.nights!.reduce((sum, { scanned }) => sum + scanned, 0)).toBe(packets.filter(within).length);

      const { alerts } = await stores.backtest.matching(viewer, { survey }, [often, forced], ALERTS, null);
      expect(alerts.map(({ candid }) => candid)).toEqual(passing.map(({ candid }) => candid).reverse());
      const { objectId } = passing[0]!;
      const ofObject = await stores.backtest.matching(viewer, { survey, objectId }, [often, forced], ALERTS, null);
      expect(ofObject.alerts.map(({ candid }) => candid)).toEqual(
        passing.flatMap((one) => (one.objectId === objectId ? [one.candid] : [])).reverse(),
      );
      const cone = { ra: 10, dec: 20, radiusArcsec: 5 };
      const near = await stores.backtest.matching(viewer, { survey, cone }, [often, forced], ALERTS, null);
      expect(near.alerts.length).toBe(passing.length);

      const night = ({ jd }: TestAlert) => nightNumber(jd, description.nightOffsetHours);
      const newest = [...new Set(packets.map(night))].sort((a, b) => b - a).slice(0, 4);
      const lately = packets.filter((packet) => newest.includes(night(packet)));
      const funnel = await stores.backtest.funnel(viewer, survey, newest.length, [often, forced]);
      expect(funnel.nights.map((one) => one.night)).toEqual(newest);
      expect(funnel).toMatchObject({
        scanned: lately.length,
        passed: passing.filter((packet) => newest.includes(night(packet))).length,
        failing: [counted, measured].map((holds) => lately.filter(({ candid }) => !holds(candid)).length),
      });
    });
  });
}
