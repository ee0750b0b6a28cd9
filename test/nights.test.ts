// Packets as other nights have them (nights.truth.py) through the whole service: every field that was in a packet, every
// point of its history and every file's count are served as fastavro reads them.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CANONICAL } from "../ingest/avro/truth.fixture.js";
import { LSST_FORMER_NAMES } from "../ingest/surveys/lsst/lsst.formernames.js";
import { python, pythonHas } from "./python.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

type Values = Readonly<Record<string, number | string | boolean | null>>;
type Nested = Readonly<Record<string, unknown>>;
interface Truth {
  readonly files: readonly { path: string; packets: number; letters: number }[];
  readonly packets: Readonly<Record<string, Nested>>;
  readonly objects: Readonly<Record<string, Record<"detections" | "nonDetections" | "forced", Record<string, Values>>>>;
}
const SURVEYS = ["ZTF", "LSST"] as const;
type Survey = (typeof SURVEYS)[number];

const POINT = "jd band flux fluxError";
const ALERT = `candid objectId jd ra dec band magnitude magnitudeError flux fluxError isPositive programid solarSystemName`;
const ALERTS = `query ($c: Long!, $n: [String!]!, $s: Survey!) { alert(survey: $s, candid: $c) { ${ALERT} packet fields(names: $n)
  cutouts { science template difference } } }`;
const OBJECTS = `query ($ids: [ID!]!, $s: Survey!) { objects(survey: $s, objectIds: $ids) { objectId alertCount
  alerts(first: 1000) { edges { node { candid } } }
  lightCurve { detections { candid ${POINT} magnitude magnitudeError isPositive }
    nonDetections { jd band limitingMagnitude } forced { ${POINT} zeroPoint } } } }`;

/** Filters that read every kind of value; all of them run live over every packet. */
const FILTERS: Readonly<Record<Survey, readonly string[]>> = {
  ZTF: [
    "magnitude < 40",
    "magpsf > -1000 and sigmapsf < 1000",
    "flux > 0",
    "snr >= 0",
    "rb >= 0.3 or drb >= 0.3",
    "ssdistnr >= 0 and ssdistnr < 12",
    "not cut.clean",
    "not cut.nearBrightStar",
    "isdiffpos = 't' or isdiffpos = '1'",
    "ssnamenr = ' 2001 AB12 '",
    "jdstarthist < jd and candid > 9007199254740992",
    "count(detections) > 1",
    "count(nonDetections, diffmaglim > 0) > 2",
    "has(forced, snr > 3) or max(forced, flux) > 0",
    "mean(detections, magpsf) > 0",
  ],
  LSST: [
    "magnitude < 40",
    "psfFlux > 0 and psfFluxErr > 0",
    "snr > 0 or reliability > 0.1",
    "ssObjectId = 9223372036854775783",
    "not pixelFlags_bad and not isDipole",
    "band = 'u' or band = 'y'",
    "count(forced) > 3",
    "has(forced, snr > 3) or count(nonDetections) > 0",
    "count(detections, band = 'u') > 1",
  ],
};

const BANDS = ["unknown", "g", "r", "i"];
const bandOf = (point: Values) => ("fid" in point ? (BANDS[point.fid as number] ?? "unknown") : point.band);
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
/** AB magnitude to nJy. */
const fluxOf = (magnitude: number) => 10 ** ((31.4 - magnitude) / 2.5);
const magnitudeOf = (flux: number) => 31.4 - 2.5 * Math.log10(Math.abs(flux));

/** Where two JSON values are not the same, with both. */
function differences(found: unknown, wanted: unknown, path = ""): string[] {
  const both = [found, wanted];
  if (both.every((value) => typeof value === "object" && value !== null)) {
    const [a, b] = both as [Nested, Nested];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      differences(a[key], b[key], `${path}.${key}`),
    );
  }
  return found === wanted ? [] : [`${path} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`];
}

/** Equal to 1e-9 of the value; null is equal to null. */
function expectClose(found: unknown, wanted: number | null, what: string): void {
  if (wanted === null || typeof found !== "number") expect([what, found]).toEqual([what, wanted]);
  else if (Math.abs(found - wanted) > 1e-9 * Math.abs(wanted)) expect([what, found]).toEqual([what, wanted]);
}

/** Of a detection: ZTF tells a magnitude, Rubin a flux. */
function expectMeasured(shown: Nested, { magnitude, flux, error, positive }: Values, what: string): void {
  expect([what, shown.isPositive]).toEqual([what, positive]);
  if (flux === undefined) {
    const size = magnitude === null ? Number.NaN : fluxOf(magnitude as number);
    const sizeError = error === null ? Number.NaN : (size * (error as number)) / (2.5 / Math.LN10);
    expect([what, shown.magnitude, shown.magnitudeError]).toEqual([what, magnitude, error]);
    expectClose(shown.flux, finite(positive ? size : -size), what);
    expectClose(shown.fluxError, finite(sizeError), what);
    return;
  }
  expect([what, shown.flux, shown.fluxError]).toEqual([what, flux, error]);
  const size = flux === null || flux === 0 ? Number.NaN : (flux as number);
  expectClose(shown.magnitude, finite(magnitudeOf(size)), what);
  const sizeError = error === null ? Number.NaN : (2.5 / Math.LN10) * Math.abs((error as number) / size);
  expectClose(shown.magnitudeError, finite(sizeError), what);
}

