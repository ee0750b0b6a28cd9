// What every BacktestStore must do: called by the test of each engine.
import { beforeEach, describe, expect, it } from "vitest";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import type { AlertStore } from "./alerts.store.js";
import type { ArchiveExpression, BacktestKey, BacktestStore } from "./backtest.store.js";
import type { BatchStore } from "./batches.store.js";

interface Stores {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly backtest: BacktestStore;
}

const SURVEY = testSurvey("ZTF", [
  { name: "drb", type: "Float32", nullable: true, unit: null, description: "A score." },
  { name: "passes", type: "Float64", nullable: true, unit: null, description: "A name of the store's own." },
]);
const OTHER = testSurvey("LSST");
const EVERYBODY: Viewer = { scope: "all", programids: new Map([["ZTF", "all"]]), mayChange: true };
const PUBLIC: Viewer = { scope: "public", programids: new Map([["ZTF", [1]]]), mayChange: false };
const NOBODY: Viewer = { scope: "none", programids: new Map(), mayChange: false };

const START = 2460000.5;
/** Three nights, alert n at START + n / 40, every fifth of partners. */
const ALERTS: readonly TestAlert[] = Array.from({ length: 120 }, (_, n) => ({
  ...{
    candid: 2532491990015015000n + BigInt(n),
    objectId: `o${n % 7}`,
    jd: START + n / 40,
    ra: 10 + n / 1000,
    dec: 20,
  },
  programid: n % 5 === 0 ? 2 : 1,
  class: n % 2 === 0 ? "hosted" : "hostless",
  own: { drb: n % 11 === 0 ? null : n / 120, passes: n },
}));
const BRIGHT: ArchiveExpression = { sql: "ifNull(drb > 0.5, 0)", columns: ["drb"] };
const OWN_NAME: ArchiveExpression = { sql: "ifNull(passes > 100, 0)", columns: ["passes"] };
const passing = (alert: TestAlert) => alert.own!.drb !== null && (alert.own!.drb as number) > 0.5;
const WINDOW = { survey: "ZTF", startJd: START, endJd: START + 3 };
const candids = (keys: readonly BacktestKey[]) => keys.map(({ candid }) => candid);

