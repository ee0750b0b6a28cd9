// Fits of microlensing in the stream: what a filter reads live, the archive gives of the past and the API's fit says is one;
// what cannot be an event is not fitted, and no batch takes longer than it may.
import { afterAll, beforeAll, expect, it } from "vitest";
import { random } from "../bench/random.js";
import type { AlertBatch } from "../domain/alert.js";
import type { Column, ListColumn } from "../domain/columns.js";
import type { Filter } from "../domain/filter.js";
import { fitMicrolensing, magnification } from "../domain/microlensing.js";
import type { FluxPoint } from "../domain/shapefit.js";
import { createActiveFilters } from "../filters/active.js";
import { createFilterDesign } from "../filters/design/design.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { createFilterRun } from "../filters/run.js";
import { createMicrolensing, microlensingOperands } from "../ingest/enrich/microlensing.js";
import { createInFlightQuery } from "../stores/archive/inflight.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "./archive.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "./batches.js";

const SURVEY = testSurvey("ZTF");
const OWNER = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };
const START = 2460000.5;
const TRUE = { t0: START + 100, tE: 15, u0: 0.3 };

/** 60 nights in two bands with errors of 1 %, of what `light` says at a time; forced points of every third of them. */
function curve(seed: number, light: (jd: number) => number, nights = 60) {
  const next = random(seed);
  const noise = () => Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next());
  const detections = Array.from({ length: nights }, (_, n): FluxPoint => {
    const jd = START + 3 * n + 0.3 * next();
    return { jd, band: n % 2 === 0 ? "g" : "r", flux: light(jd) + 500 * noise(), fluxError: 500 };
  });
  // Of the same images, measured better.
  const forced = detections
    .filter((_, n) => n % 3 === 0)
    .map((one) => ({ ...one, flux: light(one.jd) + 250 * noise(), fluxError: 250 }));
  return { detections, forced };
}
const lens = (jd: number) => 50_000 * (magnification(Math.hypot(TRUE.u0, (jd - TRUE.t0) / TRUE.tE)) - 1);
const CURVES = [
  curve(1, lens),
  curve(2, () => 0),
  curve(3, lens, 9),
  curve(4, (jd) => 20_000 * Math.sin(jd / 4)),
  curve(5, lens),
  { ...curve(6, lens), forced: [] },
];
const ALERTS: readonly TestAlert[] = CURVES.map((_, n) => ({
  ...{ candid: 100n + BigInt(n), objectId: `o${n}`, jd: START + 200 + n, ra: 10 * n, dec: 10 },
}));

function listsOf(kind: "detections" | "forced"): [string, ListColumn][] {
  const all = CURVES.map((one) => one[kind]);
  let end = 0;
  const ends = Uint32Array.from(all, ({ length }) => (end += length));
  const points = all.flat();
  const floats = (of: (point: FluxPoint) => number): Column => {
    return { type: "Float64", values: Float64Array.from(points, of), nulls: null };
  };
  return [
    [`${kind}.jd`, { ends, items: floats(({ jd }) => jd) }],
    [`${kind}.flux`, { ends, items: floats(({ flux }) => flux) }],
    [`${kind}.fluxError`, { ends, items: floats(({ fluxError }) => fluxError) }],
    [`${kind}.band`, { ends, items: { type: "String", values: points.map(({ band }) => band), nulls: null } }],
  ];
}
function withLists(): AlertBatch {
  const bare = testBatch(SURVEY, ALERTS);
  return { ...bare, alerts: { ...bare.alerts, lists: new Map([...listsOf("detections"), ...listsOf("forced")]) } };
}

const OPERANDS = microlensingOperands(1);
const NAMES = OPERANDS.operands("ZTF").values.map(({ name }) => name);
const valuesOf = (batch: AlertBatch): (number | null)[][] =>
  ALERTS.map((_, row) =>
    NAMES.map((name) => {
      const { values, nulls } = batch.alerts.columns.get(name)!;
      return nulls![row] ? null : (values[row] as number);
    }),
  );

let archive: TestArchive;
let stores: ArchiveStores;
let batch: AlertBatch;

