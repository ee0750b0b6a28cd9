// Watch lists, areas and sky maps through the API: uploads over HTTP, mutations and queries, and that nobody else sees them.
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import express from "express";
import { graphql } from "graphql";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Viewer } from "../domain/viewer.js";
import { createFilterDesign } from "../filters/design/design.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { createFilterLanguage } from "../filters/language.js";
import { createMarks } from "../ingest/enrich/marks.js";
import { type MarksOverStores, marksOver } from "../ingest/marks/marks.fixture.js";
import { markOperands } from "../ingest/marks/operands.js";
import { pastKey } from "../ingest/marks/past.js";
import { uploadedPositions } from "../ingest/marks/upload.js";
import { buildTocsinSchema } from "../resolvers/build.js";
import { createContext } from "../resolvers/context.js";
import { withdrawals } from "../resolvers/mark/mark.hits.js";
import type { Services } from "../resolvers/services.js";
import { failing } from "../server/failing.js";
import { createFaults } from "../server/faults.js";
import { markRoutes } from "../server/marks.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "./archive.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "./batches.js";
import { python, pythonHas } from "./python.js";

const SURVEY = testSurvey("ZTF");
const viewer = (scope: string, mayChange: boolean): Viewer => ({
  ...{ scope, mayChange },
  programids: new Map([["ZTF", mayChange ? "all" : [1]]]),
});
const OWNER = viewer("owner", true);
const ANYBODY = viewer("anonymous", false);
const START = 2460000.5;
const ALERTS: readonly TestAlert[] = Array.from({ length: 40 }, (_, n) => ({
  ...{ candid: 100n + BigInt(n), objectId: `ZTF${n % 5}`, jd: START + n / 10, ra: 20 + (n % 5), dec: 10 },
}));

const schema = buildTocsinSchema([SURVEY, testSurvey("LSST")]);
let archive: TestArchive;
let stores: ArchiveStores;
let marks: MarksOverStores;
let held: MarksOverStores["held"];
let past: MarksOverStores["past"];
let services: Services;
let server: Server;
let url: string;
let caller = OWNER;

beforeAll(async () => {
  archive = await startTestArchive();
  stores = await createArchiveStores(archive.client, [SURVEY]);
  const { registry, marked } = stores.marks;
  marks = marksOver(stores);
  ({ held, past } = marks);
  const { desk } = marks;
  const fieldsOf = fieldsOfSurveys([SURVEY], [markOperands(registry)]);
  const made: object[] = [];
  services = {
    stores: {
      ...stores,
      filters: {
        create: async (filter: { where: string; annotations: [] }) => {
          const version = { number: 1, createdAt: 0, changelog: null, where: filter.where, annotations: [] };
          made.push({ ...filter, id: `f${made.length}`, versions: [version] });
          return made.at(-1);
        },
      },
    },
    surveys: new Map([["ZTF", SURVEY]]),
    language: createFilterLanguage(fieldsOf),
    design: createFilterDesign(fieldsOf),
    marks: {
      ...{ desk, page: marked.page.bind(marked), events: registry.events.bind(registry) },
      past: (content: string) => stores.rematches.rematches([pastKey({ content })]),
    },
  } as unknown as Services;
  const app = express();
  const positionsOf: Parameters<typeof markRoutes>[0]["positionsOf"] = (body, options, of) =>
    uploadedPositions(body, options, of, stores.objects);
  app.use(markRoutes({ desk, viewerOf: () => caller, positionsOf }));
  app.use(failing(createFaults(pino({ level: "silent" }))));
  server = app.listen(0, "127.0.0.1");
  // Python, which is waited for below, holds up everything for longer than a connection may be idle.
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const id = stores.batches.begin();
  await stores.alerts.write(id, testBatch(SURVEY, ALERTS), testHashes(ALERTS), testLocations(ALERTS));
  const receipt = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
  await stores.batches.commit(id, receipt);
}, 60_000);
afterAll(async () => {
  server?.close();
  await marks?.close();
  await archive?.stop();
});