export function backtestContract(open: (surveys: readonly SurveyDescription[]) => Promise<Stores>): void {
  describe("BacktestStore", () => {
    let stores: Stores;
    async function write(alerts: readonly TestAlert[], commit = true): Promise<void> {
      const id = stores.batches.begin();
      await stores.alerts.write(id, testBatch(SURVEY, alerts), testHashes(alerts), testLocations(alerts));
      if (!commit) return;
      const rows = alerts.length;
      const receipt = { survey: "ZTF", read: rows, stored: rows, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
      await stores.batches.commit(id, receipt);
    }
    beforeEach(async () => {
      stores = await open([SURVEY, OTHER]);
      await write(ALERTS.slice(0, 70));
      await write(ALERTS.slice(60));
      const late = ALERTS.slice(0, 3).map((alert) => ({ ...alert, candid: alert.candid + 1000n, own: { drb: 1 } }));
      await write(late, false);
    });

    it("counts what a window has and what passes, by night, and pages through it, oldest first", async () => {
      const truth = ALERTS.filter(passing);
      const whole = await stores.backtest.run(EVERYBODY, WINDOW, [BRIGHT], { first: 100, after: null, counted: true });
      expect(candids(whole.keys)).toEqual(truth.map(({ candid }) => candid));
      expect(whole.nights!.map(({ scanned }) => scanned)).toEqual([40, 40, 40]);
      expect(whole.nights!.map(({ night }) => night - whole.nights![0]!.night)).toEqual([0, 1, 2]);
      const inNight = (n: number) => truth.filter(({ jd }) => Math.floor(jd - START) === n).length;
      expect(whole.nights!.map(({ passed }) => passed)).toEqual([0, 1, 2].map(inNight));

      const paged: BacktestKey[] = [];
      for (let after: BacktestKey | null = null; ; ) {
        const counted = paged.length === 0;
        const page = await stores.backtest.run(EVERYBODY, WINDOW, [BRIGHT], { first: 7, after, counted });
        paged.push(...page.keys);
        expect(page.nights).toEqual(counted ? whole.nights : null);
        if (page.keys.length < 7) break;
        after = page.keys.at(-1)!;
      }
      expect(paged).toEqual(whole.keys);
    });

    it("ends a window before its end and shows nobody what he may not see", async () => {
      const some = { survey: "ZTF", startJd: ALERTS[90]!.jd, endJd: ALERTS[100]!.jd };
      const page = { first: 100, after: null, counted: true };
      const mine = await stores.backtest.run(PUBLIC, some, [BRIGHT], page);
      const truth = ALERTS.slice(90, 100).filter(({ programid }) => programid === 1);
      expect(mine.nights!.reduce((sum, { scanned }) => sum + scanned, 0)).toBe(truth.length);
      expect(candids(mine.keys)).toEqual(truth.filter(passing).map(({ candid }) => candid));
      expect(await stores.backtest.run(NOBODY, some, [BRIGHT], page)).toEqual({ nights: [], keys: [] });
      expect((await stores.backtest.matching(NOBODY, { survey: "ZTF" }, [BRIGHT], 9, null)).alerts).toEqual([]);
      expect((await stores.backtest.values(PUBLIC, "ZTF", [ALERTS[0]!.candid], [BRIGHT])).size).toBe(0);
    });

    it("judges an alert by its latest row, by all texts together", async () => {
      await write([{ ...ALERTS[119]!, own: { ...ALERTS[119]!.own, drb: 0.1 } }]);
      const both = [BRIGHT, OWN_NAME];
      const page = await stores.backtest.run(EVERYBODY, WINDOW, both, { first: 100, after: null, counted: true });
      const truth = ALERTS.slice(101, 119).filter(passing);
      expect(candids(page.keys)).toEqual(truth.map(({ candid }) => candid));
      expect(page.nights!.map(({ scanned }) => scanned)).toEqual([40, 40, 40]);
      const newest = await stores.backtest.matching(EVERYBODY, { survey: "ZTF" }, both, 1, null);
      expect(newest.alerts.map(({ candid }) => candid)).toEqual([truth.at(-1)!.candid]);
    });

    it("reads a column that is called like one of its own", async () => {
      const page = await stores.backtest.run(EVERYBODY, WINDOW, [OWN_NAME], {
        first: 100,
        after: null,
        counted: false,
      });
      expect(page.keys).toHaveLength(19);
    });

    it("finds the newest that match, together with the other conditions, page by page", async () => {
      const cone = { ra: 10.1, dec: 20, radiusArcsec: 60 };
      const cases = [
        [{ survey: "ZTF" }, () => true],
        [{ survey: "ZTF", class: "hosted" }, (_: TestAlert, n: number) => n % 2 === 0],
        [{ survey: "ZTF", objectId: "o3" }, (_: TestAlert, n: number) => n % 7 === 3],
        [{ survey: "ZTF", cone }, ({ ra }: TestAlert) => Math.abs(ra - 10.1) * Math.cos((20 * Math.PI) / 180) < 1 / 60],
        [
          { survey: "ZTF", time: { startJd: START + 1, endJd: START + 2 } },
          (_: TestAlert, n: number) => n >= 40 && n < 80,
        ],
      ] as const;
      for (const [where, meets] of cases) {
        const truth = ALERTS.filter((alert, n) => meets(alert, n) && passing(alert)).reverse();
        const found: bigint[] = [];
        for (let after = null as Parameters<BacktestStore["matching"]>[4]; ; ) {
          const { alerts, searchedTo } = await stores.backtest.matching(EVERYBODY, where, [BRIGHT], 4, after);
          expect(searchedTo).toBeNull();
          found.push(...alerts.map(({ candid }) => candid));
          if (alerts.length < 4) break;
          after = alerts.at(-1)!;
        }
        expect(found).toEqual(truth.map(({ candid }) => candid));
        expect(found.length).toBeGreaterThan(0);
      }
    });

    it("gives values of single alerts", async () => {
      const [a, b] = [ALERTS[12]!, ALERTS[11]!];
      const values = await stores.backtest.values(
        EVERYBODY,
        "ZTF",
        [a.candid, b.candid, 5n],
        [
          { sql: "candid", columns: ["candid"] },
          { sql: "drb", columns: ["drb"] },
          { sql: "isPositive", columns: ["isPositive"] },
          { sql: "[magnitude, jd]", columns: ["magnitude"] },
          { sql: "nan", columns: [] },
        ],
      );
      expect(values.get(a.candid)).toEqual([a.candid, Math.fround(0.1), true, [null, a.jd], null]);
      expect(values.get(b.candid)).toEqual([b.candid, null, true, [null, b.jd], null]);
      expect(values.size).toBe(2);
    });

    it("tells which condition stops how many", async () => {
      const late: ArchiveExpression = { sql: "jd >= 2460002", columns: ["jd"] };
      const hosted: ArchiveExpression = { sql: "ra < 10.115", columns: ["ra"] };
      const funnel = await stores.backtest.funnel(EVERYBODY, "ZTF", 2, [BRIGHT, late, hosted]);
      const seen = ALERTS.slice(40);
      const fails = seen.map((alert) => [!passing(alert), !(alert.jd >= 2460002), !(alert.ra < 10.115)]);
      expect(funnel.nights.map(({ alerts }) => alerts)).toEqual([40, 40]);
      expect(funnel).toMatchObject({ scanned: 80, oneOf: 1, passed: fails.filter((f) => !f.includes(true)).length });
      expect(funnel.failing).toEqual([0, 1, 2].map((n) => fails.filter((f) => f[n]).length));
      expect(funnel.failingFirst).toEqual([0, 1, 2].map((n) => fails.filter((f) => f.indexOf(true) === n).length));
      const only = (n: number) => fails.filter((f) => f[n] && f.filter(Boolean).length === 1).length;
      expect(funnel.failingOnly).toEqual([0, 1, 2].map(only));
      expect(await stores.backtest.funnel(NOBODY, "ZTF", 2, [BRIGHT])).toMatchObject({ scanned: 0, failing: [0] });
    });

    it("measures what an expression costs, or nothing without alerts", async () => {
      const heavy = { sql: "arraySum(arrayMap(x -> sin(x + ifNull(drb, 0)), range(100000))) > 0", columns: ["drb"] };
      const costs = await stores.backtest.cost(EVERYBODY, "ZTF", [BRIGHT, heavy]);
      expect(costs).toHaveLength(2);
      expect(costs![1]!).toBeGreaterThan(10 * costs![0]!);
      const seesOther: Viewer = { scope: "lsst", programids: new Map([["LSST", "all"]]), mayChange: false };
      expect(await stores.backtest.cost(seesOther, "LSST", [{ sql: "1", columns: [] }])).toBeNull();
    });
  });
}
