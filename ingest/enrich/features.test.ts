// The step over lists as the history step adds them: which points count, and what comes out for alerts without any.
import { expect, test } from "vitest";
import type { AlertBatch } from "../../domain/alert.js";
import type { Column, ListColumn } from "../../domain/columns.js";
import { namedFeatures } from "../../domain/features/features.js";
import { featureOperands } from "../../domain/features/operands.js";
import { magnitudeFromFlux } from "../../domain/flux.js";
import { blockFor, type Row, type TestAlert, testBatch, testSurvey } from "../../test/batches.js";
import { createFeatureStep, FEATURE_INPUTS } from "./features.js";

const SURVEY = testSurvey("ZTF");
const step = createFeatureStep(new Map([["ZTF", SURVEY]]));
const JD = 2_460_000.5;

interface History {
  readonly detections?: readonly Row[];
  readonly forced?: readonly Row[];
  readonly nonDetections?: readonly Row[];
}

/** A point's magnitude follows from its flux, as surveys have it. */
const point = (jd: number, flux: number | null, band = "g", fluxError = 10): Row => {
  const magnitude = flux === null ? null : magnitudeFromFlux(flux);
  return { jd: JD + jd, band, flux, fluxError, magnitude, magnitudeError: 0.05 };
};

function batchOf(histories: readonly History[]): AlertBatch {
  const alerts = histories.map(
    (_, n): TestAlert => ({ candid: BigInt(n + 1), objectId: `o${n}`, jd: JD + 10, ra: 10, dec: 20 }),
  );
  const batch = testBatch(SURVEY, alerts);
  const lists = new Map<string, ListColumn>();
  for (const name of FEATURE_INPUTS) {
    const [list, field] = name.split(".") as [keyof History, string];
    const rows = histories.map((history) => history[list] ?? []);
    let end = 0;
    const ends = Uint32Array.from(rows, ({ length }) => (end += length));
    const type = field === "band" ? "String" : "Float64";
    const nullable = field !== "band" && field !== "jd";
    lists.set(name, { ends, items: blockFor([{ name: field, type, nullable }], rows.flat()).columns.get(field)! });
  }
  return { ...batch, alerts: { ...batch.alerts, lists } };
}

const valueAt = ({ values, nulls }: Column, row: number) => (nulls?.[row] ? null : values[row]);
async function featuresOf(...histories: History[]) {
  const { alerts } = await step.run(batchOf(histories));
  return (path: string, row = 0) => valueAt(alerts.columns.get(`feature.${path}`)!, row);
}

test("points of detections, and of forced photometry from 3 sigma on where no detection is", async () => {
  const feature = await featuresOf({
    detections: [point(0, 100), point(2, 300, "r"), point(10, 200)],
    forced: [point(-5, 40, "g", 13), point(-1, 40, "g", 14), point(2, 500, "r"), point(2, -90), point(3, null)],
  });
  expect(feature("detectionCount")).toBe(3);
  expect(feature("forcedCount")).toBe(2);
  expect(feature("g.count")).toBe(4);
  expect(feature("r.count")).toBe(1);
  expect(feature("firstJd")).toBe(JD - 5);
  expect(feature("age")).toBe(15);
  expect(feature("peakBand")).toBe("r");
  expect(feature("r.peakMag")).toBeCloseTo(magnitudeFromFlux(300)!, 5);
  expect(feature("positiveFraction")).toBeCloseTo(0.8, 6);
  expect(feature("stationary")).toBe(1);
});

test("nothing that is later than the alert, of a band that the survey has not, or without a value", async () => {
  const later = { detections: [point(10, 100), point(11, 900)], forced: [point(10.5, 900)] };
  const limits = [
    { jd: JD + 9, limitingMagnitude: 20.25 },
    { jd: JD + 11, limitingMagnitude: 21 },
  ];
  const feature = await featuresOf(
    { ...later, nonDetections: limits },
    { detections: [point(9, 500, "unknown"), point(9.5, null), point(10, 100)] },
  );
  for (const row of [0, 1]) {
    expect(feature("count", row)).toBe(1);
    expect(feature("g.meanFlux", row)).toBe(100);
  }
  expect(feature("nonDetectionCount")).toBe(1);
  expect(feature("timeToNonDetection")).toBe(1);
  expect(feature("deepestLimit")).toBe(20.25);
});

test("what is not defined is missing: neither NaN nor 0", async () => {
  const feature = await featuresOf(
    {},
    { detections: [point(10, 100)] },
    { detections: [point(9, 1e300), point(10, 1)] },
  );
  expect(feature("count")).toBe(0);
  expect(feature("peakMag")).toBeNull();
  expect(feature("g.peakMag")).toBeNull();
  expect(feature("peakBand")).toBeNull();
  expect(feature("g.std", 1)).toBeNull();
  expect(feature("gr.meanColour", 1)).toBeNull();
  expect(feature("daysSincePeak", 1)).toBe(0);
  // Too large for what keeps it.
  expect(feature("g.amplitude", 2)).toBeNull();
});

test("the annex has a row for each alert with the values that filters see", async () => {
  const { alerts, annexes } = await step.run(batchOf([{ detections: [point(10, 100)] }, {}]));
  const annex = annexes![0]!;
  expect(annex.table).toBe("features");
  expect(annex.rows.rows).toBe(2);
  expect(annex.rows.columns.get("g_peakMag")).toBe(alerts.columns.get("feature.g.peakMag"));
  expect(annex.rows.columns.get("candid")).toBe(alerts.columns.get("candid"));
  expect([...annex.rows.columns.get("version")!.values]).toEqual([Number(step.version), Number(step.version)]);
});

test("operands say what the columns are", async () => {
  const { alerts } = await step.run(batchOf([{ detections: [point(10, 100)] }]));
  const { values } = featureOperands([SURVEY]).operands("ZTF");
  expect(values).toHaveLength(namedFeatures(SURVEY.bands).length);
  for (const { name, type, description } of values) {
    expect(alerts.columns.get(name)?.type).toBe(type);
    expect(description).not.toBe("");
  }
  expect(values.find(({ name }) => name === "feature.g.risingRate")?.unit).toBe("mag/d");
});

test("without histories the step fails, and its values are missing", async () => {
  const batch = batchOf([{}]);
  await expect(step.run({ ...batch, alerts: { ...batch.alerts, lists: new Map() } })).rejects.toThrow("has failed");
});
