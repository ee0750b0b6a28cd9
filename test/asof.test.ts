// An object as it stood at a time, through a whole service: everything that is made of its light curve and of its place.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Catalog } from "../domain/catalog.js";
import type { CatalogStore } from "../stores/catalogs.store.js";
import type { Row } from "./batches.js";
import { catalogRows, column, testCatalog } from "./catalogs.js";
import { type LsstAlert, lsstFile, type ZtfAlert, ztfFile } from "./packets.js";
import { startTestService, type TestService } from "./service.js";

/** No whole number of milliseconds: shown, it is a little earlier or later. */
const JD = 2_461_000.5 + 3.3 / 86_400_000;
const ARCSEC = 1 / 3600;
const NIGHTS = 16;

const alert = (n: number): ZtfAlert => ({
  ...{ candid: 2_461_000_000_015_000_000n + BigInt(n), objectId: "ZTF26lens", jd: JD + n + n / 7, programid: 1 },
  ...{ ra: 150, dec: 2, magpsf: 18 + Math.abs(n - 8) / 8 },
});
const rubin = (n: number, diaObjectId: bigint, dec: number): LsstAlert => ({
  ...{ diaSourceId: 900_000n + BigInt(n), diaObjectId, ra: 150, dec },
  ...{ mjd: JD - 2_400_000.5 + n, psfFlux: 1000 },
});
/** One comes nearer from 1.2 to 0.3 arcsec, the other is there later only. */
const RUBIN = [
  ...[0, 1, 2, 13].map((n) => rubin(n, 71n, 2 + (n < 13 ? 1.2 : 0.3) * ARCSEC)),
  rubin(14, 72n, 2 - 0.5 * ARCSEC),
];

interface Shown {
  readonly alertCount: number;
  readonly lastSeen: string;
  readonly latestAlert: { readonly candid: string };
  readonly alerts: { readonly edges: readonly { readonly node: { readonly candid: string } }[] };
  readonly lightCurve: { readonly detections: readonly unknown[] };
  readonly microlensing: { readonly points: number } | null;
  readonly counterparts: readonly {
    readonly separationArcsec: number;
    readonly object: { readonly objectId: string; readonly alertCount: number };
  }[];
}

let service: TestService;
let folder: string;

async function shown(asOf: string | null): Promise<Shown | null> {
  const query = `query ($asOf: DateTime) { object(survey: ZTF, objectId: "ZTF26lens", asOf: $asOf) {
    alertCount lastSeen latestAlert { candid } alerts(first: 100) { edges { node { candid } } }
    lightCurve { detections { candid } } microlensing { points }
    counterparts { separationArcsec object { objectId alertCount } } } }`;
  return (await service.ask<{ object: Shown | null }>(query, { asOf })).object;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-asof-"));
  service = await startTestService();
  await writeFile(join(folder, "lsst.avro"), lsstFile(...RUBIN));
  await writeFile(join(folder, "ztf.avro"), ztfFile(...Array.from({ length: NIGHTS }, (_, n) => alert(n))));
  await service.ingest(join(folder, "lsst.avro"), join(folder, "ztf.avro"));
}, 60_000);
afterAll(async () => {
  await service?.close();
  await rm(folder, { recursive: true, force: true });
});

