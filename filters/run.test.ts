// Batches through the filter step on a real ClickHouse: hits, annotations, changes of the active set, broken filters.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AlertBatch } from "../domain/alert.js";
import { TocsinError } from "../domain/errors.js";
import type { Filter } from "../domain/filter.js";
import { createInFlightQuery } from "../stores/archive/inflight.js";
import type { InFlightQuery } from "../stores/inflight.store.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { blockOf, rowWith } from "../test/reference/filterexpressions.js";
import { TEST_FIELDS, TEST_OPERANDS, TEST_SURVEY } from "../test/reference/filterfields.js";
import type { Element, Row } from "../test/reference/filtervalues.js";
import { createActiveFilters } from "./active.js";
import { fieldsOfSurveys } from "./fields.js";
import { createFilterRun } from "./run.js";

let archive: TestArchive;
let inFlight: InFlightQuery;
let queries = 0;
beforeAll(async () => {
  archive = await startTestArchive();
  const real = createInFlightQuery(archive.client);
  inFlight = {
    select: (...args) => {
      queries++;
      return real.select(...args);
    },
  };
});
afterAll(() => archive.stop());

/** The store's part that matters here: the active filters, and word of a change. */
function storeOf(initial: readonly Filter[]) {
  let filters = initial;
  const listeners = new Set<() => void>();
  return {
    active: async () => [...filters],
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(changed: readonly Filter[]) {
      filters = changed;
      for (const listener of listeners) listener();
    },
  };
}

function filter(
  id: string,
  where: string,
  annotations: Record<string, string> = {},
  number = 1,
  survey = "ZTF",
): Filter {
  const list = Object.entries(annotations).map(([name, expression]) => ({ name, expression }));
  const versions = [{ number, where, annotations: list, createdAt: 0, changelog: null }];
  return { id, name: id, survey, active: true, stream: null, versions };
}

function batchOf(rows: readonly Row[]): AlertBatch {
  const block = blockOf(rows);
  const columns = new Map(block.columns);
  columns.set("programid", { type: "Int32", values: Int32Array.from(rows, (_, i) => 1 + (i % 2)), nulls: null });
  const none = { rows: 0, columns: new Map() };
  return {
    survey: "ZTF",
    alerts: { rows: rows.length, columns, lists: block.lists! },
    photometry: none,
    toldBy: new Uint32Array(),
    packets: [],
  };
}

const BATCH = batchOf([
  rowWith({
    candid: 9007199254740993n,
    objectId: "ZTF1",
    jd: 2460000.5,
    magpsf: Math.fround(18.1),
    drb: 0.9,
    band: "g",
    isPositive: true,
  }),
  rowWith({ candid: 2n, objectId: "ZTF'2", jd: 2460001.5, magpsf: 19, drb: null, band: "r" }),
  rowWith({
    candid: 3n,
    objectId: "ZTF3",
    jd: 2460002.5,
    magpsf: 20,
    drb: Number.NaN,
    scorr: Number.POSITIVE_INFINITY,
  }),
]);

test("hits come in the order of rows, then filters, from one query, and one more for annotations", async () => {
  const active = createActiveFilters(
    storeOf([
      filter("bright", "magpsf < 19.5", { mag: "round(magpsf, 2)", id: "candid", name: "objectId", up: "isPositive" }),
      filter("all", "true"),
      filter("none", "drb > 2", { drb: "drb" }),
      filter("same", "magpsf < 19.5", { drb: "drb", worse: "1 / 0", inf: "scorr", mag: "round(magpsf, 2)" }),
      filter("rubin", "true", {}, 1, "LSST"),
    ]),
    TEST_FIELDS,
  );
  queries = 0;
  const { hits, broken } = await createFilterRun(inFlight, active).run(BATCH);
  expect(queries).toBe(2);
  expect(broken).toEqual([]);
  expect(hits.map((hit) => [hit.objectId, hit.filterId])).toEqual([
    ["ZTF1", "bright"],
    ["ZTF1", "all"],
    ["ZTF1", "same"],
    ["ZTF'2", "bright"],
    ["ZTF'2", "all"],
    ["ZTF'2", "same"],
    ["ZTF3", "all"],
  ]);
  expect(hits[0]).toEqual({
    filterId: "bright",
    filterVersion: 1,
    survey: "ZTF",
    candid: 9007199254740993n,
    objectId: "ZTF1",
    jd: 2460000.5,
    programid: 1,
    annotations: '{"mag":18.1,"id":"9007199254740993","name":"ZTF1","up":true}',
  });
  expect(hits[1]!.annotations).toBeNull();
  expect(hits[3]!.annotations).toBe('{"mag":19,"id":"2","name":"ZTF\'2","up":false}');
  expect(hits[5]).toMatchObject({ programid: 2, annotations: '{"drb":null,"worse":null,"inf":null,"mag":19}' });
});