async function put(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}${path}`, { method: "PUT", body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
async function ask(source: string, as = OWNER): Promise<Record<string, unknown>> {
  const result = await graphql({ schema, source, contextValue: createContext(services, as) });
  if (result.errors) throw result.errors[0]!.originalError ?? result.errors[0];
  return JSON.parse(JSON.stringify(result.data)) as Record<string, unknown>;
}

describe("a watch list", () => {
  it("is uploaded, marks the archive, and is watched by a filter", async () => {
    const { status, body } = await put(
      "/watchlists/fields?radius=5&description=mine",
      "name,ra,dec\na,20,10.001\nb,23,10\n",
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ kind: "WATCH_LIST", operand: "watch.fields", size: 2, isShared: false, revision: 1 });
    await past.idle();
    const query = `{ mark(kind: WATCH_LIST, name: "fields") { size past { survey done total isComplete } }
      markedAlerts(kind: WATCH_LIST, name: "fields", survey: ZTF, first: 3)
        { edges { cursor level positions { name separationArcsec } node { candid objectId } } pageInfo { hasNextPage endCursor } } }`;
    const { mark, markedAlerts } = await ask(query);
    expect(mark).toEqual({ size: 2, past: [{ survey: "ZTF", done: "40", total: "40", isComplete: true }] });
    const { edges, pageInfo } = markedAlerts as { edges: { node: object }[]; pageInfo: { endCursor: string } };
    expect(edges.map(({ node }) => node)).toEqual(
      [138, 135, 133].map((n) => ({ candid: `${n}`, objectId: `ZTF${n % 5}` })),
    );
    expect(edges[1]).toMatchObject({
      level: null,
      positions: [{ name: "a", separationArcsec: expect.closeTo(3.6, 6) as number }],
    });
    const next = await ask(query.replace("first: 3", `first: 100, after: "${pageInfo.endCursor}"`));
    expect((next.markedAlerts as { edges: object[] }).edges.length).toBe(13);
    const { watch } = await ask(
      `mutation { watch(kind: WATCH_LIST, name: "fields", survey: ZTF) { name version { where } } }`,
    );
    expect(watch).toEqual({ name: "watch.fields", version: { where: "watch.fields" } });
  });

  it("is nobody else's: not in lists, not in names, not in texts", async () => {
    await expect(
      ask(`{ markedAlerts(kind: WATCH_LIST, name: "fields", survey: ZTF) { edges { cursor } } }`, ANYBODY),
    ).rejects.toMatchObject({ code: "UNKNOWN_MARK" });
    const seen = await ask(
      `{ marks(kind: WATCH_LIST) { name } filterFields(survey: ZTF) { name } markEvents { edges { cursor } }
      checkFilter(survey: ZTF, where: "count(watch.fields) > 0") { ok errors { message } } }`,
      ANYBODY,
    );
    expect(seen).toMatchObject({
      marks: [],
      markEvents: { edges: [] },
      checkFilter: { ok: false, errors: [{ message: "there is no name watch.fields" }] },
    });
    expect(JSON.stringify(seen.filterFields)).not.toContain("watch.fields");
    const matching = `{ alerts(where: {survey: ZTF, matches: "count(watch.fields) > 0"}) { edges { cursor } } }`;
    await expect(ask(matching, ANYBODY)).rejects.toMatchObject({ code: "BAD_EXPRESSION" });
    expect(((await ask(matching)).alerts as { edges: object[] }).edges.length).toBe(16);
    await ask(`mutation { changeMark(kind: WATCH_LIST, name: "fields", input: {isShared: true}) { isShared } }`);
    expect(((await ask(matching, ANYBODY)).alerts as { edges: object[] }).edges.length).toBe(16);
  });

  it("of few positions or of objects needs no file", async () => {
    const positions = `positions: [{name: "x", ra: 21, dec: 10}, {name: "y", ra: 1, dec: 1, radiusArcsec: 300}]`;
    const made = await ask(`mutation { putWatchList(input: {name: "few", ${positions}}) { size operand } }`);
    expect(made.putWatchList).toEqual({ size: 2, operand: "watch.few" });
    const objects = await ask(
      `mutation { putWatchList(input: {name: "few", objectIds: ["ZTF1", "ZTF2"], survey: ZTF}) { size revision } }`,
    );
    expect(objects.putWatchList).toEqual({ size: 2, revision: 2 });
    const { alerts } = await createMarks(held).run(testBatch(SURVEY, ALERTS));
    expect(alerts.lists!.get("watch.few.name")!.items.values.length).toBe(16);
    const neither = `mutation { putWatchList(input: {name: "none"}) { size } }`;
    await expect(ask(neither)).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    const unknown = `mutation { putWatchList(input: {name: "none", objectIds: ["ZTF9"], survey: ZTF}) { size } }`;
    await expect(ask(unknown)).rejects.toThrow("no object ZTF ZTF9");
  });
});

describe("an area", () => {
  it("is a MOC as text or file, a circle or a polygon", async () => {
    const made = await put("/areas/text?shared=true", "0/1 3");
    expect(made).toMatchObject({ status: 200, body: { fraction: 1 / 6, isShared: true } });
    const circle = await ask(
      `mutation { putArea(input: {name: "c", circle: {ra: 22, dec: 10, radiusDeg: 0.5}}) { fraction } }`,
    );
    expect((circle.putArea as { fraction: number }).fraction * 41252.96).toBeCloseTo(Math.PI / 4, 2);
    const polygon = `[{ra: 20.5, dec: 9}, {ra: 22.5, dec: 9}, {ra: 22.5, dec: 11}, {ra: 20.5, dec: 11}]`;
    await ask(`mutation { putArea(input: {name: "p", polygon: ${polygon}}) { fraction } }`);
    await past.idle();
    const found = await ask(`{ c: alerts(where: {survey: ZTF, matches: "area.c"}) { edges { node { ra } } }
      p: alerts(where: {survey: ZTF, matches: "area.p and not area.c"}) { edges { node { ra } } } }`);
    const ras = (alerts: unknown) => [
      ...new Set((alerts as { edges: { node: { ra: number } }[] }).edges.map(({ node }) => node.ra)),
    ];
    expect(ras(found.c)).toEqual([22]);
    expect(ras(found.p)).toEqual([21]);
    await expect(
      ask(`mutation { putArea(input: {name: "c", moc: "0/1", polygon: []}) { name } }`),
    ).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  });
});

describe("a sky map", () => {
  type Found = { alerts: { edges: object[] } };
  const hasHealpy = pythonHas("healpy");
  it.skipIf(!hasHealpy)("is uploaded, revised and retracted", async () => {
    const files = python<string[]>(`
