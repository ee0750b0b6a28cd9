// Features through the whole service: real ZTF packets in, Python's values out of the API, of filters and of the archive.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callService } from "../cli/control.js";
import { BAND_FEATURES } from "../domain/features/band.features.js";
import { COLOUR_FEATURES, OBJECT_FEATURES } from "../domain/features/object.features.js";
import { python, pythonHas } from "./python.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const nights = ["ztf/20200202", "ztf/20231012"].map((night) => `${SHARED}/data/${night}`);
const BANDS = ["g", "r", "i"];

/** Reads bands, colours and the whole; some values are missing. */
const EXPRESSION =
  "feature.count >= 3 and (feature.r.meanMag < 18 or feature.gr.meanColour > 0.5 or feature.g.eta < 2) and not feature.peakBand = 'i'";

let service: TestService;
let filterId: string;
beforeAll(async () => {
  service = await startTestService();
  const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
    'mutation ($where: String!) { createFilter(input: { name: "f", survey: ZTF, where: $where }) { id } }',
    { where: EXPRESSION },
  );
  filterId = createFilter.id;
  await service.ingest(...nights);
});
afterAll(async () => {
  await service?.close();
});

type Values = Readonly<Record<string, number | string | boolean | null>>;
interface Shown {
  readonly candid: string;
  readonly features: Values & { readonly bands: readonly Values[]; readonly colours: readonly Values[] };
}
const names = (features: readonly { name: string }[]) => features.map(({ name }) => name).join(" ");
const FIELDS = `features { version ${names(OBJECT_FEATURES)} bands { band ${names(BAND_FEATURES)} } colours { bands ${names(COLOUR_FEATURES)} } }`;
const time = { start: "2018-01-01T00:00:00Z", end: "2026-01-01T00:00:00Z" };

async function shown(): Promise<Shown[]> {
  const query = `query ($time: TimeWindow!) { alerts(where: { survey: ZTF, time: $time }, first: 100) { edges { node { candid ${FIELDS} } } } }`;
  const { alerts } = await service.ask<{ alerts: { edges: { node: Shown }[] } }>(query, { time });
  return alerts.edges.map(({ node }) => node);
}

/** By the names that filters use. */
function pathsOf({ features: { bands, colours, version: _, ...whole } }: Shown): Record<string, Values[string]> {
  const scoped = [...bands.map((one) => [one.band, one]), ...colours.map((one) => [one.bands, one])] as [
    string,
    Values,
  ][];
  const inside = scoped.flatMap(([scope, values]) =>
    Object.entries(values).map(([name, value]) => [`${scope}.${name}`, value]),
  );
  return Object.fromEntries([...Object.entries(whole), ...inside]);
}