test("a changed filter acts on the next batch, a stopped one no more", async () => {
  const store = storeOf([filter("f", "magpsf < 18.5")]);
  const run = createFilterRun(inFlight, createActiveFilters(store, TEST_FIELDS));
  const ids = async () => (await run.run(BATCH)).hits.map((hit) => `${hit.objectId} v${hit.filterVersion}`);
  expect(await ids()).toEqual(["ZTF1 v1"]);
  store.set([filter("f", "magpsf > 19.5", {}, 2)]);
  expect(await ids()).toEqual(["ZTF3 v2"]);
  store.set([]);
  expect(await ids()).toEqual([]);
});

test("a filter that does not compile any more is told and stops nobody", async () => {
  const store = storeOf([
    filter("good", "magpsf < 18.5"),
    filter("bad", "gone_field > 1"),
    filter("worse", "true", { a: "1 +" }),
  ]);
  const { hits, broken } = await createFilterRun(inFlight, createActiveFilters(store, TEST_FIELDS)).run(BATCH);
  expect(hits.map((hit) => hit.filterId)).toEqual(["good"]);
  expect(broken.map(({ filterId, message }) => `${filterId}: ${message}`)).toEqual([
    "bad: where, line 1, column 1: ZTF has no field gone_field; filterFields lists the names that it has",
    "worse: annotation a, line 1, column 4: found the end of the expression where a name, a number, text in quotes or ( should stand",
  ]);
});

const POINT = { magpsf: 18, drb: 0.5, isPositive: true, nid: 3, tag: null, small: 1, bigOrNone: null, isSolar: null };
const detected = (candid: bigint, jd: number, band: string): Element => ({ ...POINT, field: 7, candid, jd, band });

test("lists are asked for where the rest holds, of a few alerts at once, and an alert passes where both do", async () => {
  const rows = [18, 19, 20, 21].map((magpsf, i) =>
    rowWith({
      candid: BigInt(i),
      objectId: `ZTF${i}`,
      magpsf,
      jd: 2460000.5,
      detections: Array.from({ length: i }, (_, n) => detected(BigInt(n), 2460000 + n / 10, n % 2 ? "g" : "r")),
    }),
  );
  const active = createActiveFilters(
    storeOf([
      filter("both", "count(detections, band = 'r') = 1 and magpsf < 20.5", { n: "count(detections)" }),
      filter("lists", "has(detections, band = 'g')", { last: "last(detections, candid)" }),
      filter("plain", "magpsf > 20.5"),
      filter("never", "magpsf > 30 and has(detections)"),
    ]),
    TEST_FIELDS,
  );
  const others = Array.from({ length: 200 }, (_, i) => rowWith({ candid: BigInt(4 + i), objectId: "x", magpsf: null }));
  const few = createActiveFilters(storeOf([filter("few", "magpsf > 19.5 and has(detections)")]), TEST_FIELDS);
  async function sentFor(alerts: typeof rows): Promise<number[][]> {
    const sent: number[] = [];
    const noting: InFlightQuery = {
      select: (block, ...rest) => {
        sent.push(block.rows);
        return inFlight.select(block, ...rest);
      },
    };
    const { hits } = await createFilterRun(noting, active).run(batchOf(alerts));
    expect(hits.map((hit) => `${hit.objectId} ${hit.filterId} ${hit.annotations}`)).toEqual([
      'ZTF1 both {"n":1}',
      'ZTF2 both {"n":2}',
      'ZTF2 lists {"last":"1"}',
      'ZTF3 lists {"last":"2"}',
      "ZTF3 plain null",
    ]);
    const first = sent.splice(0);
    expect((await createFilterRun(noting, few).run(batchOf(alerts))).hits).toHaveLength(2);
    return [first, sent];
  }
  expect(await sentFor([...rows, ...others])).toEqual([
    [204, 204, 3],
    [204, 2],
  ]);
  expect(await sentFor(rows)).toEqual([[4, 3], [4]]);
});

test("what enrichment did not bring is missing", async () => {
  const batch = batchOf([rowWith({ objectId: "ZTF1", "area.m31": true, "feature.g.peakMag": 18 })]);
  const without = (names: string) => (entries: Iterable<[string, unknown]>) =>
    new Map([...entries].filter(([name]) => !name.startsWith(names))) as never;
  const broken = {
    ...batch,
    alerts: {
      rows: 1,
      columns: ["feature.", "area.", "class.", "score."].reduce((all, one) => without(one)(all), batch.alerts.columns),
      lists: without("match.")(batch.alerts.lists!),
    },
  };
  const texts = {
    kept: "magpsf < 20 and not has(detections)",
    area: "area.m31",
    notArea: "not area.m31",
    feature: "feature.g.peakMag < 20 or feature.count is not null",
    noFeature: "feature.g.peakMag is null and class.net is null and score.net.real is null",
    match: "has(match.gaia_dr3)",
    noMatch: "count(match.gaia_dr3, plx > 3) = 0 and nearest(match.gaia_dr3, sourceId) is null",
  };
  const filters = Object.entries(texts).map(([id, where]) => filter(id, where));
  const run = createFilterRun(inFlight, createActiveFilters(storeOf(filters), TEST_FIELDS));
  const ids = async (of: AlertBatch) => (await run.run(of)).hits.map((hit) => hit.filterId);
  expect(await ids(batch)).toEqual(["kept", "area", "feature", "noMatch"]);
  expect(await ids(broken)).toEqual(["kept", "notArea", "noFeature", "noMatch"]);
});

