// What every MissingStore does: why a batch lacks values is told to whoever may see its alerts, until they have been made.
// Called with each engine's stores by its tests.
import { beforeAll, describe, expect, it } from "vitest";
import type { Column } from "../domain/columns.js";
import { type MissingStep, stepFailed } from "../domain/missing.js";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import type { AlertStore } from "./alerts.store.js";
import type { BatchStore } from "./batches.store.js";
import type { FeatureStore } from "./features.store.js";
import type { MissingStore } from "./missing.store.js";
import type { StaleStore } from "./stale.store.js";

export interface MissingArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly features: FeatureStore;
  readonly missing: MissingStore;
  readonly stale: StaleStore;
}

const SURVEY = testSurvey("ZTF");
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const ANYBODY: Viewer = { scope: "anonymous", programids: new Map([["ZTF", [1]]]), mayChange: false };
const NOBODY: Viewer = { scope: "nobody", programids: new Map(), mayChange: false };

const alert = (objectId: string, n: number, programid = 1): TestAlert => ({
  ...{ candid: BigInt(n) * 1000n + BigInt(objectId.charCodeAt(0)), objectId, jd: 2_460_000.5 + n, ra: 10 + n, dec: 20 },
  programid,
});
const FEATURES = stepFailed("features", null, new Error("no light curve"));
const STARS = stepFailed("crossmatch", "stars", new Error("no such column"));
const MODEL: MissingStep = { step: "scores", part: "kinds", code: "MODEL_FAILED", reason: "it took more than 10 s" };