describe.skipIf(!pythonHas("numpy", "light_curve", "fastavro"))("with Python", () => {
  test("every alert has the features of its packet's light curve", async () => {
    interface Curve {
      readonly name: string;
      readonly features: Readonly<Record<string, number | boolean | null>>;
    }
    const script = readFileSync(new URL("features.truth.py", import.meta.url), "utf8");
    const truth = new Map(python<Curve[]>(script, { folders: nights }).map((curve) => [curve.name, curve.features]));
    const alerts = await shown();
    expect(alerts).toHaveLength(36);
    const wrong: string[] = [];
    for (const alert of alerts) {
      const expected = truth.get(`packet ${alert.candid}`)!;
      for (const [path, value] of Object.entries(pathsOf(alert))) {
        if (path.endsWith(".band") || path.endsWith(".bands")) continue;
        const known = expected[path] ?? null;
        const told = path.endsWith("Band") && value !== null ? BANDS.indexOf(value as string) : value;
        const agree =
          known === null || told === null
            ? known === told
            : Math.abs(Number(told) - Number(known)) <= 1e-6 * Math.abs(Number(known));
        if (!agree) wrong.push(`${alert.candid} ${path}: ${told}, not ${known}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

test("an object shows the features of its latest alert, and of the latest up to a time", async () => {
  const query = `query ($time: TimeWindow!) { alerts(where: { survey: ZTF, time: $time }, first: 100) { edges { node {
    time candid features { count peakJd } object { objectId features { count peakJd } latestAlert { candid } } } } } }`;
  interface Node {
    readonly time: string;
    readonly candid: string;
    readonly features: Values;
    readonly object: { readonly objectId: string; readonly features: Values; readonly latestAlert: { candid: string } };
  }
  const { alerts } = await service.ask<{ alerts: { edges: { node: Node }[] } }>(query, { time });
  for (const { node } of alerts.edges) {
    if (node.object.latestAlert.candid === node.candid) expect(node.object.features).toEqual(node.features);
    const then = `query ($id: ID!, $at: DateTime!) { object(survey: ZTF, objectId: $id, asOf: $at) { features { count peakJd } } }`;
    const { object } = await service.ask<{ object: { features: Values } }>(then, {
      id: node.object.objectId,
      // Times are shown to the millisecond, cut off.
      at: new Date(Date.parse(node.time) + 1).toISOString(),
    });
    expect(object.features).toEqual(node.features);
  }
});

test("no features are stale, and all are before the next version", async () => {
  const stale = async (before: number, after: string | null = null) => {
    const query = `query ($before: Int!, $after: String) { staleFeatures(survey: ZTF, before: $before, first: 20, after: $after) {
      edges { cursor version node { objectId } } pageInfo { hasNextPage endCursor } } }`;
    interface Page {
      readonly edges: readonly { version: number; node: { objectId: string } }[];
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    }
    return (await service.ask<{ staleFeatures: Page }>(query, { before, after })).staleFeatures;
  };
  expect((await stale(1)).edges).toEqual([]);
  const first = await stale(1_000);
  expect(first.edges).toHaveLength(20);
  expect(first.pageInfo.hasNextPage).toBe(true);
  const second = await stale(1_000, first.pageInfo.endCursor);
  const ids = [...first.edges, ...second.edges].map(({ node }) => node.objectId);
  expect(new Set(ids).size).toBe(35);
  await expect(stale(0)).rejects.toThrow("BAD_ARGUMENT");
  await expect(stale(2, first.pageInfo.endCursor)).rejects.toThrow("BAD_CURSOR");
});

test("a period is found or not, within bounds", async () => {
  const ask = (args: string) =>
    service.ask<{ alerts: { edges: { node: { object: { period: unknown } } }[] } }>(
      `query ($time: TimeWindow!) { alerts(where: { survey: ZTF, time: $time }, first: 5) { edges { node { object { period${args} {
        period power falseAlarmProbability pointCount bandCount } } } } } }`,
      { time },
    );
  const { alerts } = await ask("(minDays: 0.5, maxDays: 10)");
  const periods = alerts.edges.map(({ node }) => node.object.period as Values | null);
  expect(periods.some((period) => period !== null)).toBe(true);
  for (const period of periods) {
    if (period === null) continue;
    expect(period.period).toBeGreaterThanOrEqual(0.49);
    expect(period.power).toBeGreaterThanOrEqual(0);
    expect(period.falseAlarmProbability).toBeLessThanOrEqual(1);
  }
  await expect(ask("(minDays: 0)")).rejects.toThrow("BAD_ARGUMENT");
  await expect(ask("(minDays: 5, maxDays: 5)")).rejects.toThrow("BAD_ARGUMENT");
});

/** EXPRESSION over what the API shows. */
function passes(alert: Shown): boolean {
  const paths = pathsOf(alert);
  const number = (path: string) => (paths[path] ?? Number.NaN) as number;
  const one = number("r.meanMag") < 18 || number("gr.meanColour") > 0.5 || number("g.eta") < 2;
  return number("count") >= 3 && one && paths.peakBand !== "i";
}

test("filters read the features that the API shows, live and over the archive", async () => {
  const expected = (await shown())
    .filter(passes)
    .map(({ candid }) => candid)
    .sort();
  expect(expected.length).toBeGreaterThan(3);
  expect(expected.length).toBeLessThan(36);
  interface Candids {
    readonly edges: readonly { node: { candid?: string; alert?: { candid: string } } }[];
  }
  const candids = ({ edges }: Candids) => edges.map(({ node }) => node.candid ?? node.alert!.candid).sort();
  const { hits } = await service.ask<{ hits: Candids }>(
    "query ($ids: [ID!]!) { hits(filterIds: $ids) { edges { node { alert { candid } } } } }",
    { ids: [filterId] },
  );
  expect(candids(hits)).toEqual(expected);
  const { alerts } = await service.ask<{ alerts: Candids }>(
    "query ($time: TimeWindow!, $where: String!) { alerts(where: { survey: ZTF, time: $time, matches: $where }) { edges { node { candid } } } }",
    { time, where: EXPRESSION },
  );
  expect(candids(alerts)).toEqual(expected);
});

test("made anew by the running service they are the same", async () => {
  const before = await shown();
  const piece = await callService(service.dataDir, "reenrich", ["ZTF", 1_000, null]);
  expect(piece).toEqual({ after: null, seen: 36, made: 36 });
  expect(await shown()).toEqual(before);
  await expect(callService(service.dataDir, "reenrich", ["SDSS", 1, null])).rejects.toThrow("There is no survey SDSS");
});