test("a catalog that goes breaks the filters that read it, one that comes mends them", async () => {
  let lists = TEST_OPERANDS.lists;
  let tell = () => {};
  const fieldsOf = fieldsOfSurveys(
    [TEST_SURVEY],
    [
      {
        operands: () => ({ ...TEST_OPERANDS, lists }),
        onChange: (listener) => {
          tell = listener;
          return () => undefined;
        },
      },
    ],
  );
  const filters = [filter("near", "not has(match.gaia_dr3)"), filter("all", "true")];
  const run = createFilterRun(inFlight, createActiveFilters(storeOf(filters), fieldsOf));
  const told = async () => {
    const { hits, broken } = await run.run(BATCH);
    return [hits.length, ...broken.map(({ filterId, message }) => `${filterId}: ${message}`)];
  };
  expect(await told()).toEqual([6]);
  lists = lists.filter(({ name }) => !name.startsWith("match."));
  tell();
  const gone = "ZTF has no list match.gaia_dr3; there are detections, forced, lsst.detections";
  expect(await told()).toEqual([3, `near: where, line 1, column 9: ${gone}`]);
  lists = TEST_OPERANDS.lists;
  tell();
  expect(await told()).toEqual([6]);
});

test("a text that the engine refuses is told and stops nobody; a lost engine stops the batch", async () => {
  const filters = ["magpsf < 18.5", "drb > 0.5", "magpsf > 19.5", "band = 'r'"].map((where, i) =>
    filter(`f${i}`, where),
  );
  const active = createActiveFilters(storeOf(filters), TEST_FIELDS);
  const picky: InFlightQuery = {
    select: async (block, columns) => {
      if (columns.some(({ sql }) => sql.includes("drb")))
        throw new TocsinError("INTERNAL", "The archive cannot.", { details: { engineCode: 47 } });
      return inFlight.select(block, columns);
    },
  };
  const { hits, broken } = await createFilterRun(picky, active).run(BATCH);
  expect(hits.map((hit) => hit.filterId)).toEqual(["f0", "f3", "f2"]);
  expect(broken).toEqual([{ filterId: "f1", message: "The archive cannot." }]);
  const lost: InFlightQuery = {
    select: () => Promise.reject(new TocsinError("ENGINE_UNAVAILABLE", "The archive does not answer.")),
  };
  await expect(createFilterRun(lost, active).run(BATCH)).rejects.toThrow("does not answer");
});

test("the store is asked once per change, and again after a failure", async () => {
  let calls = 0;
  let fail = true;
  const store = storeOf([filter("f", "true")]);
  const active = createActiveFilters(
    {
      ...store,
      active: async () => {
        calls++;
        if (fail) throw new TocsinError("ENGINE_UNAVAILABLE", "away");
        return store.active();
      },
    },
    TEST_FIELDS,
  );
  await expect(active.of("ZTF")).rejects.toThrow("away");
  fail = false;
  await Promise.all([active.of("ZTF"), active.of("LSST"), active.of("ZTF")]);
  expect(calls).toBe(2);
  store.set([filter("f", "false", {}, 2)]);
  expect((await active.of("ZTF")).filters[0]!.version).toBe(2);
  expect(calls).toBe(3);
});

test("the densest and the longest texts fit the engine's bounds", async () => {
  const sum = (i: number) => `${Array(249).fill("ra").join("+")} < ${i}.5`;
  const nested = "((".repeat(20).replaceAll("((", "(1 + if(isPositive, 1, ");
  const deep = (i: number) => `${nested}${i}${"))".repeat(20)} > 0 and ${"not ".repeat(30)}isPositive`;
  const many = (i: number) => `magpsf in (${Array.from({ length: 400 }, (_, j) => `${j}.${i}`).join(", ")}, 19)`;
  const filters = Array.from({ length: 120 }, (_, i) => [sum(i), deep(i), many(i)]).flat();
  const active = createActiveFilters(storeOf(filters.map((where, i) => filter(`f${i}`, where))), TEST_FIELDS);
  queries = 0;
  const { hits, broken } = await createFilterRun(inFlight, active).run(BATCH);
  expect(broken).toEqual([]);
  expect(queries).toBeLessThanOrEqual(2);
  expect(hits.filter((hit) => hit.candid === 2n).map((hit) => Number(hit.filterId.slice(1)) % 3)).toEqual(
    Array.from({ length: 120 }, () => [0, 2]).flat(),
  );
}, 120_000);
