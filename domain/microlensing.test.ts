// The fit against scipy on the same points, and the cuts against simulated events and what looks like them.
// TOCSIN_MICROLENSING_EVENTS=500 prints the figures of docs/classifiers.md.
import { describe, expect, test } from "vitest";
import { createRandom, type Random } from "../ingest/simulator/random.js";
import { python, pythonHas } from "../test/python.js";
import { fitMicrolensing, type Microlensing, magnification } from "./microlensing.js";
import type { FluxPoint } from "./shapefit.js";

const EVENTS = Number(process.env.TOCSIN_MICROLENSING_EVENTS ?? 30);

/** ZTF-like: 200 days, every third night or so in g and r; 5-sigma limits about 20.6 mag, errors of bright sources 1.5 %. */
function observe(random: Random, flux: (jd: number, band: string) => number): FluxPoint[] {
  const points: FluxPoint[] = [];
  for (let night = 0; night < 200; night += 1) {
    if (random.uniform() > 0.4) continue;
    for (const [n, band] of ["g", "r"].entries()) {
      const jd = 2460000.8 + night + random.between(-0.1, 0.1) + n * 0.03;
      const noise = 10 ** (-0.4 * (random.normal(20.6, 0.25) - 31.4)) / 5;
      const true_ = flux(jd, band);
      const fluxError = Math.hypot(noise, 0.015 * true_);
      points.push({ jd, band, flux: true_ + random.normal(0, fluxError), fluxError });
    }
  }
  return points;
}
const nanojansky = (magnitude: number) => 10 ** (-0.4 * (magnitude - 31.4));
const colour = (band: string, gr: number) => (band === "g" ? gr : 0);

interface Lens {
  readonly t0: number;
  readonly tE: number;
  readonly u0: number;
}
function lens(random: Random): { truth: Lens; points: FluxPoint[] } {
  const truth = {
    t0: 2460000 + random.between(40, 160),
    tE: 10 ** random.between(0.7, 1.6),
    u0: random.between(0.05, 0.8),
  };
  const [magnitude, gr] = [random.between(16.5, 19), random.between(0.3, 1.5)];
  const points = observe(random, (jd, band) => {
    const u = Math.hypot(truth.u0, (jd - truth.t0) / truth.tE);
    return nanojansky(magnitude + colour(band, gr)) * (magnification(u) - 1);
  });
  return { truth, points };
}

const OTHERS: Record<string, (random: Random) => FluxPoint[]> = {
  constant: (random) => observe(random, () => 0),
  supernova(random) {
    const [peak, rise] = [2460000 + random.between(20, 160), random.between(12, 20)];
    const magnitude = random.between(16.5, 19.5);
    return observe(random, (jd, band) => {
      const phase = jd - peak;
      const fall = band === "g" ? 12 : 18;
      const shape =
        phase < -rise
          ? 0
          : phase < 0
            ? (1 + phase / rise) ** 2 * (1 - (2 * phase) / rise)
            : 0.9 * Math.exp(-phase / fall) + 0.1 * Math.exp(-phase / 70);
      return shape * nanojansky(magnitude + colour(band, 0.1));
    });
  },
  "long-period variable"(random) {
    const [period, phase0] = [random.between(80, 500), random.uniform()];
    const [magnitude, amplitude] = [random.between(14, 17.5), random.between(0.5, 2.5)];
    return observe(random, (jd, band) => {
      const light = Math.sin(2 * Math.PI * (jd / period + phase0)) * (band === "g" ? 1.2 : 1);
      const mean = magnitude + colour(band, 1.5);
      return nanojansky(mean - (amplitude / 2) * light) - nanojansky(mean);
    });
  },
  "dwarf nova"(random) {
    const [every, first] = [random.between(25, 300), 2460000 + random.between(0, 150)];
    const [magnitude, length] = [random.between(15, 18.5), random.between(3, 15)];
    return observe(random, (jd, band) => {
      const since = (((jd - first) % every) + every) % every;
      const shape = since < 1 ? since : since < length ? 1 - 0.03 * since : Math.exp(-(since - length) / 1.5);
      return shape * nanojansky(magnitude + colour(band, 0));
    });
  },
  "active nucleus"(random) {
    const [scale, scatter] = [random.between(30, 300), random.between(0.1, 0.4)];
    const walk = [random.normal(0, scatter)];
    const keep = Math.exp(-1 / scale);
    for (let day = 1; day < 230; day += 1) {
      walk.push(keep * walk[day - 1]! + random.normal(0, scatter * Math.sqrt(1 - keep * keep)));
    }
    const magnitude = random.between(16.5, 19.5);
    return observe(random, (jd, band) => {
      const at = jd - 2459990;
      const day = Math.floor(at);
      const offset = walk[day]! + (at - day) * (walk[day + 1]! - walk[day]!);
      const mean = magnitude + colour(band, 0.3);
      return nanojansky(mean + offset) - nanojansky(mean);
    });
  },
};

const passed = (fit: Microlensing | null): boolean => fit !== null && fit.failedCuts.length === 0;