beforeAll(async () => {
  archive = await startTestArchive();
  stores = await createArchiveStores(archive.client, [SURVEY]);
  batch = await createMicrolensing(60_000).run(withLists());
  const id = stores.batches.begin();
  await stores.alerts.write(id, batch, testHashes(ALERTS), testLocations(ALERTS));
  const receipt = { survey: "ZTF" as const, read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
  await stores.batches.commit(id, receipt);
}, 60_000);
afterAll(() => archive?.stop());

it("finds the events, by forced photometry where there is some, and fits nothing that cannot be one", () => {
  const values = valuesOf(batch).map((row) =>
    Object.fromEntries(NAMES.map((name, k) => [name.split(".")[2]!, row[k]!])),
  );
  for (const n of [0, 4, 5]) {
    expect(values[n]).toMatchObject({ candidate: 1, failedCuts: 0 });
    expect(values[n]!.tE! / TRUE.tE).toBeCloseTo(1, 1);
    expect(values[n]!.u0!).toBeCloseTo(TRUE.u0, 1);
    expect(values[n]!.sinceT0!).toBeCloseTo(ALERTS[n]!.jd - TRUE.t0, 0);
    expect(values[n]!.reducedChi2!).toBeLessThan(1.6);
  }
  for (const n of [1, 2]) expect(Object.values(values[n]!)).toEqual(NAMES.map(() => null));
  expect(fitMicrolensing(CURVES[1]!.detections)!.failedCuts).toContain("significant");
  expect(values[3]).toMatchObject({ candidate: 0 });
  expect(values[3]!.failedCuts).toBeGreaterThan(0);
  // Each image once.
  const forced = new Set(CURVES[0]!.forced.map(({ jd }) => jd));
  const once = [...CURVES[0]!.forced, ...CURVES[0]!.detections.filter(({ jd }) => !forced.has(jd))];
  expect(once.length).toBe(60);
  expect(values[0]!.tE).toBe(Math.fround(fitMicrolensing(once)!.tE));
});

it("is the same live, in what the archive explains by, and in a condition over it", async () => {
  const candids = ALERTS.map(({ candid }) => candid);
  const read = NAMES.map((name) => ({ sql: `\`${name}\``, columns: [name] }));
  const archived = await stores.backtest.values(OWNER, "ZTF", candids, read);
  expect(candids.map((candid) => archived.get(candid))).toEqual(valuesOf(batch));
  const fieldsOf = fieldsOfSurveys([SURVEY], [OPERANDS]);
  const design = createFilterDesign(fieldsOf);
  for (const [where, passing] of [
    ["score.microlensing.candidate = 1", [0, 4, 5]],
    ["score.microlensing.failedCuts > 0", [3]],
    ["score.microlensing.tE between 10 and 20 and score.microlensing.sinceT0 < 101.5", [0]],
    ["score.microlensing.u0 is null", [1, 2]],
  ] as const) {
    const expected = passing.map((n) => ALERTS[n]!.candid);
    const version = { number: 1, where, annotations: [], createdAt: 0, changelog: null };
    const filter: Filter = { id: "f", name: "f", survey: "ZTF", active: true, stream: null, versions: [version] };
    const active = createActiveFilters({ active: async () => [filter], onChange: () => () => undefined }, fieldsOf);
    const { hits, broken } = await createFilterRun(createInFlightQuery(archive.client), active).run(batch);
    active.close();
    expect([broken, hits.map(({ candid }) => candid).sort()]).toEqual([[], expected]);
    const { alerts } = await stores.backtest.matching(OWNER, { survey: "ZTF" }, design.parts("ZTF", where), 100, null);
    expect(alerts.map(({ candid }) => candid).sort()).toEqual(expected);
  }
});

it("begins no fit when the batch's time is spent, and says so", async () => {
  const short = await createMicrolensing(1e-6).run(withLists());
  const values = valuesOf(short);
  expect(values.map(([candidate]) => candidate)).toEqual([1, null, null, null, null, null]);
  const { rows } = short.annexes![0]!;
  expect(rows.columns.get("candid")!.values).toEqual(BigInt64Array.of(100n, 103n, 104n, 105n));
  const { values: reasons, nulls } = rows.columns.get("reason")!;
  expect(Array.from(reasons as string[], (reason, n) => (nulls![n] ? null : reason))).toEqual([
    null,
    ...Array(3).fill(expect.stringMatching(/MICROLENSING_MS/)),
  ]);
});

it("is missing with a reason where histories are, and no name where it is off", async () => {
  const { missing, alerts } = await createMicrolensing(100).run(testBatch(SURVEY, ALERTS));
  expect(missing).toMatchObject([
    { step: "scores", part: "microlensing", reason: expect.stringMatching(/no list detections/) },
  ]);
  expect(alerts.columns.has(NAMES[0]!)).toBe(false);
  expect(microlensingOperands(0).operands("ZTF").values).toEqual([]);
});
