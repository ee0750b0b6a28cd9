// Rubin's packets through the whole service: the real one and the samples of four schemas, against fastavro and astropy.
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CANONICAL } from "../ingest/avro/truth.fixture.js";
import { python, pythonHas } from "./python.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const RUBIN = join(SHARED, "data/lsst/7912941781254298.avro");
const VERSIONS = ["v7_4", "v9_0", "v10_0", "v11_0"];
const hasTruth = pythonHas("fastavro", "astropy");

interface Point {
  id: string;
  jd: number;
  band: string | null;
  flux: number | null;
  fluxError: number | null;
  negative: boolean | null;
}
interface Truth {
  packet: Record<string, Record<string, unknown>>;
  iso: string | null;
  cutouts: Record<string, string | null>;
  detections: Point[];
  forced: Point[];
  limits: (Point & { noise: number })[];
}

const SCRIPT = `${CANONICAL}
import base64, glob
from astropy.time import Time
# The sample of schema 7.4 has times of the year 4,000,000, which no calendar reaches: 37 s as now.
def real(mjd): return mjd < 200000
def utc(mjd): return Time(mjd, format="mjd", scale="tai").utc
def jd(mjd): return float(utc(mjd).jd) if real(mjd) else mjd - 37 / 86400 + 2400000.5
def finite(x): return x if x is not None and math.isfinite(x) else None
def point(p, id):
    return {"id": str(id), "jd": jd(p["midpointMjdTai"]), "band": p.get("band"), "flux": finite(p.get("psfFlux")),
        "fluxError": finite(p.get("psfFluxErr")), "negative": p.get("isNegative", p.get("is_negative"))}
answers = []
for path in input["files"]:
    data = open(path, "rb").read()
    if data[0] == 0:
        schema = fastavro.schema.load_schema(input["schema"])
        record = fastavro.schemaless_reader(io.BytesIO(data[5:]), schema)
    else:
        reader = fastavro.reader(io.BytesIO(data))
        record = next(reader)
        schema = reader.writer_schema
    whole = canonical(schema, record, {})
    names = [n for n in record if n.startswith("cutout")]
    source = record["diaSource"]
    mjd = source["midpointMjdTai"]
    iso = Time(mjd, format="mjd", scale="tai", precision=3).utc.isot if real(mjd) else None
    detections = [point(source, source["diaSourceId"])] + [point(p, p["diaSourceId"]) for p in record.get("prvDiaSources") or []]
    forced = [point(p, p["visit"] * 1000 + p["detector"] if "visit" in p else p["ccdVisitId"]) for p in record.get("prvDiaForcedSources") or []]
    limits = [dict(point(p, p["ccdVisitId"]), noise=p["diaNoise"]) for p in record.get("prvDiaNondetectionLimits") or []]
    answers.append({"packet": {k: v for k, v in whole.items() if k not in names}, "iso": iso,
        "cutouts": {n: record[n] and base64.b64encode(record[n]).decode() for n in names},
        "detections": detections, "forced": forced, "limits": limits})
print(json.dumps(answers))`;

const POINT = "time jd band flux fluxError";
const QUERY = `query ($c: Long!, $names: [String!]!) { alert(survey: LSST, candid: $c) {
  survey candid objectId time jd ra dec band magnitude magnitudeError flux fluxError isPositive class solarSystemName
  packet fields(names: $names) cutouts { science template difference }
  object { survey objectId ra dec firstSeen lastSeen alertCount latestAlert { candid }
    alerts { edges { node { candid } } }
    lightCurve { detections { candid ${POINT} magnitude magnitudeError isPositive }
      nonDetections { time jd band limitingMagnitude } forced { ${POINT} zeroPoint } } } } }`;

/** AB magnitude of nJy (zero point 31.4). */
const magnitude = (flux: number) => 31.4 - 2.5 * Math.log10(Math.abs(flux));
const magnitudeError = (flux: number, error: number) => (2.5 / Math.LN10) * (error / Math.abs(flux));
/** A millisecond, or what a double can tell apart. */
const jdError = (jd: number) => Math.max(1e-3 / 86_400, jd * 2 ** -51);

function expectPoint(shown: Shown, { jd, band, flux, fluxError }: Point): void {
  expect(Math.abs(shown.jd - jd)).toBeLessThan(jdError(jd));
  expect([shown.band, shown.flux ?? null, shown.fluxError ?? null]).toEqual([band ?? "unknown", flux, fluxError]);
}
function expectMagnitudes(shown: Shown, { flux, fluxError, negative }: Point): void {
  expect(shown.isPositive).toBe(negative === null ? (flux ?? 0) >= 0 : !negative);
  if (flux === null || flux === 0) expect(shown.magnitude).toBeNull();
  else expect(shown.magnitude).toBeCloseTo(magnitude(flux), 9);
  if (!flux || fluxError === null) expect(shown.magnitudeError).toBeNull();
  else expect(shown.magnitudeError).toBeCloseTo(magnitudeError(flux, fluxError), 9);
}
/** One point an id; the later in the list is the newer telling. The alert's own comes first and stays. */
function distinct(points: readonly Point[]): Point[] {
  const byId = new Map<string, Point>();
  for (const point of points) if (!byId.has(point.id)) byId.set(point.id, point);
  return [...byId.values()].toSorted((a, b) => a.jd - b.jd);
}

