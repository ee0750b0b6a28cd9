// What was told and has changed since, through a whole service: catalogs that come, change and go, packets that come late,
// features made anew; live, from a cursor and after a restart; and what filters say of it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callService } from "../cli/control.js";
import type { CatalogStore } from "../stores/catalogs.store.js";
import type { Row } from "./batches.js";
import { type Caller, caller } from "./callers.js";
import { catalogRows, column, testCatalog } from "./catalogs.js";
import { type ZtfAlert, ztfFile } from "./packets.js";
import { startTestService, type TestService } from "./service.js";
import { until } from "./until.js";

const JD = 2_461_000.5;
const ARCSEC = 1 / 3600;
const WAIT_MS = 30_000;

const object = (name: string, n: number, ra: number, programid = 1): ZtfAlert => ({
  ...{ candid: 2_461_000_000_015_000_000n + BigInt(n), objectId: `ZTF26${name}`, jd: JD + n / 100, ra, dec: 2 },
  ...{ programid, magpsf: 18 },
});
const A = object("public", 10, 150);
const HIDDEN = object("hidden", 11, 160, 2);
const SAME = object("same", 12, 170);
const NEW = object("new", 13, 180);
/** Of the object of A; its packet comes after that of A. */
const LATE: ZtfAlert = { ...A, candid: A.candid - 5n, jd: A.jd - 1, magpsf: 18.5 };

const STARS = testCatalog("stars", { columns: [column("mag", "Float64", "mag")] });
const near = ({ ra, dec, objectId }: ZtfAlert, mag = 10): Row => ({ id: objectId, ra, dec: dec + ARCSEC, mag });

interface Correction {
  readonly cursor: string;
  readonly objectId: string;
  readonly candid: string;
  readonly what: string;
  readonly step: string;
  readonly version: string;
  readonly source: string | null;
  readonly filterId: string | null;
  readonly filterVersion: number | null;
}
const FIELDS = "cursor survey objectId candid what step version source filterId filterVersion toldAt";
const LIVE = `subscription ($where: CorrectionConditionsInput, $after: String) { objectChanged(where: $where, after: $after) { ${FIELDS} } }`;

let service: TestService;
let folder: string;
let owner: Caller;
let filterId: string;
/** Everything that the owner heard from the beginning on. */
let live: { readonly results: string[]; stop(): Promise<void> };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-corrections-"));
  service = await startTestService({ DATA_DIR: join(folder, "data") });
  owner = caller(service.url);
  await load([near(SAME)]);
  const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
    'mutation { createFilter(input: { name: "stars", survey: ZTF, where: "has(match.stars, mag < 15) and jd > 0" }) { id } }',
  );
  filterId = createFilter.id;
  live = owner.subscribe(LIVE);
  await take(A, HIDDEN, SAME);
}, 60_000);
afterAll(async () => {
  await live?.stop();
  await service?.close();
  await rm(folder, { recursive: true, force: true });
});

async function take(...alerts: readonly ZtfAlert[]): Promise<void> {
  const path = join(folder, `${alerts[0]!.candid}.avro`);
  await writeFile(path, ztfFile(...alerts));
  await service.ingest(path);
}

const catalogs = () => (service.services.stores as unknown as { catalogs: CatalogStore }).catalogs;
async function load(rows: readonly Row[]): Promise<void> {
  const { revision: _, state, files: __, rows: ___, duplicates, progress, changedAt, ...description } = STARS;
  const begun = await catalogs().begin(description, []);
  const read = { ...begun.progress, rowsRead: rows.length };
  await catalogs().append(begun, catalogRows(begun, rows), read);
  await catalogs().activate(begun, read);
}

const parsed = (results: readonly string[]): Correction[] =>
  results.map((text) => {
    const { data } = JSON.parse(text) as { data?: { objectChanged: Correction } };
    if (data === undefined) throw new Error(text);
    return data.objectChanged;
  });
const shortly = ({ what, objectId }: Correction) => `${what} ${objectId}`;
async function heard(from: readonly string[], behind: number, expected: readonly string[]): Promise<Correction[]> {
  await until(`${expected.join(", ")}`, () => from.length >= behind + expected.length, WAIT_MS);
  const fresh = parsed(from).slice(behind);
  expect(fresh.map(shortly).sort()).toEqual([...expected].sort());
  return fresh;
}
async function corrections(where: object = {}, after: string | null = null): Promise<Correction[]> {
  const query = `query ($where: CorrectionConditionsInput, $after: String) { corrections(where: $where, first: 1000, after: $after) {
    edges { cursor node { ${FIELDS} } } } }`;
  interface Page {
    readonly corrections: { readonly edges: readonly { readonly cursor: string; readonly node: Correction }[] };
  }
  const answer = await service.ask<Page>(query, { where, after });
  for (const { cursor, node } of answer.corrections.edges) expect(node.cursor).toBe(cursor);
  return answer.corrections.edges.map(({ node }) => node);
}
interface ShownHit {
  readonly withdrawnAt: string | null;
  readonly withdrawnBecause: string | null;
  readonly alert: { readonly candid: string };
}
async function hits(): Promise<ShownHit[]> {
  const query = `query ($ids: [ID!]!) { hits(filterIds: $ids) { edges { node { withdrawnAt withdrawnBecause alert { candid } } } } }`;
  const answer = await service.ask<{ hits: { edges: { node: ShownHit }[] } }>(query, { ids: [filterId] });
  return answer.hits.edges.map(({ node }) => node);
}

