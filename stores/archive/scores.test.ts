// Scores written as a batch's annex, read by the API's store and by filters over archived alerts.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Viewer } from "../../domain/viewer.js";
import { writeTiny } from "../../ingest/classifiers/models.fixture.js";
import { createModelRegistry } from "../../ingest/classifiers/registry.js";
import { createScorer } from "../../ingest/classifiers/scorer.js";
import { scoresEnrichment } from "../../ingest/enrich/scores.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { alertTable } from "./alerts.table.js";
import { bigints, numbersOrNull, stringsOrNull } from "./blocks.js";
import { enrichedScores } from "./enriched/scores.js";
import { enrichedAlerts } from "./enriched/source.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

const SURVEY = testSurvey("ZTF");
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const owner: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const anybody: Viewer = { scope: "anonymous", programids: new Map([["ZTF", [1]]]), mayChange: false };

let archive: TestArchive;
let stores: ArchiveStores;
let folder: string;

const alert = (n: number, magnitude: number | null, programid = 1): TestAlert => ({
  ...{ candid: 2532491990015015000n + BigInt(n), objectId: `o${n}`, jd: 2460000.5 + n, ra: 10, dec: 20, programid },
  own: { magnitude, snr: n },
});
const alerts = [alert(1, 18.5), alert(2, null), alert(3, 19, 2)];

beforeAll(async () => {
  archive = await startTestArchive();
  stores = await createArchiveStores(archive.client, [SURVEY]);
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
  await archive?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("an alert's scores with their provenance, or why there are none", async () => {
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
    },
  ]);
  expect(found.get(alerts[1]!.candid)).toMatchObject([{ outputs: {}, reason: "an input is missing", inputHash: 0n }]);
  expect(found.get(alerts[2]!.candid)).toMatchObject([{ outputs: { y: 22 }, class: "y" }]);
});

test("who may not see the alert does not see its scores", async () => {
  const found = await stores.scores.scores(anybody, "ZTF", alerts, true);
  expect([...found.keys()].sort()).toEqual([alerts[0]!.candid, alerts[1]!.candid]);
});

test("shadows are shown on demand", async () => {
  const found = await stores.scores.scores(owner, "ZTF", alerts, true);
  expect(found.get(alerts[0]!.candid)!.map(({ model, shadow }) => [model, shadow])).toEqual([
    ["adds", false],
    ["watched", true],
  ]);
});

test("filters over the past read what the stream had", async () => {
  const columns = ["score.adds.y", "class.adds", "score.watched.y", "score.gone.y"];
  const window = {
    ...{ survey: "ZTF", table: alertTable(SURVEY), startJd: 2460000.5, endJd: 2460010.5 },
    where: "jd >= {startJd:Float64} AND jd < {endJd:Float64}",
    parameters: { startJd: 2460000.5, endJd: 2460010.5 },
  };
  const { sql, parameters } = enrichedAlerts([enrichedScores], window, columns);
  const block = await archive.client.query(
    `SELECT candid, \`score.adds.y\` AS y, \`class.adds\` AS c, \`score.watched.y\` AS w, \`score.gone.y\` AS g
    FROM ${sql} ORDER BY candid SETTINGS ${EVALUATION_SETTINGS}`,
    parameters,
  );
  const [y, c, w, g] = [
    numbersOrNull(block, "y"),
    stringsOrNull(block, "c"),
    numbersOrNull(block, "w"),
    numbersOrNull(block, "g"),
  ];
  expect([...bigints(block, "candid")]).toEqual(alerts.map(({ candid }) => candid));
  expect([0, 1, 2].map((row) => [y(row), c(row), w(row), g(row)])).toEqual([
    [19.5, null, 19.5, null],
    [null, null, null, null],
    [22, "y", 22, null],
  ]);
});
