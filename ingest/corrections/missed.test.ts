// Features that a broken step left out are made without anybody asking, on a real archive.
import { afterAll, beforeAll, expect, it } from "vitest";
import { stepFailed } from "../../domain/missing.js";
import type { Viewer } from "../../domain/viewer.js";
import { type ArchiveStores, createArchiveStores } from "../../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { testBatch, testHashes, testLocations } from "../../test/batches.js";
import { randomPackets } from "../../test/histories.js";
import { createFeatureStep } from "../enrich/features.js";
import { createHistory } from "../enrich/history.js";
import { createReenricher } from "../reenrich.js";
import { surveyModule } from "../surveys/index.js";
import { createMissedFeatures } from "./missed.js";

const { description } = surveyModule("ZTF");
const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };

let engine: TestArchive;
let stores: ArchiveStores;
beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(engine.client, [description]);
});
afterAll(() => engine?.stop());

it("makes them once the step works again, and says until then why not", async () => {
  const alerts = randomPackets(description, "missed", 40);
  const id = stores.batches.begin();
  const batch = await createHistory(stores.history).run(testBatch(description, alerts));
  await stores.alerts.write(id, batch, testHashes(alerts), testLocations(alerts));
  await stores.missing.add(id, "ZTF", alerts.length, [stepFailed("features", null, new Error("no curve"))]);
  await stores.batches.commit(id, RECEIPT);

  let isBroken = true;
  const faults: string[] = [];
  let told = 0;
  const { remake } = createReenricher({
    ...stores,
    tell: async (changes) => {
      told += changes.reduce((sum, { alerts }) => sum + alerts.length, 0);
    },
    steps: [createHistory(stores.history), createFeatureStep(new Map([["ZTF", description]]))],
  });
  const worker = createMissedFeatures({
    missing: stores.missing,
    remake: (...of) => (isBroken ? Promise.reject(new Error("still broken")) : remake(...of)),
    ...{ mayRun: () => true, isBusy: () => false, log: (line) => faults.push(line) },
  });
  worker.nudge();
  await worker.idle();
  expect(faults).toEqual(["Features that are missing could not be made: still broken"]);
  expect(await stores.missing.open("features")).toHaveLength(1);

  isBroken = false;
  worker.nudge();
  await worker.idle();
  await worker.close();
  const candids = alerts.map(({ candid }) => candid);
  expect((await stores.features.byCandid(OWNER, "ZTF", candids)).size).toBe(alerts.length);
  expect(told).toBe(alerts.length);
  expect(await stores.missing.open("features")).toEqual([]);
  const found = await stores.missing.ofAlerts(OWNER, "ZTF", candids);
  expect([...found.values()].flat().filter(({ filledAt }) => filledAt === null)).toEqual([]);
});