export function missingContract(open: (surveys: readonly SurveyDescription[]) => Promise<MissingArchive>): void {
  describe("missing values", () => {
    let stores: MissingArchive;
    let began: number;
    beforeAll(async () => {
      stores = await open([SURVEY]);
      began = Date.now();
      await write([alert("a", 1), alert("b", 1), alert("c", 1, 2)], [FEATURES, STARS]);
      await write([alert("a", 2)], []);
      await write([alert("b", 2), alert("d", 2)], [STARS, MODEL]);
      await write([alert("e", 3)], [stepFailed("history", null, new Error("gone")), FEATURES]);
      await write([alert("f", 4)], [FEATURES], false);
    });

    async function write(alerts: readonly TestAlert[], missing: readonly MissingStep[], commits = true): Promise<void> {
      const id = stores.batches.begin();
      await stores.alerts.write(id, testBatch(SURVEY, alerts), testHashes(alerts), testLocations(alerts));
      // The second time as after an outage.
      if (missing.length > 0) await stores.missing.add(id, "ZTF", alerts.length, missing);
      if (missing.length > 0) await stores.missing.add(id, "ZTF", alerts.length, missing);
      if (commits) await stores.batches.commit(id, RECEIPT);
    }

    const lacks = async (viewer: Viewer, ...alerts: readonly TestAlert[]) => {
      const candids = alerts.map(({ candid }) => candid);
      const found = await stores.missing.ofAlerts(viewer, "ZTF", candids);
      return candids.map((candid) =>
        found.get(candid)?.map(({ step, part, filledAt }) => [step, part, filledAt !== null]),
      );
    };
    const stale = (viewer: Viewer, step: "features" | "crossmatch" | "scores", part: string | null, first = 10) =>
      stores.stale.missing(viewer, "ZTF", { step, part }, first, null);
    const old = (...names: string[]) => names.map((name) => [name, null, false]);

    it("are told of alerts with reason and time, once each, of committed batches only", async () => {
      const { candid } = alert("a", 1);
      const found = await stores.missing.ofAlerts(OWNER, "ZTF", [candid]);
      expect(found.get(candid)).toEqual([
        {
          ...{ step: "crossmatch", part: "stars", code: "STEP_FAILED", reason: "no such column" },
          ...{ since: expect.any(Number), filledAt: null },
        },
        {
          ...{ step: "features", part: null, code: "STEP_FAILED", reason: "no light curve" },
          ...{ since: expect.any(Number), filledAt: null },
        },
      ]);
      for (const { since } of found.get(candid)!) expect(Date.now() - since).toBeLessThan(Date.now() - began + 1);
      expect(await lacks(OWNER, alert("a", 2), alert("d", 2), alert("f", 4))).toEqual([
        undefined,
        [
          ["crossmatch", "stars", false],
          ["scores", "kinds", false],
        ],
        undefined,
      ]);
    });

    it("are told to those who may see the alert", async () => {
      expect(await lacks(ANYBODY, alert("c", 1), alert("b", 1))).toEqual([
        undefined,
        [["crossmatch", "stars", false], ...old("features")],
      ]);
      expect(await lacks(NOBODY, alert("b", 1))).toEqual([undefined]);
    });

    it("of steps whose values are put together when they are read are not missing in the archive", async () => {
      expect(await lacks(OWNER, alert("e", 3))).toEqual([[...old("features"), ["history", null, true]]]);
      expect(await stores.missing.open("history")).toEqual([]);
    });

    it("belong to the batch that counts: an alert that was taken in again lacks what the last one lacked", async () => {
      const again = alert("g", 5);
      await write([again], [FEATURES], false);
      await write([again], [MODEL]);
      expect(await lacks(OWNER, again)).toEqual([[["scores", "kinds", false]]]);
    });

    it("make objects stale whose latest alert lacks them", async () => {
      expect(await stale(OWNER, "features", null)).toEqual(["c", "e"]);
      expect(await stale(ANYBODY, "features", null)).toEqual(["e"]);
      expect(await stale(OWNER, "crossmatch", "stars")).toEqual(["b", "c", "d"]);
      expect(await stale(OWNER, "crossmatch", "stars", 2)).toEqual(["b", "c"]);
      expect(await stale(OWNER, "crossmatch", "galaxies")).toEqual([]);
      expect(await stale(OWNER, "scores", "kinds")).toEqual(["b", "d", "g"]);
    });

    it("are filled in where the values are made: features alert by alert", async () => {
      const rows = (await stores.features.outdated("ZTF", 1, null, 100)).alerts;
      const all = rows.columns.get("candid")!.values as BigInt64Array;
      const one = all.indexOf(alert("c", 1).candid);
      const columns = new Map<string, Column>(
        [...rows.columns].map(([name, { values, ...column }]) => [
          name,
          { ...column, values: values.slice(one, one + 1) } as Column,
        ]),
      );
      columns.set("version", { type: "UInt32", values: Uint32Array.of(1), nulls: null });
      await stores.features.write(stores.batches.begin(), "ZTF", { rows: 1, columns });
      expect(await lacks(OWNER, alert("c", 1), alert("b", 1))).toEqual([
        [
          ["crossmatch", "stars", false],
          ["features", null, true],
        ],
        [["crossmatch", "stars", false], ...old("features")],
      ]);
      expect(await stale(OWNER, "features", null)).toEqual(["e"]);
      const [lacking] = await stores.missing.open("features");
      const { seen, alerts } = await stores.missing.alertsOf(lacking!);
      expect([seen, alerts.columns.get("objectId")!.values]).toEqual([3, ["a", "b"]]);
      expect(alerts.columns.get("programid")!.values).toEqual(Int32Array.of(1, 1));
    });

    it("are filled in where the values are made: of other steps batch by batch", async () => {
      const open = await stores.missing.open("crossmatch");
      expect(open).toMatchObject([
        { survey: "ZTF", step: "crossmatch", part: "stars", alerts: 3 },
        { survey: "ZTF", step: "crossmatch", part: "stars", alerts: 2 },
      ]);
      const { seen, alerts } = await stores.missing.alertsOf(open[1]!);
      expect(seen).toBe(2);
      expect([...(alerts.columns.get("candid")!.values as BigInt64Array)].sort()).toEqual([
        alert("b", 2).candid,
        alert("d", 2).candid,
      ]);
      expect(alerts.columns.get("ra")!.values).toEqual(Float64Array.of(12, 12));
      await stores.missing.filled(open[1]!);
      await stores.missing.filled(open[1]!);
      expect(await stores.missing.open("crossmatch")).toEqual([open[0]]);
      expect(await lacks(OWNER, alert("d", 2))).toEqual([
        [
          ["crossmatch", "stars", true],
          ["scores", "kinds", false],
        ],
      ]);
      expect(await stale(OWNER, "crossmatch", "stars")).toEqual(["c"]);
    });

    it("are counted by what failed and why", async () => {
      const counts = await stores.missing.counts();
      expect(counts.map(({ step, part, reason, batches, alerts }) => [step, part, reason, batches, alerts])).toEqual(
        expect.arrayContaining([
          ["features", null, "no light curve", 2, 4],
          ["crossmatch", "stars", "no such column", 1, 3],
          ["scores", "kinds", "it took more than 10 s", 2, 3],
        ]),
      );
      expect(counts).toHaveLength(3);
    });

    it("of very many parts are told as one", async () => {
      const many = Array.from({ length: 60 }, (_, n) => stepFailed("marks", `area.a${n}`, new Error("broken")));
      await write([alert("h", 6)], many);
      expect(await lacks(OWNER, alert("h", 6))).toEqual([old("marks")]);
    });
  });
}