const HALF_SECOND = 0.5 / 86_400;
/** In the order of their times; those of one time are told apart by the second key. */
function inOrder<T>(points: readonly T[], jd: (point: T) => number, next: (point: T) => string): T[] {
  return [...points].sort((a, b) => jd(a) - jd(b) || (next(a) < next(b) ? -1 : 1));
}

describe.skipIf(!pythonHas("fastavro"))("nights of other years (needs Python with fastavro: TOCSIN_PYTHON)", () => {
  let folder: string;
  let service: TestService;
  let truths: Record<Survey, Truth>;
  const filters = new Map<string, { survey: Survey; where: string }>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tocsin-nights-"));
    const script = await readFile(resolve(import.meta.dirname, "nights.truth.py"), "utf8");
    truths = python(`${CANONICAL}\n${script}`, { shared: SHARED, out: folder });
    service = await startTestService({ SCHEMA_DIR: join(SHARED, "data/lsst"), RECORDS_PER_MINUTE: "1000000" });
    for (const survey of SURVEYS) {
      for (const where of FILTERS[survey]) {
        const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
          `mutation ($w: String!, $s: Survey!) { createFilter(input: { name: $w, survey: $s, where: $w }) { id } }`,
          { w: where, s: survey },
        );
        filters.set(createFilter.id, { survey, where });
      }
    }
  }, 600_000);
  afterAll(async () => {
    await service?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("every file's packets are counted, none is lost", async () => {
    const broken: string[] = [];
    for (const survey of SURVEYS) {
      for (const { path, packets, letters } of truths[survey].files) {
        const counts = await service.ingest(path);
        if (
          counts.read !== packets + letters ||
          counts.deadLetters !== letters ||
          counts.stored + counts.duplicates !== packets
        )
          broken.push(`${path}: ${JSON.stringify(counts)}, not ${packets} and ${letters}`);
      }
    }
    expect(broken).toEqual([]);
  }, 600_000);

  test.each(SURVEYS)(
    "%s: every alert with every field of its packet",
    async (survey) => {
      const { filterFields } = await service.ask<{ filterFields: { name: string; type: string }[] }>(
        `{ filterFields(survey: ${survey}) { name type } }`,
      );
      const faults: string[] = [];
      for (const [candid, packet] of Object.entries(truths[survey].packets)) {
        const source = { ...((survey === "ZTF" ? packet.candidate : packet.diaSource) as Nested) };
        for (const [former, today] of LSST_FORMER_NAMES)
          if (survey === "LSST" && former in source) source[today] = source[former];
        const names = filterFields
          .map(({ name }) => name)
          .filter((name) => name in source && !["ra", "jd", "band", "snr"].includes(name));
        const { alert } = await service.ask<{ alert: Nested & { packet: Nested; fields: Nested } }>(ALERTS, {
          c: candid,
          n: names,
          s: survey,
        });
        const ra = source.ra as number;
        // An int column shows a long as the number that it is.
        const wanted = Object.fromEntries(
          names.map((name) => [name, `${alert.fields[name]}` === source[name] ? alert.fields[name] : source[name]]),
        );
        const different = [
          ...differences(alert.packet, packet, "packet"),
          ...differences(alert.fields, wanted, "fields"),
          ...differences([alert.candid, alert.ra], [candid, ra - 360 * Math.floor(ra / 360)], "alert"),
        ];
        if (different.length > 0) faults.push(`${candid} ${different.slice(0, 5).join("; ")}`);
      }
      expect(faults.slice(0, 20)).toEqual([]);
    },
    600_000,
  );

  test.each(SURVEYS)(
    "%s: every object with every point that a packet told",
    async (survey) => {
      const { objects } = truths[survey];
      const ids = Object.keys(objects);
      const faults: string[] = [];
      for (let at = 0; at < ids.length; at += 20) {
        const asked = ids.slice(at, at + 20);
        const answer = await service.ask<{ objects: (Shown | null)[] }>(OBJECTS, { ids: asked, s: survey });
        for (const [i, shown] of answer.objects.entries()) {
          try {
            expectObject(shown!, objects[asked[i]!]!);
          } catch (error) {
            const { actual, expected } = error as { actual?: unknown; expected?: unknown };
            faults.push(`${asked[i]} ${JSON.stringify(actual)} ${JSON.stringify(expected)}`.slice(0, 600));
          }
        }
      }
      expect(faults.slice(0, 20)).toEqual([]);
    },
    600_000,
  );

  test("filters found live what they find in the archive", async () => {
    const faults: string[] = [];
    for (const [id, { survey, where }] of filters) {
      const { hits, alerts } = await service.ask<Record<"hits" | "alerts", { edges: { node: Nested }[] }>>(
        `query ($f: [ID!]!, $s: Survey!, $w: String!) {
          hits(filterIds: $f, first: 1000) { edges { node { withdrawnAt alert { candid objectId } } } }
          alerts(where: { survey: $s, matches: $w }, first: 1000) { edges { node { candid objectId } } } }`,
        { f: [id], s: survey, w: where },
      );
      const found = (nodes: readonly Nested[]) =>
        nodes
          // Its packets came out of order, so that live lists were not whole yet.
          .filter(({ objectId }) => objectId !== "ZTF18season")
          .map(({ candid }) => candid as string)
          .toSorted();
      const live = found(hits.edges.map(({ node }) => node.alert as Nested));
      const archived = found(alerts.edges.map(({ node }) => node));
      if (live.length === 0 || live.join() !== archived.join()) {
        const odd = [...live, ...archived].filter((candid) => !(live.includes(candid) && archived.includes(candid)));
        faults.push(`${where}: ${live.length} live, ${archived.length} archived, ${odd.slice(0, 5)}`);
      }
    }
    expect(faults).toEqual([]);
  }, 600_000);

  test("cutouts that are none, nothing, no image or damaged are told so, and features are made of what there is", async () => {
    const { ZTF } = truths;
    const { ask, url } = service;
    const answers: Record<string, number[]> = {};
    for (const { path } of ZTF.files.filter(({ path }) => path.includes("cutouts-"))) {
      const [packet] = python<string[]>(
        `import fastavro\nprint(json.dumps([str(r["candid"]) for r in fastavro.reader(open(input, "rb"))]))`,
        path,
      );
      const routes = ["", "?format=png"].map((form) => fetch(`${url}/cutouts/ZTF/${packet}/science${form}`));
      answers[path.slice(path.indexOf("cutouts-"))] = (await Promise.all(routes)).map(({ status }) => status);
    }
    // None, nothing, a piece of FITS, something else zipped, damaged: as it came, but not drawn.
    expect(Object.values(answers)).toEqual([
      [404, 404],
      [404, 404],
      [200, 422],
      [200, 422],
      [200, 422],
    ]);
    const ids = Object.keys(ZTF.objects);
    for (let at = 0; at < ids.length; at += 20) {
      const { objects } = await ask<{ objects: { features: { count: number; detectionCount: number } | null }[] }>(
        "query ($ids: [ID!]!) { objects(survey: ZTF, objectIds: $ids) { features { count detectionCount forcedCount } } }",
        { ids: ids.slice(at, at + 20) },
      );
      for (const { features } of objects) expect(features!.count).toBeGreaterThanOrEqual(0);
    }
  }, 600_000);

  interface Shown {
    objectId: string;
    alertCount: number;
    alerts: { edges: { node: { candid: string } }[] };
    lightCurve: Record<"detections" | "nonDetections" | "forced", Nested[]>;
  }
  function expectObject({ objectId, alertCount, alerts, lightCurve }: Shown, truth: Truth["objects"][string]): void {
    const wanted = truth as unknown as { alerts: number };
    expect([objectId, alertCount, alerts.edges.length]).toEqual([objectId, wanted.alerts, wanted.alerts]);
    const { detections, nonDetections, forced } = lightCurve;
    expect(detections.map(({ candid }) => candid).toSorted()).toEqual(Object.keys(truth.detections).toSorted());
    for (const shown of detections) {
      const point = truth.detections[shown.candid as string]!;
      const what = `${objectId} ${shown.candid}`;
      expect(Math.abs((shown.jd as number) - (point.jd as number))).toBeLessThan(HALF_SECOND);
      expect([what, shown.band]).toEqual([what, bandOf(point)]);
      expectMeasured(shown, point, what);
    }
    const limits = inOrder(
      Object.values(truth.nonDetections),
      (p) => p.jd as number,
      (p) => `${p.limit}`,
    );
    const shownLimits = inOrder(
      nonDetections,
      (p) => p.jd as number,
      (p) => `${p.limitingMagnitude}`,
    );
    expect(shownLimits).toHaveLength(limits.length);
    for (const [i, point] of limits.entries()) {
      expect(shownLimits[i]!.band).toBe(bandOf(point));
      expectClose(shownLimits[i]!.limitingMagnitude, point.limit as number, objectId);
    }
    const points = inOrder(
      Object.values(truth.forced),
      (p) => p.jd as number,
      (p) => `${p.flux}`,
    );
    const shownPoints = inOrder(
      forced,
      (p) => p.jd as number,
      (p) => `${p.flux}`,
    );
    expect(shownPoints).toHaveLength(points.length);
    for (const [i, point] of points.entries()) {
      expect(shownPoints[i]!.band).toBe(bandOf(point));
      expectClose(shownPoints[i]!.flux, point.flux as number | null, objectId);
      expectClose(shownPoints[i]!.fluxError, point.error as number | null, objectId);
      expect(shownPoints[i]!.zeroPoint).toBe(point.zero ?? null);
    }
  }
});