it("tells of matches that differ after a catalog was replaced, and adds hits; to whom may know of them", async () => {
  expect((await hits()).map(({ alert }) => alert.candid)).toEqual([String(SAME.candid)]);
  const others = caller(service.url, { "x-forwarded-for": "203.0.113.7" });
  const anonymous = others.subscribe(LIVE);
  const ofA = owner.subscribe(LIVE, { where: { objectIds: [A.objectId], what: ["HIT_ADDED"] } });
  await load([near(SAME), near(A), near(HIDDEN)]);
  const told = await heard(live.results, 0, [
    ...[`MATCHES ${A.objectId}`, `MATCHES ${HIDDEN.objectId}`],
    ...[`HIT_ADDED ${A.objectId}`, `HIT_ADDED ${HIDDEN.objectId}`],
  ]);
  expect(told.find(({ what }) => what === "MATCHES")).toMatchObject({
    ...{ candid: String(A.candid), step: "crossmatch", source: "match.stars", filterId: null, filterVersion: null },
  });
  expect(told.filter(({ what }) => what === "HIT_ADDED").map((one) => [one.filterId, one.filterVersion])).toEqual([
    [filterId, 1],
    [filterId, 1],
  ]);
  await heard(ofA.results, 0, [`HIT_ADDED ${A.objectId}`]);
  await heard(anonymous.results, 0, [`MATCHES ${A.objectId}`, `HIT_ADDED ${A.objectId}`]);
  await Promise.all([ofA.stop(), anonymous.stop()]);
  // Hits are what was sent.
  expect((await hits()).map(({ alert }) => alert.candid)).toEqual([String(SAME.candid)]);

  const page = await corrections();
  expect(page).toEqual(told);
  expect(await corrections({ survey: "LSST" })).toEqual([]);
  expect((await corrections({ filterIds: [filterId] })).map(shortly)).toEqual(
    told.map(shortly).filter((one) => one.startsWith("HIT")),
  );
  expect(await corrections({}, told[1]!.cursor)).toEqual(told.slice(2));
  const again = owner.subscribe(LIVE, { after: told[0]!.cursor });
  await until("the rest from a cursor", () => again.results.length >= 3, WAIT_MS);
  expect(parsed(again.results)).toEqual(told.slice(1));
  await again.stop();
  const wrong = await owner.overSocket(LIVE, { after: "nonsense" });
  expect(wrong).toContain("BAD_CURSOR");
  expect(await owner.overSocket(LIVE, { where: { watchList: "none" } })).toContain("UNKNOWN_MARK");
}, 60_000);

it("withdraws hits when a catalog is removed, and adds them when it is there again", async () => {
  const behind = live.results.length;
  await catalogs().remove("stars");
  const all = [A, HIDDEN, SAME];
  await heard(live.results, behind, [
    ...all.map(({ objectId }) => `MATCHES ${objectId}`),
    ...all.map(({ objectId }) => `HIT_WITHDRAWN ${objectId}`),
  ]);
  const [hit] = await hits();
  expect(hit!.withdrawnAt).not.toBeNull();
  expect(hit!.withdrawnBecause).toBe("match.stars holds something else there");
  await load([near(SAME), near(A, 20)]);
  await heard(live.results, behind + 6, [
    ...[`MATCHES ${A.objectId}`, `MATCHES ${SAME.objectId}`, `HIT_ADDED ${SAME.objectId}`],
  ]);
  expect((await hits())[0]).toMatchObject({ withdrawnAt: null, withdrawnBecause: null });
}, 60_000);

it("tells of packets that come late, of the features that they change, and of filters over the history", async () => {
  const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
    'mutation { createFilter(input: { name: "twice", survey: ZTF, where: "count(detections) >= 2" }) { id } }',
  );
  const fresh = { ...A, candid: A.candid + 50n, jd: A.jd + 1, objectId: "ZTF26fresh", ra: 200 };
  await take(fresh);
  const behind = live.results.length;
  await take({ ...fresh, candid: fresh.candid - 5n, jd: fresh.jd - 0.5 });
  const told = await heard(live.results, behind, [
    ...[`PHOTOMETRY ${fresh.objectId}`, `FEATURES ${fresh.objectId}`, `HIT_ADDED ${fresh.objectId}`],
  ]);
  expect(told.find(({ what }) => what === "PHOTOMETRY")).toMatchObject({
    ...{ candid: String(fresh.candid), step: "late", source: String(fresh.candid - 5n) },
  });
  expect(told.find(({ what }) => what === "HIT_ADDED")).toMatchObject({
    ...{ filterId: createFilter.id, candid: String(fresh.candid) },
  });
  const { object: seen } = await service.ask<{ object: unknown }>(
    `{ object(survey: ZTF, objectId: "${fresh.objectId}") { latestAlert { candid features { count } } } }`,
  );
  expect(seen).toEqual({ latestAlert: { candid: String(fresh.candid), features: { count: 2 } } });
  // An alert of the partnership's that came before a public one's is no news to anybody who may not see it.
  await take({ ...LATE, candid: LATE.candid - 1n, programid: 2 });
  await take(LATE);
  const later = await heard(live.results, behind + 3, [...[`PHOTOMETRY ${A.objectId}`, `FEATURES ${A.objectId}`]]);
  expect(later.find(({ what }) => what === "PHOTOMETRY")!.source).toBe(String(LATE.candid));
}, 60_000);

