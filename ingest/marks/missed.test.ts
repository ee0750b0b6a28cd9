// A mark that cannot be looked through while alerts come, on a real archive: they lack it with the reason, are marked by the
// others, and by it after all; a fault of the whole step tells nothing that is private.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AlertBatch } from "../../domain/alert.js";
import { circleMoc } from "../../domain/moc.shapes.js";
import type { Viewer } from "../../domain/viewer.js";
import { type ArchiveStores, createArchiveStores } from "../../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { createMarks } from "../enrich/marks.js";
import { createHeldMarks, type HeldMarks } from "./held.js";
import { type MarksOverStores, marksOver } from "./marks.fixture.js";

const SURVEY = testSurvey("ZTF");
const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const ALERTS: TestAlert[] = Array.from({ length: 20 }, (_, n) => {
  return { candid: 1000n + BigInt(n), objectId: `o${n}`, jd: 2_460_000.5 + n / 100, ra: 150, dec: n / 10 };
});

let archive: TestArchive;
let stores: ArchiveStores;
let marks: MarksOverStores;
let past: MarksOverStores["past"];
let desk: MarksOverStores["desk"];
const told: [string, number][] = [];

beforeAll(async () => {
  archive = await startTestArchive();
  stores = await createArchiveStores(archive.client, [SURVEY]);
  marks = marksOver(stores, { onMissed: async (_, { name }, alerts) => void told.push([name, alerts.length]) });
  ({ desk, past } = marks);
}, 60_000);
afterAll(async () => {
  await marks?.close();
  await archive?.stop();
});

async function archived(): Promise<unknown[]> {
  const read = [{ sql: "`area.field`", columns: ["area.field"] }];
  const candids = ALERTS.map(({ candid }) => candid);
  const values = await stores.backtest.values(OWNER, "ZTF", candids, read);
  return candids.map((candid) => values.get(candid)![0]);
}

it("marks alerts after all that a broken mark has missed", async () => {
  // No archived alert is marked by it for another reason.
  await desk.putArea(OWNER, { name: "field", pastDays: 0 }, circleMoc(150, 0, 0.55));
  await past.idle();
  const damaged = createHeldMarks({
    registry: stores.marks.registry,
    contents: { ...stores.marks.contents, positions: expect.fail, cells: async () => ({}) as never },
    log: expect.fail,
  });
  const batch = await createMarks(damaged).run(testBatch(SURVEY, ALERTS));
  damaged.close();
  expect(batch.missing).toMatchObject([{ step: "marks", part: "area.field", code: "STEP_FAILED" }]);
  expect(batch.missing![0]!.reason).not.toBe("");
  const id = stores.batches.begin();
  await stores.alerts.write(id, batch, testHashes(ALERTS), testLocations(ALERTS));
  await stores.missing.add(id, "ZTF", ALERTS.length, batch.missing!);
  await stores.batches.commit(id, RECEIPT);
  expect(await archived()).toEqual(ALERTS.map(() => false));

  await desk.putArea(OWNER, { name: "other", pastDays: 0 }, circleMoc(10, 10, 1));
  await expect.poll(() => stores.missing.open("marks"), { timeout: 20_000 }).toEqual([]);
  expect(await archived()).toEqual(ALERTS.map(({ dec }) => dec <= 0.5));
  expect(told).toEqual([["field", 6]]);
}, 60_000);

it("tells nothing of what broke the whole step", async () => {
  const broken: Pick<HeldMarks, "hold"> = { hold: () => Promise.reject(new Error("watch.secret is damaged")) };
  const batch: AlertBatch = await createMarks(broken).run(testBatch(SURVEY, ALERTS));
  expect(batch.missing).toMatchObject([{ step: "marks", part: null, code: "STEP_FAILED" }]);
  expect(batch.missing![0]!.reason).not.toContain("secret");
});
