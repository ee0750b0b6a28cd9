// Features made anew from the archive are those that the alerts got when they came, on a real archive.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AlertBatch } from "../domain/alert.js";
import type { Block } from "../domain/columns.js";
import type { StoredCorrection } from "../domain/correction.js";
import { FEATURES_VERSION, namedFeatures } from "../domain/features/features.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { ANY_CORRECTION } from "../stores/corrections.store.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { testBatch, testHashes, testLocations } from "../test/batches.js";
import { randomPackets } from "../test/histories.js";
import { createTeller } from "./corrections/teller.js";
import { createFeatureStep } from "./enrich/features.js";
import { createHistory } from "./enrich/history.js";
import { createReenricher, type Reenricher } from "./reenrich.js";
import { surveyModule } from "./surveys/index.js";

const { description } = surveyModule("ZTF");
const features = createFeatureStep(new Map([["ZTF", description]]));
const packets = randomPackets(description, "again", 120);
/** Values of each alert's features as they were when it came. */
const live = new Map<bigint, unknown[]>();

let engine: TestArchive;
let stores: ArchiveStores;
let reenrich: Reenricher["reenrich"];

function remember({ rows, columns }: Block): void {
  const candid = columns.get("candid")!.values as BigInt64Array;
  const paths = namedFeatures(description.bands).map(({ path }) => columns.get(path.replace(".", "_"))!);
  for (let row = 0; row < rows; row++) {
    live.set(
      candid[row]!,
      paths.map(({ values, nulls }) => (nulls?.[row] ? null : values[row])),
    );
  }
}

beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(engine.client, [description]);
  const history = createHistory(stores.history);
  const tell = createTeller({
    corrections: stores.corrections,
    active: { of: async () => ({ filters: [], broken: [] }) },
    begin: () => stores.batches.begin(),
    onTold: () => {},
  });
  ({ reenrich } = createReenricher({ ...stores, tell, steps: [history, features] }));
  for (let at = 0; at < packets.length; at += 40) {
    const part = packets.slice(at, at + 40);
    const batch: AlertBatch = await features.run(await history.run(testBatch(description, part)));
    const annex = batch.annexes![0]!;
    remember(annex.rows);
    // The step had failed in the first batch; the second has features of a version before.
    const kept = at === 0 ? [] : [annex];
    const versions = annex.rows.columns.get("version")!.values as Uint32Array;
    if (at === 40) versions.fill(FEATURES_VERSION - 1);
    await stores.alerts.write(
      stores.batches.begin(),
      { ...batch, annexes: kept },
      testHashes(part),
      testLocations(part),
    );
  }
});
afterAll(() => engine?.stop());

it("makes those that are missing or old, as they were when the alerts came", async () => {
  expect(live.size).toBe(packets.length);
  expect([...live.values()].filter(([count]) => Number(count) > 3).length).toBeGreaterThan(20);
  const piece = await reenrich("ZTF", FEATURES_VERSION, null);
  expect(piece).toEqual({ after: null, seen: packets.length, made: 80 });
  const owner = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };
  const found = await stores.features.byCandid(owner, "ZTF", [...live.keys()]);
  expect(found.size).toBe(packets.length);
  for (const [candid, { version, whole, scopes }] of found) {
    expect(version).toBe(FEATURES_VERSION);
    const values = [whole, ...scopes.values()].flatMap((one) => Object.values(one));
    const asColumns = values.map((value) => (typeof value === "boolean" ? Number(value) : value));
    expect(asColumns).toEqual(live.get(candid));
  }
});

it("tells of the objects whose latest features are new", async () => {
  const owner = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };
  const told = stores.corrections;
  const latest = new Map<string, bigint>();
  for (const { objectId, programid, candid } of packets.toSorted(
    (a, b) => a.jd - b.jd || Number(a.candid - b.candid),
  )) {
    latest.set(`${objectId} ${programid}`, candid);
  }
  const remade = new Set(packets.slice(0, 80).map(({ candid }) => candid));
  const expected = [...latest.values()].filter((candid) => remade.has(candid)).sort();
  expect(expected.length).toBeGreaterThan(0);
  expect(await told.page(owner, ANY_CORRECTION, 1_000, 0n, null)).toEqual([]);
  await stores.sequence.begin(0);
  while (await told.number());
  const found = await told.page(owner, { ...ANY_CORRECTION, survey: "ZTF" }, 1_000, 0n, null);
  expect(found.map(({ seq }) => seq)).toEqual(found.map((_, n) => BigInt(n + 1)));
  expect(await told.lastSeq()).toBe(BigInt(found.length));
  expect(found.map(({ candid }) => candid).sort()).toEqual(expected);
  expect(found[0]).toMatchObject({ what: "FEATURES", step: "features", version: String(FEATURES_VERSION) });
  const pages = [];
  for (let after = 0n; ; after = pages.at(-1)!.seq) {
    const page: StoredCorrection[] = await told.page(owner, ANY_CORRECTION, 3, after, null);
    if (page.length === 0) break;
    pages.push(...page);
  }
  expect(pages).toEqual(found);
  const everybody = { scope: "everybody", programids: new Map([["ZTF", [1]]]), mayChange: false };
  const visible = await told.page(everybody, ANY_CORRECTION, 1_000, 0n, null);
  expect(visible).toEqual(found.filter(({ programid }) => programid === 1));
  const [{ objectId }] = found as [StoredCorrection];
  const ofOne = await told.page(owner, { ...ANY_CORRECTION, objectIds: [objectId] }, 1_000, 0n, null);
  expect(ofOne).toEqual(found.filter((one) => one.objectId === objectId));
  expect(await told.page(owner, { ...ANY_CORRECTION, what: ["MATCHES"] }, 10, 0n, null)).toEqual([]);
});

it("has nothing to do then", async () => {
  expect(await reenrich("ZTF", FEATURES_VERSION, null)).toEqual({ after: null, seen: packets.length, made: 0 });
});

it("goes on behind an alert", async () => {
  const times = packets.toSorted((a, b) => a.jd - b.jd || Number(a.candid - b.candid));
  const { jd, candid } = times[99]!;
  expect((await reenrich("ZTF", FEATURES_VERSION + 1, { jd, candid })).made).toBe(packets.length - 100);
});
