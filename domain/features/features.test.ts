// Every feature against Python's own values of it, on real packets' and simulated light curves.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { python, pythonHas } from "../../test/python.js";
import { SHARED } from "../../test/shared.js";
import { FeatureCalculator, namedFeatures } from "./features.js";
import { Limits, Points } from "./points.js";

const BANDS = ["g", "r", "i"];
const FEATURES = namedFeatures(BANDS);

interface Curve {
  readonly name: string;
  /** jd, band, magnitude, its error, flux, its error. */
  readonly points: readonly (readonly [number, number, number, number, number, number])[];
  readonly forced: number;
  readonly limits: readonly (readonly [number, number])[];
  readonly jd: number;
  readonly features: Readonly<Record<string, number | boolean | null>>;
}

const calculator = new FeatureCalculator(BANDS);
const points = new Points();
const limits = new Limits();

function featuresOf(curve: Curve): Map<string, number> {
  points.clear();
  limits.clear();
  for (const [jd, band, ...values] of curve.points) points.add(jd, band, ...values);
  for (const [jd, limit] of curve.limits) limits.add(jd, limit);
  const values = calculator.calculate(points, curve.forced, limits, curve.jd);
  return new Map(FEATURES.map(({ path }, place) => [path, values[place]!]));
}

const able = pythonHas("numpy", "light_curve", "fastavro");
const script = readFileSync(new URL("../../test/features.truth.py", import.meta.url), "utf8");
const folders = ["ztf/20200202", "ztf/20231012"].map((night) => `${SHARED}/data/${night}`);
const curves = able ? python<Curve[]>(script, { folders }) : [];

describe.skipIf(!able)("as numpy and light-curve have them", () => {
  test("there are light curves of all kinds, and every feature has a value in some of them", () => {
    expect(curves.length).toBeGreaterThan(60);
    const valued = new Set(
      curves.flatMap(({ features }) => Object.keys(features).filter((key) => features[key] !== null)),
    );
    expect([...valued].sort()).toEqual(FEATURES.map(({ path }) => path).sort());
  });

  test.each(curves.map((curve) => [curve.name, curve] as const))("%s", (_, curve) => {
    const found = featuresOf(curve);
    const wrong: string[] = [];
    for (const { path, feature } of FEATURES) {
      const truth = Number(curve.features[path] ?? Number.NaN);
      const value = found.get(path)!;
      const missing = Number.isNaN(truth) || Number.isNaN(value);
      // Times to a microsecond; what is a difference of fluxes to 1e-6 of them.
      const tolerance = feature.unit === "d" && truth > 2e6 ? 1e-11 : 1e-6;
      const agree = missing
        ? Number.isNaN(truth) && Number.isNaN(value)
        : Math.abs(value - truth) <= tolerance * Math.abs(truth);
      if (!agree) wrong.push(`${path}: ${value}, not ${truth}`);
    }
    expect(wrong).toEqual([]);
  });
});