it("shows nothing of what came later, and what came at that very time", { timeout: 60_000 }, async () => {
  await vi.waitFor(async () => expect((await shown(null))?.counterparts).toHaveLength(2), 30_000);
  const now = (await shown(null))!;
  expect(now).toMatchObject({ alertCount: NIGHTS, microlensing: { points: NIGHTS } });
  expect(now.counterparts.map(({ object }) => object)).toEqual([
    { objectId: "71", alertCount: 4 },
    { objectId: "72", alertCount: 1 },
  ]);
  const times = await service.ask<{ alerts: { edges: { node: { time: string; candid: string } }[] } }>(
    "{ alerts(where: { survey: ZTF }, first: 100) { edges { node { time candid } } } }",
  );
  const oldestFirst = [...times.alerts.edges].reverse();
  expect(oldestFirst).toHaveLength(NIGHTS);
  for (const [n, { node }] of oldestFirst.entries()) {
    const then = (await shown(node.time))!;
    expect(then).toMatchObject({ alertCount: n + 1, lastSeen: node.time, latestAlert: { candid: node.candid } });
    expect(then.alerts.edges).toHaveLength(n + 1);
    expect(then.lightCurve.detections).toHaveLength(n + 1);
    expect(then.microlensing?.points ?? 0).toBe(n + 1 < 10 ? 0 : n + 1);
    const days = n + n / 7;
    const known = RUBIN.filter(({ mjd }) => mjd - (JD - 2_400_000.5) <= days + 0.01);
    const objects = [...new Set(known.map(({ diaObjectId }) => String(diaObjectId)))];
    expect(then.counterparts.map(({ object }) => object.objectId)).toEqual(objects);
    for (const { separationArcsec, object } of then.counterparts) {
      const own = known.filter(({ diaObjectId }) => String(diaObjectId) === object.objectId);
      expect(object.alertCount).toBe(own.length);
      expect(separationArcsec).toBeCloseTo(Math.abs(own.at(-1)!.dec - 2) * 3600, 4);
    }
  }
  expect(await shown(`JD ${JD - 1}`)).toBeNull();
});

interface Placed {
  readonly crossMatches: readonly { sourceId: string; separationArcsec: number; catalogRevision: string }[];
  readonly host: { match: { sourceId: string } } | null;
  readonly latestAlert: { crossMatches: readonly { sourceId: string }[] };
  readonly alerts: { edges: { node: { crossMatches: readonly { sourceId: string }[] } }[] };
}

async function placed(asOf: string | null): Promise<Placed> {
  const query = `query ($asOf: DateTime) { object(survey: ZTF, objectId: "ZTF26lens", asOf: $asOf) {
    crossMatches { sourceId separationArcsec catalogRevision } host { match { sourceId } }
    latestAlert { crossMatches { sourceId } } alerts(first: 1) { edges { node { crossMatches { sourceId } } } } } }`;
  return (await service.ask<{ object: Placed }>(query, { asOf })).object;
}

const GALAXIES = testCatalog("galaxies", {
  radiusArcsec: 60,
  rule: { kind: "distance", by: "redshift", column: "z", kpc: 30, nearArcsec: 60 },
  columns: [column("z", "Float64")],
});

async function load(catalog: Catalog, rows: readonly Row[]): Promise<void> {
  const store = service.services.stores as unknown as { catalogs: CatalogStore };
  const { revision: _, state, files: __, rows: ___, duplicates, progress, changedAt, ...description } = catalog;
  const begun = await store.catalogs.begin(description, []);
  const read = { ...begun.progress, rowsRead: rows.length };
  await store.catalogs.append(begun, catalogRows(begun, rows), read);
  await store.catalogs.activate(begun, read);
}

it("has the matches and the host that were known then", { timeout: 60_000 }, async () => {
  const galaxy = (id: string, arcsec: number): Row => ({ id, ra: 150, dec: 2 + arcsec * ARCSEC, z: 0.05 });
  const isNear = async (sourceId: string) => {
    await vi.waitFor(async () => expect((await placed(null)).crossMatches[0]?.sourceId).toBe(sourceId), 30_000);
    const time = new Date(Date.now() + 5).toISOString();
    await vi.waitFor(() => expect(new Date().toISOString() > time).toBe(true), 1_000);
    return { time, shown: await placed(null) };
  };
  const before = new Date().toISOString();
  await load(GALAXIES, [galaxy("one", 10)]);
  const first = await isNear("one");
  await load(GALAXIES, [galaxy("other", 5), galaxy("one", 10)]);
  const second = await isNear("other");

  const nothing = { crossMatches: [], host: null, latestAlert: { crossMatches: [] } };
  expect(await placed(before)).toMatchObject(nothing);
  // Long before it came into this archive: what it came with.
  expect(await placed(`JD ${JD + 30}`)).toMatchObject(nothing);
  expect(first.shown).toMatchObject({ host: { match: { sourceId: "one" } } });
  expect(await placed(first.time)).toEqual(first.shown);
  expect(second.shown.latestAlert.crossMatches.map(({ sourceId }) => sourceId)).toEqual(["other", "one"]);
  expect(await placed(second.time)).toEqual(second.shown);
});

