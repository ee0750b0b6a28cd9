// What every FeatureStore does: features written with their batch, read by alert, found where they are old, and read by filters
// over the past. Called with each engine's stores by its tests.
import { beforeAll, describe, expect, it } from "vitest";
import type { AlertBatch } from "../domain/alert.js";
import type { Column, ListColumn } from "../domain/columns.js";
import { BAND_FEATURES } from "../domain/features/band.features.js";
import { OBJECT_FEATURES } from "../domain/features/object.features.js";
import { magnitudeFromFlux } from "../domain/flux.js";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { createFeatureStep, FEATURE_INPUTS } from "../ingest/enrich/features.js";
import {
  blockFor,
  type Row,
  type TestAlert,
  testBatch,
  testHashes,
  testLocations,
  testSurvey,
} from "../test/batches.js";
import type { AlertStore } from "./alerts.store.js";
import type { BacktestStore } from "./backtest.store.js";
import type { BatchStore } from "./batches.store.js";
import type { FeatureStore } from "./features.store.js";

export interface FeatureArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly backtest: BacktestStore;
  readonly features: FeatureStore;
}

const SURVEY = testSurvey("ZTF");
const JD = 2_460_000.5;
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const everybody: Viewer = { scope: "everybody", programids: new Map([["ZTF", [1]]]), mayChange: false };
const partner: Viewer = { scope: "partner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const step = createFeatureStep(new Map([["ZTF", SURVEY]]));

/** Alert n of an object has seen n + 1 detections, one a day. */
const alert = (n: number, objectId: string, programid = 1): TestAlert => ({
  ...{ candid: BigInt(n) + BigInt(objectId.charCodeAt(0)) * 1000n, objectId, jd: JD + n, ra: 10, dec: 20, programid },
});
const fluxes = [100, 400, 250];

function withHistory(alerts: readonly TestAlert[]): AlertBatch {
  const batch = testBatch(SURVEY, alerts);
  const rows = alerts.map(({ jd }) =>
    fluxes.slice(0, jd - JD + 1).map((flux, n): Row => {
      return { jd: JD + n, band: "g", flux, fluxError: 10, magnitude: magnitudeFromFlux(flux), magnitudeError: 0.05 };
    }),
  );
  const lists = new Map<string, ListColumn>();
  for (const name of FEATURE_INPUTS) {
    const [list, field] = name.split(".") as [string, string];
    const points = list === "detections" ? rows : rows.map(() => []);
    let end = 0;
    const ends = Uint32Array.from(points, ({ length }) => (end += length));
    const type = field === "band" ? "String" : "Float64";
    lists.set(name, {
      ends,
      items: blockFor([{ name: field, type, nullable: false }], points.flat()).columns.get(field)!,
    });
  }
  return { ...batch, alerts: { ...batch.alerts, lists } };
}

export function featureContract(
  open: (surveys: readonly SurveyDescription[]) => Promise<FeatureArchive>,
  settle: () => Promise<void>,
): void {
  describe("features", () => {
    let stores: FeatureArchive;
    beforeAll(async () => {
      stores = await open([SURVEY]);
      await write([alert(0, "a"), alert(0, "b"), alert(0, "c")], 7);
      await write([alert(1, "a"), alert(1, "b", 2), alert(1, "c")], 8);
      await write([alert(2, "a")], 9);
    });

    async function write(alerts: readonly TestAlert[], version?: number): Promise<void> {
      const id = stores.batches.begin();
      const batch = await step.run(withHistory(alerts));
      const versions = batch.annexes![0]!.rows.columns.get("version") as Column & { values: Uint32Array };
      if (version !== undefined) versions.values.fill(version);
      await stores.alerts.write(id, batch, testHashes(alerts), testLocations(alerts));
      await stores.batches.commit(id, RECEIPT);
    }

    it("gives an alert's features as they stood, with their version", async () => {
      const [first, last] = [alert(0, "a").candid, alert(2, "a").candid];
      const found = await stores.features.byCandid(everybody, "ZTF", [first, last, 1n]);
      expect(new Set(found.keys())).toEqual(new Set([first, last]));
      const features = found.get(last)!;
      expect(features.version).toBe(9);
      expect(Object.keys(features.whole)).toEqual(OBJECT_FEATURES.map(({ name }) => name));
      expect([...features.scopes.keys()]).toEqual(["g", "r", "gr"]);
      expect(Object.keys(features.scopes.get("r")!)).toEqual(BAND_FEATURES.map(({ name }) => name));
      expect(features.scopes.get("g")).toMatchObject({ count: 3, peakJd: JD + 1 });
      expect(features.whole).toMatchObject({ peakBand: "g", stationary: true });
      expect(features.scopes.get("r")!.peakMag).toBeNull();
      expect(found.get(first)!.whole.stationary).toBe(false);
    });

    it("shows features of alerts that the viewer may see only", async () => {
      const { candid } = alert(1, "b");
      expect((await stores.features.byCandid(everybody, "ZTF", [candid])).size).toBe(0);
      expect((await stores.features.byCandid(partner, "ZTF", [candid])).size).toBe(1);
    });

    it("finds objects whose latest visible features are old, page by page", async () => {
      const stale = (viewer: Viewer, before: number, first = 10, after: string | null = null) =>
        stores.features.stale(viewer, "ZTF", before, first, after);
      expect(await stale(partner, 9)).toEqual([
        { objectId: "b", version: 8 },
        { objectId: "c", version: 8 },
      ]);
      expect(await stale(everybody, 8)).toEqual([{ objectId: "b", version: 7 }]);
      expect(await stale(partner, 8)).toEqual([]);
      expect(await stale(partner, 10, 2)).toHaveLength(2);
      expect(await stale(partner, 10, 2, "b")).toEqual([{ objectId: "c", version: 8 }]);
    });

    it("takes the latest write of an alert's features", async () => {
      await write([alert(0, "c")], 12);
      const { candid } = alert(0, "c");
      expect((await stores.features.byCandid(partner, "ZTF", [candid])).get(candid)!.version).toBe(12);
      await settle();
      expect((await stores.features.byCandid(partner, "ZTF", [candid])).get(candid)!.version).toBe(12);
    });

    it("brings features of archived alerts to filters", async () => {
      const names = ["feature.g.amplitude", "feature.peakBand", "feature.stationary"];
      const read = names.map((name) => ({ sql: `\`${name}\``, columns: [name] }));
      const asked = ["a", "b", "c"].flatMap((objectId) => [alert(0, objectId).candid, alert(1, objectId).candid]);
      const values = await stores.backtest.values(partner, "ZTF", asked, read);
      expect([0, 1].map((n) => values.get(asked[n]!))).toEqual([
        [0, "g", false],
        [150, "g", true],
      ]);
      expect(values.size).toBe(6);
      const page = { first: 10, after: null, counted: true };
      const window = { survey: "ZTF", startJd: JD, endJd: JD + 3 };
      const rises = { sql: "ifNull(`feature.g.amplitude` > 100, 0)", columns: ["feature.g.amplitude"] };
      const { keys, nights } = await stores.backtest.run(everybody, window, [rises], page);
      expect(keys.map(({ candid }) => candid)).toEqual(
        [alert(1, "a"), alert(1, "c"), alert(2, "a")].map((one) => one.candid),
      );
      expect(nights!.map(({ scanned, passed }) => [scanned, passed])).toEqual([
        [3, 0],
        [2, 2],
        [1, 1],
      ]);
    });
  });
}
