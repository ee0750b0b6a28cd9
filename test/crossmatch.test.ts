// Real ZTF packets and catalogs made to lie at their places, through a whole service: matches and hosts of alerts and
// objects, of archived ones after a catalog came, of new ones as they come, and gone with the catalog.
import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Catalog } from "../domain/catalog.js";
import type { CatalogStore } from "../stores/catalogs.store.js";
import type { Row } from "./batches.js";
import { catalogRows, column, testCatalog } from "./catalogs.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const NIGHT = join(SHARED, "data/ztf/20231012");
const ARCSEC = 1 / 3600;

interface Place {
  readonly candid: string;
  readonly objectId: string;
  readonly ra: number;
  readonly dec: number;
}

let service: TestService;
let folder: string;
let files: string[];
/** Of the first half of the packets. */
let places: Place[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-crossmatch-"));
  files = (await readdir(NIGHT)).filter((name) => name.endsWith(".avro")).sort();
  service = await startTestService({ GRAPH_SCOPE: "all" });
  await take(files.slice(0, files.length >> 1));
  places = await alertsOf();
  expect(places.length).toBe(files.length >> 1);
}, 60_000);
afterAll(async () => {
  await service?.close();
  await rm(folder, { recursive: true, force: true });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  await expect.poll(holds, { timeout: 20_000 }).toBe(true);
}

async function take(names: readonly string[]): Promise<void> {
  for (const name of names) await copyFile(join(NIGHT, name), join(folder, name));
  await service.ingest(...names.map((name) => join(folder, name)));
}

async function alertsOf(): Promise<Place[]> {
  const { alerts } = await service.ask<{ alerts: { edges: { node: Place }[] } }>(
    "{ alerts(where: {survey: ZTF}) { edges { node { candid objectId ra dec } } } }",
  );
  return alerts.edges.map(({ node }) => node);
}

async function load(catalog: Catalog, rows: readonly Row[]): Promise<void> {
  const store = service.services.stores as unknown as { catalogs: CatalogStore };
  const { revision: _, state, files: __, rows: ___, duplicates, progress, changedAt, ...description } = catalog;
  const begun = await store.catalogs.begin(description, []);
  const read = { ...begun.progress, rowsRead: rows.length };
  await store.catalogs.append(begun, catalogRows(begun, rows), read);
  await store.catalogs.activate(begun, read);
}

interface Match {
  readonly catalog: string;
  readonly sourceId: string;
  readonly separationArcsec: number;
  readonly fields: Record<string, unknown>;
  readonly version: string;
  readonly catalogVersion: string | null;
}
const MATCH = "catalog sourceId separationArcsec fields version catalogVersion";

async function matchesOf(candid: string): Promise<Match[]> {
  const query = `query ($candid: Long!) { alert(survey: ZTF, candid: $candid) { crossMatches { ${MATCH} } } }`;
  return (await service.ask<{ alert: { crossMatches: Match[] } }>(query, { candid })).alert.crossMatches;
}

interface Seen {
  readonly crossMatches: Match[];
  readonly host: { match: Match; distanceKpc: number | null; objects: { objectId: string }[] } | null;
}
async function seen(objectId: string): Promise<Seen> {
  const query = `query ($id: ID!) { object(survey: ZTF, objectId: $id) {
    crossMatches { ${MATCH} } host { match { ${MATCH} } distanceKpc objects { objectId } } } }`;
  return (await service.ask<{ object: Seen }>(query, { id: objectId })).object;
}

const STARS = testCatalog("stars", { idType: "Int64", columns: [column("parallax", "Float32", "mas")] });
const GALAXIES = testCatalog("galaxies", {
  radiusArcsec: 60,
  rule: { kind: "distance", by: "redshift", column: "z", kpc: 30, nearArcsec: 60 },
  columns: [column("z", "Float64")],
});

it("matches archived alerts with catalogs that come, and links objects with their hosts", async () => {
  const [first, second] = places as [Place, Place];
  await load(STARS, [
    { id: 9_007_199_254_740_993n, ra: first.ra, dec: first.dec + 1.5 * ARCSEC, parallax: 0.5 },
    { id: 9_007_199_254_740_995n, ra: first.ra, dec: first.dec - 0.5 * ARCSEC, parallax: null },
  ]);
  await load(GALAXIES, [
    ...[first, second].map(({ ra, dec }, n) => ({ id: `G${n}`, ra, dec: dec + 10 * ARCSEC, z: 0.05 })),
    { id: "nearer on the sky, farther in kpc", ra: first.ra, dec: first.dec + 5 * ARCSEC, z: 0.2 },
  ]);
  await until(
    async () => (await matchesOf(second.candid)).length === 1 && (await matchesOf(first.candid)).length === 4,
  );
  const matches = await matchesOf(first.candid);
  expect(matches.map(({ sourceId }) => sourceId)).toEqual([
    "9007199254740995",
    "9007199254740993",
    "nearer on the sky, farther in kpc",
    "G0",
  ]);
  expect(matches[1]).toMatchObject({ catalog: "stars", fields: { parallax: 0.5 }, version: "2", catalogVersion: "1" });
  expect(matches[0]!.fields).toEqual({ parallax: null });
  expect(matches[3]!.separationArcsec).toBeCloseTo(10, 6);

  const object = await seen(first.objectId);
  expect(object.crossMatches).toEqual(matches);
  expect(object.host?.match.sourceId).toBe("G0");
  expect(object.host?.distanceKpc).toBeCloseTo(10, 6);
  await until(async () => (await seen(first.objectId)).host!.objects.length === 1);
  const { hostedObjects } = await service.ask<{ hostedObjects: { objectId: string }[] }>(
    '{ hostedObjects(catalog: "galaxies", sourceId: "G1") { objectId } }',
  );
  expect(hostedObjects).toEqual([{ objectId: second.objectId }]);
  const { catalog } = await service.ask<{ catalog: unknown }>(
    '{ catalog(name: "stars") { rematch { survey done total complete } } }',
  );
  const all = String(places.length);
  expect(catalog).toEqual({
    rematch: expect.arrayContaining([{ survey: "ZTF", done: all, total: all, complete: true }]),
  });
}, 60_000);

it("matches new alerts as they come, and filters read what lies there", async () => {
  const where = "has(match.galaxies, distanceKpc < 30 and z > 0.01)";
  const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
    "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }",
    { input: { name: "hosted", survey: "ZTF", where } },
  );
  const rest = files.slice(files.length >> 1);
  const [last] = rest.slice(-1) as [string];
  await take(rest.slice(0, -1));
  const known = new Set(places.map(({ candid }) => candid));
  const fresh = (await alertsOf()).find(({ candid }) => !known.has(candid))!;
  // In place of the first two galaxies: one near an alert that is archived, one where the last packet will be.
  await load(GALAXIES, [
    { id: "wide", ra: fresh.ra, dec: fresh.dec + 20 * ARCSEC, z: 0.05 },
    ...(await sourcesUnder(last)),
  ]);
  await until(async () => (await matchesOf(fresh.candid)).some(({ sourceId }) => sourceId === "wide"));
  await take([last]);
  const { hits } = await service.ask<{ hits: { edges: { node: { alert: { candid: string } } }[] } }>(
    "query ($id: [ID!]!) { hits(filterIds: $id) { edges { node { alert { candid } } } } }",
    { id: [createFilter.id] },
  );
  const candid = last.replace(".avro", "");
  expect(hits.edges.map(({ node }) => node.alert.candid)).toEqual([candid]);
  expect((await matchesOf(candid)).map(({ sourceId }) => sourceId)).toEqual(["under"]);

  // The replaced catalog's sources are no host any more, and a removed one matches nothing.
  await until(async () => (await matchesOf(places[1]!.candid)).length === 0);
  const store = service.services.stores as unknown as { catalogs: CatalogStore };
  await store.catalogs.remove("galaxies");
  expect(await matchesOf(candid)).toEqual([]);
  expect((await seen(fresh.objectId)).host).toBeNull();
}, 60_000);

/** Where a packet that has not been taken in lies, by the survey's own truth of it. */
async function sourcesUnder(file: string): Promise<Row[]> {
  const truth = JSON.parse(await readFile(join(SHARED, "data/expected/ztf.json"), "utf8")) as {
    alerts: { candid: string; ra: number; dec: number }[];
  };
  const { ra, dec } = truth.alerts.find(({ candid }) => `${candid}.avro` === file)!;
  return [{ id: "under", ra, dec: dec - 3 * ARCSEC, z: 0.02 }];
}
