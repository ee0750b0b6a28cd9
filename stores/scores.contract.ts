// What every ScoreStore does: scores written as a batch's annex, read by alert, and read by filters over the past. Called with
// each engine's stores by its tests.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { writeTiny } from "../ingest/classifiers/models.fixture.js";
import { createModelRegistry } from "../ingest/classifiers/registry.js";
import { createScorer } from "../ingest/classifiers/scorer.js";
import { scoresEnrichment } from "../ingest/enrich/scores.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import type { AlertStore } from "./alerts.store.js";
import type { BacktestStore } from "./backtest.store.js";
import type { BatchStore } from "./batches.store.js";
import type { ScoreStore } from "./scores.store.js";

export interface ScoreArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly backtest: BacktestStore;
  readonly scores: ScoreStore;
}

const SURVEY = testSurvey("ZTF");
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const owner: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const anybody: Viewer = { scope: "anonymous", programids: new Map([["ZTF", [1]]]), mayChange: false };

const alert = (n: number, magnitude: number | null, programid = 1): TestAlert => ({
  ...{ candid: 2532491990015015000n + BigInt(n), objectId: `o${n}`, jd: 2460000.5 + n, ra: 10, dec: 20, programid },
  own: { magnitude, snr: n },
});
const alerts = [alert(1, 18.5), alert(2, null), alert(3, 19, 2)];

export function scoreContract(open: (surveys: readonly SurveyDescription[]) => Promise<ScoreArchive>): void {
  describe("scores", () => {
    let stores: ScoreArchive;
    let folder: string;
    beforeAll(async () => {
      stores = await open([SURVEY]);
      folder = await mkdtemp(join(tmpdir(), "tocsin-scores-"));
      await writeTiny(folder, "adds", "sum", { class: { of: ["y"], threshold: 20 } });
      await writeTiny(folder, "watched", "sum", { state: "shadow" });
      const registry = await createModelRegistry({ folders: [folder], log: (line) => expect.fail(line) });
      const scorer = createScorer();
      const step = scoresEnrichment({ registry, scorer, provider: "cpu", log: (line) => expect.fail(line) });
      try {
        const batch = await step.run(testBatch(SURVEY, alerts));
        // The second time as after a crash: the rows are there twice, and count once.
        for (let n = 0; n < 2; n += 1) {
          const id = stores.batches.begin();
          await stores.alerts.write(id, batch, testHashes(alerts), testLocations(alerts));
          await stores.batches.commit(id, RECEIPT);
        }
      } finally {
        registry.close();
        scorer.close();
      }
    });
    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
    });

    it("an alert's scores with their provenance, or why there are none", async () => {
      const found = await stores.scores.scores(owner, "ZTF", alerts, false);
      expect(found.get(alerts[0]!.candid)).toEqual([
        {
          model: "adds",
          version: "1",
          outputs: { y: 19.5 },
          class: null,
          inputHash: expect.any(BigInt),
          reason: null,
          shadow: false,
          saidAt: expect.any(Number),
        },
      ]);
      expect(found.get(alerts[1]!.candid)).toMatchObject([
        { outputs: {}, reason: "an input is missing", inputHash: 0n },
      ]);
      expect(found.get(alerts[2]!.candid)).toMatchObject([{ outputs: { y: 22 }, class: "y" }]);
    });

    it("who may not see the alert does not see its scores", async () => {
      const found = await stores.scores.scores(anybody, "ZTF", alerts, true);
      expect([...found.keys()].sort()).toEqual([alerts[0]!.candid, alerts[1]!.candid]);
    });

    it("shadows are shown on demand", async () => {
      const found = await stores.scores.scores(owner, "ZTF", alerts, true);
      expect(found.get(alerts[0]!.candid)!.map(({ model, shadow }) => [model, shadow])).toEqual([
        ["adds", false],
        ["watched", true],
      ]);
    });

    it("filters over the past read what the stream had", async () => {
      const columns = ["score.adds.y", "class.adds", "score.watched.y", "score.gone.y"];
      const read = columns.map((name) => ({ sql: `\`${name}\``, columns: [name] }));
      const candids = alerts.map(({ candid }) => candid);
      const values = await stores.backtest.values(owner, "ZTF", candids, read);
      expect(candids.map((candid) => values.get(candid))).toEqual([
        [19.5, null, 19.5, null],
        [null, null, null, null],
        [22, "y", 22, null],
      ]);
      const high = { sql: "ifNull(`score.adds.y` > 20, 0)", columns: ["score.adds.y"] };
      const window = { survey: "ZTF", startJd: 2460000.5, endJd: 2460010.5 };
      const page = await stores.backtest.run(owner, window, [high], { first: 5, after: null, counted: true });
      expect(page.keys.map(({ candid }) => candid)).toEqual([candids[2]]);
    });
  });
}