test("simulated events are found, with their parameters", () => {
  const random = createRandom("lenses");
  const [errors, pulls]: [number[], number[]] = [[], []];
  let [found, visible] = [0, 0];
  for (let n = 0; n < EVENTS; n += 1) {
    const { truth, points } = lens(random.stream(String(n)));
    const fit = fitMicrolensing(points)!;
    // Events of which the survey saw something: 5 points of 5 sigma.
    if (points.filter(({ flux, fluxError }) => flux > 5 * fluxError).length < 5) continue;
    visible += 1;
    if (!passed(fit)) continue;
    found += 1;
    errors.push(Math.abs(fit.t0 - truth.t0) / truth.tE);
    pulls.push((fit.t0 - truth.t0) / fit.t0Error);
  }
  const median = errors.sort((a, b) => a - b)[errors.length >> 1]!;
  const spread = Math.sqrt(pulls.reduce((sum, pull) => sum + pull * pull, 0) / pulls.length);
  console.log(
    `completeness ${found}/${visible} of ${EVENTS}, median |t0 error| ${median.toFixed(4)} tE, pull ${spread.toFixed(2)}`,
  );
  expect(found / visible).toBeGreaterThan(0.7);
  expect(median).toBeLessThan(0.02);
  expect(spread).toBeGreaterThan(0.6);
  expect(spread).toBeLessThan(1.5);
});

test.each(Object.keys(OTHERS))("%s is no event", (kind) => {
  const random = createRandom(kind);
  let false_ = 0;
  for (let n = 0; n < EVENTS; n += 1) if (passed(fitMicrolensing(OTHERS[kind]!(random.stream(String(n)))))) false_ += 1;
  console.log(`${kind}: ${false_} of ${EVENTS} pass`);
  expect(false_ / EVENTS).toBeLessThan(0.06);
});

test("too few points, bad points and points without a span have no fit or no candidate", () => {
  const point = (n: number): FluxPoint => ({ jd: 2460000 + n, band: "r", flux: n, fluxError: 1 });
  expect(fitMicrolensing(Array.from({ length: 9 }, (_, n) => point(n)))).toBeNull();
  expect(
    fitMicrolensing(Array.from({ length: 30 }, (_, n) => ({ ...point(n), fluxError: n < 25 ? 0 : 1 }))),
  ).toBeNull();
  const atOnce = fitMicrolensing(Array.from({ length: 30 }, (_, n) => ({ ...point(n), jd: 2460000 })));
  expect(atOnce!.failedCuts).toContain("peakCovered");
  expect(Number.isFinite(atOnce!.chi2)).toBe(true);
});

const SCIPY = `
import numpy as np
from scipy.optimize import least_squares
def fit(e):
    t, f, s = (np.array(e[k]) for k in ("jd", "flux", "fluxError"))
    b = np.array([{"g": 0, "r": 1}[x] for x in e["band"]])
    first = t.min()
    t = t - first
    def residuals(p):
        u = np.hypot(np.exp(p[2]), (t - p[0]) / np.exp(p[1]))
        a = (u * u + 2) / (u * np.sqrt(u * u + 4)) - 1
        return (p[3 + b] * size * a + p[5 + b] * size - f) / s
    size = np.abs(f).max()
    best = None
    for te in (5, 15, 40):
        for u0 in (0.1, 0.4, 0.8):
            start = [e["near"] - first, np.log(te), np.log(u0), 0.5, 0.5, 0, 0]
            r = least_squares(residuals, start, x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=4000)
            if best is None or r.cost < best.cost: best = r
    p = best.x
    return [p[0] + first, np.exp(p[1]), np.exp(p[2]), *(p[3:] * size), 2 * best.cost]
print(json.dumps([fit(e) for e in input]))
`;

describe.skipIf(!pythonHas("numpy", "scipy"))("against scipy.optimize.least_squares", () => {
  test("the same minimum to 1e-4", () => {
    const random = createRandom("scipy");
    const events = Array.from({ length: 24 }, (_, n) => lens(random.stream(String(n))))
      .map(({ truth, points }) => ({ truth, points, fit: fitMicrolensing(points)! }))
      // Where the source's flux is not told by the data, there is no minimum to agree on.
      .filter(({ fit }) => passed(fit) && fit.u0Error < 0.2 * fit.u0);
    expect(events.length).toBeGreaterThan(5);
    const column = (points: readonly FluxPoint[], name: keyof FluxPoint) => points.map((point) => point[name]);
    const truth = python<number[][]>(
      SCIPY,
      events.map(({ points, truth: { t0 } }) => ({
        near: t0,
        ...Object.fromEntries(
          (["jd", "band", "flux", "fluxError"] as const).map((name) => [name, column(points, name)]),
        ),
      })),
    );
    for (const [n, [t0, tE, u0, fluxG, fluxR, baseG, baseR, chi2]] of truth.entries()) {
      const { fit } = events[n]!;
      expect(Math.abs(fit.t0 - t0!)).toBeLessThan(1e-4 * tE!);
      expect(fit.tE / tE!).toBeCloseTo(1, 4);
      expect(fit.u0 / u0!).toBeCloseTo(1, 4);
      expect(fit.chi2 / chi2!).toBeCloseTo(1, 6);
      expect(fit.bands.map(({ band }) => band)).toEqual(["g", "r"]);
      expect(fit.bands[0]!.sourceFlux / fluxG!).toBeCloseTo(1, 3);
      expect(fit.bands[1]!.sourceFlux / fluxR!).toBeCloseTo(1, 3);
      const near = (value: number, expected: number) => expect(Math.abs(value - expected)).toBeLessThan(1e-3 * fluxR!);
      near(fit.bands[0]!.baseline, baseG!);
      near(fit.bands[1]!.baseline, baseR!);
    }
  });
});