import base64, os, tempfile
import numpy as np, healpy as hp
out = []
for lon in (20, 22):
    v = hp.ang2vec(lon, 10, lonlat=True)
    cos = np.array(hp.pix2vec(64, np.arange(hp.nside2npix(64)), nest=True)).T @ v
    p = np.exp((cos - 1) / np.radians(0.4) ** 2)
    p /= p.sum()
    with tempfile.TemporaryDirectory() as d:
        f = os.path.join(d, "m.fits")
        # The revision tells how far away it is: 2000 Mpc, sharply.
        far = [] if lon == 20 else [np.full_like(p, 2000), np.full_like(p, 0.1), np.full_like(p, 1)]
        names = ["PROB"] if lon == 20 else ["PROB", "DISTMU", "DISTSIGMA", "DISTNORM"]
        hp.write_map(f, [p, *far], nest=True, coord="C", dtype=np.float64, column_names=names, extra_header=[("OBJECT", "GRB1"), ("MJD-OBS", 60000.0)])
        out.append(base64.b64encode(open(f, "rb").read()).decode())
print(json.dumps(out))`);
    const [first, second] = files.map((file) => Buffer.from(file, "base64"));
    const made = await put("/skymaps/grb1?daysAfter=2", gzipSync(first!));
    expect(made).toMatchObject({
      status: 200,
      body: {
        skymap: { event: "GRB1", time: "2023-02-25T00:00:00.000Z", end: "2023-02-27T00:00:00.000Z" },
        revision: 1,
      },
    });
    await past.idle();
    const within = `{ alerts(where: {survey: ZTF, matches: "skymap.grb1 <= 0.9"}) { edges { node { ra jd } } } }`;
    const places = async () => (await ask(within)).alerts as { edges: { node: { ra: number; jd: number } }[] };
    const before = await places();
    expect([...new Set(before.edges.map(({ node }) => node.ra))]).toEqual([20]);
    expect(Math.max(...before.edges.map(({ node }) => node.jd))).toBeLessThanOrEqual(START + 2);
    const far = async (where: string) =>
      (
        (await ask(
          `{ alerts(where: {survey: ZTF, matches: "${where}"}) { edges { node { ra } } } }`,
        )) as unknown as Found
      ).alerts.edges.length;
    expect(await far("skymap.grb1.distance.mean > 0")).toBe(0);
    const revised = await put("/skymaps/grb1", second!);
    expect(revised.body).toMatchObject({ revision: 2, skymap: { end: "2023-02-27T00:00:00.000Z" } });
    await past.idle();
    expect([...new Set((await places()).edges.map(({ node }) => node.ra))]).toEqual([22]);
    // The prior r^2 moves the mean by 2 sigma^2 / mu.
    expect(await far("skymap.grb1.distance.mean between 1999.9 and 2000.1 and skymap.grb1 <= 1")).toBeGreaterThan(10);
    expect(await far("abs(1999 - skymap.grb1.distance.mean) < 3 * skymap.grb1.distance.sigma")).toBe(0);
    expect(await far("abs(1999.9 - skymap.grb1.distance.mean) < 3 * skymap.grb1.distance.sigma")).toBeGreaterThan(10);
    const { markedAlerts } = await ask(
      `{ markedAlerts(kind: SKYMAP, name: "grb1", survey: ZTF, first: 1) { edges { distance { meanMpc sigmaMpc } } } }`,
    );
    expect(markedAlerts).toEqual({ edges: [{ distance: { meanMpc: 2000, sigmaMpc: Math.fround(0.1) } }] });
    const wheres = ["skymap.grb1 <= 0.9", "skymap.grb1 <= 0.9 or dec < 20", "dec < 20", "skymap.grb10 < 1 or dec < 20"];
    const filters = new Map(wheres.map((where, n) => [`${n}`, { versions: [{ number: 1, where }] }]));
    const context = createContext(services, OWNER);
    Object.assign(context.stores, { filters: { byIds: async () => filters } });
    const hits = wheres.map((_, n) => ({
      ...{ filterId: `${n}`, filterVersion: 1, survey: "ZTF", candid: 102n, objectId: "ZTF2", jd: START + 0.2 },
      ...{ programid: 1, annotations: null, passedAt: Date.now(), seq: BigInt(n) },
    }));
    expect(await withdrawals(context, hits)).toEqual([null, null, null, null]);
    const { retractSkymap } = await ask(`mutation { retractSkymap(name: "grb1") { state } }`);
    expect(retractSkymap).toEqual({ state: "RETRACTED" });
    expect((await places()).edges).toEqual([]);
    // The one that only the map let pass; not those that pass without it.
    expect(await withdrawals(context, hits)).toEqual(["skymap.grb1 was retracted", null, null, null]);
    const late = { ...hits[0]!, passedAt: Date.now() + 60_000 };
    expect(await withdrawals(context, [late])).toEqual([null]);
    const events = await ask("{ markEvents(first: 1000) { edges { node { name revision state } } } }");
    expect((events.markEvents as { edges: object[] }).edges.slice(-3)).toEqual([
      { node: { name: "grb1", revision: 1, state: "ACTIVE" } },
      { node: { name: "grb1", revision: 2, state: "ACTIVE" } },
      { node: { name: "grb1", revision: 2, state: "RETRACTED" } },
    ]);
  });
});

it.each([
  ["/skymaps/bad", "no FITS at all", 422, "BAD_MARK"],
  ["/skymaps/bad", new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3]), 422, "BAD_MARK"],
  ["/areas/bad", "7/99999999", 422, "BAD_MARK"],
  ["/areas/b%20d", "0/1", 400, "BAD_ARGUMENT"],
  ["/areas/bad?shared=maybe", "0/1", 400, "BAD_ARGUMENT"],
  ["/watchlists/bad?radius=x", "a,1,1\n", 400, "BAD_ARGUMENT"],
  ["/watchlists/bad", "<html><body>Not found</body></html>", 422, "BAD_CATALOG"],
  ["/watchlists/bad?radius=999", "a,1,1\n", 422, "BAD_MARK"],
])("refuses %s with %.20s", async (path, body, status, code) => {
  const answer = await put(path, body);
  expect(answer).toMatchObject({ status, body: { errors: [{ extensions: { code } }] } });
});

it("takes nothing from callers who may not change", async () => {
  caller = ANYBODY;
  expect(await put("/areas/theirs", "0/1")).toMatchObject({ status: 401 });
  caller = OWNER;
});