interface Shown {
  jd: number;
  band: string;
  flux?: number | null;
  fluxError?: number | null;
  magnitude?: number | null;
  magnitudeError?: number | null;
  isPositive?: boolean;
  candid?: string;
  limitingMagnitude?: number;
}

async function compare(service: TestService, truth: Truth): Promise<void> {
  const source = truth.packet.diaSource!;
  const candid = String(source.diaSourceId);
  const names = (
    await service.ask<{ filterFields: { name: string }[] }>("{ filterFields(survey: LSST) { name } }")
  ).filterFields.map(({ name }) => name);
  const own = names.filter((name) => name in source && !["ra", "dec", "band", "snr"].includes(name));
  expect(own.length).toBeGreaterThan(80);
  // biome-ignore lint/suspicious/noExplicitAny: the answer is compared field by field.
  const { alert } = await service.ask<{ alert: any }>(QUERY, { c: candid, names: own });

  const none = (id: unknown) => id === null || id === undefined || id === "0";
  const object = [source.diaObjectId, truth.packet.diaObject?.diaObjectId].find((id) => !none(id));
  const objectId = object ?? (none(source.ssObjectId) ? `dia${candid}` : `sso${source.ssObjectId}`);
  expect(alert).toMatchObject({ survey: "LSST", candid, objectId, ra: source.ra, dec: source.dec });
  expectPoint(alert, truth.detections[0]!);
  expectMagnitudes(alert, truth.detections[0]!);
  if (truth.iso !== null) {
    expect(Math.abs(Date.parse(alert.time) - Date.parse(`${truth.iso}Z`))).toBeLessThanOrEqual(1);
  }
  expect(alert.class).toBe(none(source.ssObjectId) ? "unknown" : "solar-system");
  const designation = [
    truth.packet.ssSource?.designation,
    truth.packet.mpc_orbits?.designation,
    truth.packet.MPCORB?.mpcDesignation,
  ].find((name) => typeof name === "string" && name.trim() !== "");
  expect(alert.solarSystemName).toBe(designation ?? null);
  expect(alert.packet).toEqual(truth.packet);
  expect(alert.fields).toEqual(Object.fromEntries(own.map((name) => [name, source[name]])));

  expect(alert.object).toMatchObject({
    objectId,
    ra: source.ra,
    dec: source.dec,
    alertCount: 1,
    latestAlert: { candid },
  });
  expect([alert.object.firstSeen, alert.object.lastSeen]).toEqual([alert.time, alert.time]);
  expect(alert.object.alerts.edges).toEqual([{ node: { candid } }]);
  const { detections, forced, nonDetections } = alert.object.lightCurve;
  const expected = [truth.detections, truth.forced, truth.limits].map(distinct);
  expect([detections, forced, nonDetections].map((list) => list.length)).toEqual(expected.map((list) => list.length));
  for (const [i, point] of expected[0]!.entries()) {
    const shown = detections.find((each: Shown) => each.candid === point.id);
    expectPoint(shown, point);
    expectMagnitudes(shown, point);
    expect(Math.abs(detections[i].jd - point.jd)).toBeLessThan(jdError(point.jd));
  }
  for (const [i, point] of expected[1]!.entries()) {
    expectPoint(forced[i], point);
    expect(forced[i].zeroPoint).toBeNull();
  }
  for (const [i, point] of (expected[2] as Truth["limits"]).entries()) {
    expect(nonDetections[i].band).toBe(point.band);
    expect(nonDetections[i].limitingMagnitude).toBeCloseTo(magnitude(5 * point.noise), 9);
  }

  for (const kind of ["Science", "Template", "Difference"]) {
    const response = await fetch(service.url + alert.cutouts[kind.toLowerCase()]);
    const base64 = truth.cutouts[`cutout${kind}`];
    if (!base64) {
      expect(response.status).toBe(404);
      continue;
    }
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).toString("base64")).toBe(base64);
  }
}