it("ends light curves of archives where it stood", { timeout: 60_000 }, async () => {
  const minute = 1 / 1440;
  const end = 2_461_010.5;
  const catalogs = join(service.dataDir, "catalogs");
  await mkdir(catalogs, { recursive: true });
  const minutes = [-1000, -20, -5, -0.01, 0.01, 5, 20];
  for (const kind of ["mjd", "hmjd"]) {
    const definition = {
      ...{ title: kind, id: ["id"], ra: ["ra"], dec: ["dec"], oneBand: "g", magnitude: ["mag"], flags: ["flags"] },
      ...{ badFlags: 1, time: { column: ["time"], kind } },
    };
    const rows = minutes.map((after) => `1,150,2,${end - 2_400_000.5 + after * minute},18,${Number(after === -1000)}`);
    await writeFile(join(catalogs, `${kind}.csv`), `id,ra,dec,time,mag,flags\n${rows.join("\n")}\n`);
    const input = { name: kind, files: [`${kind}.csv`], definition: JSON.stringify(definition) };
    await service.ask("mutation ($input: AddLightCurvesInput!) { addLightCurves(input: $input) { name } }", { input });
    await vi.waitFor(async () => {
      const { lightCurveLoads } = await service.ask<{ lightCurveLoads: { finished: boolean; error: string | null }[] }>(
        "{ lightCurveLoads { finished error } }",
      );
      expect(lightCurveLoads.at(-1)).toEqual({ finished: true, error: null });
    }, 30_000);
  }
  interface Points {
    readonly edges: { node: { mjd: number | null; hmjd: number | null } }[];
    readonly pageInfo: { hasNextPage: boolean; endCursor: string };
  }
  async function curves(asOf: string | null, archive: string, args = "first: 100") {
    const points = `points(${args}) { edges { node { mjd hmjd } } pageInfo { hasNextPage endCursor } }`;
    const query = `query ($asOf: DateTime) { object(survey: ZTF, objectId: "ZTF26lens", asOf: $asOf) {
      archivalLightCurves(goodOnly: true, archives: ["${archive}"]) { ${points} } } }`;
    const { object } = await service.ask<{ object: { archivalLightCurves: { points: Points }[] } }>(query, { asOf });
    const { edges, pageInfo } = object.archivalLightCurves[0]!.points;
    const fromEnd = edges.map(({ node: { mjd, hmjd } }) => ((mjd ?? hmjd)! + 2_400_000.5 - end) / minute);
    return { minutes: fromEnd.map((after) => Number(after.toFixed(2))), pageInfo };
  }
  const [now, then] = [null, `JD ${end}`];
  for (const kind of ["mjd", "hmjd"]) expect((await curves(now, kind)).minutes).toEqual(minutes.slice(1));
  const whole = { hasNextPage: false };
  expect(await curves(then, "mjd")).toMatchObject({ minutes: [-20, -5, -0.01], pageInfo: whole });
  expect(await curves(then, "hmjd")).toMatchObject({ minutes: [-20], pageInfo: whole });
  const { pageInfo } = await curves(then, "mjd", "first: 2");
  expect(pageInfo.hasNextPage).toBe(true);
  const next = `first: 2, after: "${pageInfo.endCursor}"`;
  expect(await curves(then, "mjd", next)).toMatchObject({ minutes: [-0.01], pageInfo: whole });
  await expect(curves(now, "mjd", next)).rejects.toThrow(/BAD_CURSOR/);
});