it("tells of a watch list that is replaced and removed, to its owner where it is private", async () => {
  const put = (...of: readonly ZtfAlert[]) =>
    service.ask(
      `mutation ($positions: [WatchedPositionInput!]!) { putWatchList(input: { name: "mine", positions: $positions }) { size } }`,
      { positions: of.map(({ ra, dec, objectId }) => ({ name: objectId, ra, dec })) },
    );
  const watched = { ...A, candid: A.candid + 60n, jd: A.jd + 2, objectId: "ZTF26watched", ra: 210 };
  await put(A, SAME, watched);
  const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
    'mutation { createFilter(input: { name: "mine", survey: ZTF, where: "count(watch.mine) > 0" }) { id } }',
  );
  await take(watched);
  const anonymous = caller(service.url, { "x-forwarded-for": "203.0.113.7" }).subscribe(LIVE, {
    where: { objectIds: [A.objectId, watched.objectId] },
  });
  const behind = live.results.length;
  await put(SAME, watched);
  // Alerts of two programids.
  const [told] = await heard(live.results, behind, [`MARKS ${A.objectId}`, `MARKS ${A.objectId}`]);
  expect(told).toMatchObject({ source: "watch.mine", step: "marks" });
  const ofList = await corrections({ watchList: "mine" });
  expect(new Set(ofList.map(({ objectId }) => objectId))).toEqual(new Set([A.objectId, SAME.objectId]));
  expect(ofList.filter(({ objectId }) => objectId === A.objectId).map(({ what }) => what)).toEqual(["MARKS", "MARKS"]);
  await service.ask('mutation { removeMark(kind: WATCH_LIST, name: "mine") { name } }');
  await heard(live.results, behind + 2, [
    ...[`MARKS ${SAME.objectId}`, `MARKS ${watched.objectId}`, `HIT_WITHDRAWN ${watched.objectId}`],
  ]);
  const withdrawn = await corrections({ objectIds: [watched.objectId] });
  expect(withdrawn.filter(({ what }) => what === "HIT_WITHDRAWN")).toMatchObject([
    { filterId: createFilter.id, candid: String(watched.candid) },
  ]);
  // The filter is as private as the list.
  expect(parsed(anonymous.results)).toEqual([]);
  await anonymous.stop();
}, 60_000);

it("tells of features made anew, and of objects whose values are old", async () => {
  const stale = async (args: string) => {
    const { staleObjects } = await service.ask<{ staleObjects: { edges: { madeBy: string; node: unknown }[] } }>(
      `{ staleObjects(survey: ZTF, ${args}) { edges { madeBy node { objectId } } } }`,
    );
    return staleObjects.edges;
  };
  expect(await stale("step: FEATURES, beforeVersion: 1")).toEqual([]);
  expect(await stale("step: FEATURES, beforeVersion: 1000")).toHaveLength(5);
  expect(await stale('step: MATCHES, name: "stars"')).toEqual([]);
  await expect(stale("step: MATCHES")).rejects.toThrow("BAD_ARGUMENT");
  await expect(stale('step: SCORES, name: "none"')).rejects.toThrow("UNKNOWN_MODEL");
  await expect(stale("step: FEATURES")).rejects.toThrow("BAD_ARGUMENT");
  const behind = live.results.length;
  await callService(service.dataDir, "reenrich", ["ZTF", 1_000, null]);
  await heard(
    live.results,
    behind,
    // Once for each programid of the object's alerts.
    [A, A, HIDDEN, SAME, ...[{ objectId: "ZTF26fresh" }, { objectId: "ZTF26watched" }]].map(
      ({ objectId }) => `FEATURES ${objectId}`,
    ),
  );
}, 60_000);

it("goes on after a restart, with the same cursors", async () => {
  const before = parsed(live.results);
  expect(await corrections()).toEqual(before);
  await live.stop();
  await service.close();
  service = await startTestService({ DATA_DIR: join(folder, "data") });
  owner = caller(service.url);
  live = owner.subscribe(LIVE, { after: before[1]!.cursor });
  await until("all that was told before", () => live.results.length >= before.length - 2, WAIT_MS);
  expect(parsed(live.results)).toEqual(before.slice(2));
  await take(NEW);
  await load([near(SAME), near(A, 20), near(NEW)]);
  await heard(live.results, before.length - 2, [`MATCHES ${NEW.objectId}`, `HIT_ADDED ${NEW.objectId}`]);
}, 60_000);