describe.skipIf(!hasTruth)("Rubin's packets (needs Python with fastavro and astropy: TOCSIN_PYTHON)", () => {
  let service: TestService | null = null;
  let folder: string;
  let truths: Truth[];
  let registry: Server;
  let asked: string[] = [];
  const sample = (version: string) => join(SHARED, "data/lsst", version, "fakeAlert.avro");

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tocsin-lsst-"));
    truths = python<Truth[]>(SCRIPT, {
      files: [RUBIN, ...VERSIONS.map(sample)],
      schema: join(SHARED, "data/lsst/v9_0/lsst.v9_0.alert.avsc"),
    });
    // What a registry keeps: one schema text with every type inside.
    const text = python<string>(
      `import fastavro.schema
schema = fastavro.schema.load_schema(input)
def clean(s):
    if isinstance(s, dict): return {k: clean(v) for k, v in s.items() if not k.startswith("__")}
    return [clean(x) for x in s] if isinstance(s, list) else s
print(json.dumps(json.dumps(clean(schema))))`,
      join(SHARED, "data/lsst/v9_0/lsst.v9_0.alert.avsc"),
    );
    registry = createServer((request, response) => {
      asked.push(request.url!);
      const known = request.url === "/registry/schemas/ids/900";
      response.writeHead(known ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(known ? { schema: text } : { error_code: 40403, message: "Schema not found" }));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => registry.once("listening", resolve));
  });
  afterEach(async () => {
    await service?.close();
    service = null;
  });
  afterAll(async () => {
    registry?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("the real packet, framed, its schema in a folder beside it", async () => {
    service = await startTestService();
    expect(await service.ingest(RUBIN)).toMatchObject({ read: 1, stored: 1, deadLetters: 0 });
    await compare(service, truths[0]!);
    // The same bytes again are the same alert.
    expect(await service.ingest(RUBIN)).toMatchObject({ read: 1, stored: 0, duplicates: 1 });
    await compare(service, truths[0]!);
  });

  test.each(VERSIONS.map((version, i) => [version, i + 1] as const))("the sample of %s", async (version, i) => {
    service = await startTestService();
    expect(await service.ingest(sample(version))).toMatchObject({ read: 1, stored: 1, deadLetters: 0 });
    await compare(service, truths[i]!);
  });

  test("the real packet, its schema in SCHEMA_DIR", async () => {
    const alone = join(folder, "alone.avro");
    await copyFile(RUBIN, alone);
    const schemas = join(folder, "schemas");
    await mkdir(join(schemas, "v9_0"), { recursive: true });
    for (const name of await readdir(join(SHARED, "data/lsst/v9_0"))) {
      if (name.endsWith(".avsc")) await copyFile(join(SHARED, "data/lsst/v9_0", name), join(schemas, "v9_0", name));
    }
    await mkdir(join(folder, "elsewhere/deep"), { recursive: true });
    await copyFile(RUBIN, join(folder, "elsewhere/deep/packet.avro"));
    service = await startTestService({ SCHEMA_DIR: schemas });
    expect(await service.ingest(join(folder, "elsewhere"))).toMatchObject({ read: 1, stored: 1, deadLetters: 0 });
    await compare(service, truths[0]!);
  });

  test("the real packet, its schema in a registry; an id that nobody knows", async () => {
    const { port } = registry.address() as AddressInfo;
    const place = join(folder, "registered/deep");
    await mkdir(place, { recursive: true });
    await copyFile(RUBIN, join(place, "packet.avro"));
    asked = [];
    service = await startTestService({ SCHEMA_REGISTRY_URL: `http://127.0.0.1:${port}/registry` });
    expect(await service.ingest(place)).toMatchObject({ read: 1, stored: 1, deadLetters: 0 });
    await compare(service, truths[0]!);
    expect(asked).toEqual(["/registry/schemas/ids/900"]);

    const unknown = await readFile(RUBIN);
    unknown.writeUInt32BE(31_337, 1);
    for (const name of ["b", "c"]) await writeFile(join(place, `${name}.avro`), unknown);
    expect(await service.ingest(place)).toMatchObject({ read: 3, stored: 0, duplicates: 1, deadLetters: 2 });
    // Asked for once, not once a packet.
    expect(asked).toEqual(["/registry/schemas/ids/900", "/registry/schemas/ids/31337"]);
    const { deadLetters } = await service.ask<{ deadLetters: { edges: { node: object }[] } }>(
      "{ deadLetters { edges { node { reason message source bytesKept } } } }",
    );
    expect(deadLetters.edges.map(({ node }) => node)).toContainEqual({
      reason: "UNKNOWN_SCHEMA",
      message: expect.stringContaining("31337"),
      source: join(place, "b.avro"),
      bytesKept: unknown.length,
    });
  });

  test("a registry that does not answer stops the command with its name, and no packet is blamed", async () => {
    const place = join(folder, "lost/deep");
    await mkdir(place, { recursive: true });
    await copyFile(RUBIN, join(place, "packet.avro"));
    service = await startTestService({ SCHEMA_REGISTRY_URL: "http://127.0.0.1:9/" });
    await expect(service.ingest(place)).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    expect(JSON.stringify(await service.ask("{ deadLetters { edges { node { reason } } } }"))).not.toContain("reason");
  });
});
