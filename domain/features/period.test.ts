// Periods against astropy's multiband periodogram on its own grid, and the false alarm's bound of one band.
import { describe, expect, test } from "vitest";
import { python, pythonHas } from "../../test/python.js";
import { findPeriod, MAX_PERIOD_WORK, type PeriodInput, periodGrid } from "./period.js";

const rest = () => Promise.resolve();

/** A generator of its own: the same light curves in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

function variable(points: number, period: number, bands: readonly string[], seed: number): PeriodInput {
  const next = random(seed);
  const times = Array.from({ length: points }, (_, i) => 2_460_000.5 + i * 2.3 + next() * 0.4);
  const errors = times.map(() => 20 + 30 * next());
  const band = times.map((_, i) => bands[i % bands.length]!);
  const noise = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  const values = times.map((t, i) => {
    const mean = 200 * bands.indexOf(band[i]!);
    return mean + 150 * Math.sin((2 * Math.PI * t) / period) + errors[i]! * noise();
  });
  return { times, values, errors, bands: band };
}

const CASES = [
  { name: "RR Lyrae in three bands", input: variable(120, 0.5471, ["g", "r", "i"], 1), shortest: 0.2, longest: 5 },
  { name: "a long period in two", input: variable(60, 21.7, ["g", "r"], 2), shortest: 2, longest: 60 },
  { name: "one band", input: variable(40, 3.21, ["r"], 3), shortest: 1, longest: 30 },
];

describe.skipIf(!pythonHas("astropy"))("as astropy has it", () => {
  const script = `
import numpy as np
from astropy.timeseries import LombScargle, LombScargleMultiband
# The method of LombScargle takes the end of a grid of its own for the highest frequency.
from astropy.timeseries.periodograms.lombscargle._statistics import false_alarm_probability
t, y, dy = (np.array(input[key]) for key in ("times", "values", "errors"))
bands, frequency = np.array(input["bands"]), np.array(input["frequency"])
t = t - t.min()
# The model has a mean too many: next to nothing holds it to 0.
multi = LombScargleMultiband(t, y, bands, dy, nterms_base=1, nterms_band=0, reg_base=None, reg_band=1e-12)
power = multi.power(frequency, method="flexible", sb_method="chi2")
single = LombScargle(t, y, dy)
alarm = float(false_alarm_probability(input["found"], input["highest"], t, y, dy, "standard", "baluev"))
print(json.dumps({"power": power.tolist(), "alarm": alarm, "single": float(single.power(frequency[0]))}))
`;
  interface Answer {
    readonly power: readonly number[];
    readonly alarm: number;
    readonly single: number;
  }

  test.each(CASES)("$name", async ({ input, shortest, longest }) => {
    const found = (await findPeriod(input, shortest, longest, rest))!;
    const grid = Array.from({ length: 1_000 }, (_, i) => 1 / longest + (i / 1_000) * (1 / shortest - 1 / longest));
    const best = 1 / found.period;
    const near = [-1e-6, 1e-6].map((shift) => best * (1 + shift));
    const frequency = [best, ...near, ...grid];
    const answer = python<Answer>(script, { ...input, frequency, highest: 1 / shortest, found: found.power });
    expect(found.power / answer.power[0]!).toBeCloseTo(1, 6);
    // Nothing is higher: neither beside it nor anywhere else.
    expect(Math.max(...answer.power.slice(1))).toBeLessThanOrEqual(answer.power[0]! * (1 + 1e-9));
    if (found.bandCount === 1) {
      expect(found.power / answer.single).toBeCloseTo(1, 6);
      expect(found.falseAlarmProbability / answer.alarm).toBeCloseTo(1, 5);
    }
  });
});

test("a period that is there is found, and noise has none", async () => {
  for (const { input, shortest, longest } of CASES) {
    const truth = input === CASES[0]!.input ? 0.5471 : input === CASES[1]!.input ? 21.7 : 3.21;
    const found = (await findPeriod(input, shortest, longest, rest))!;
    expect(Math.abs(found.period / truth - 1)).toBeLessThan(2e-2);
    expect(found.falseAlarmProbability).toBeLessThan(1e-6);
    expect(found.pointCount).toBe(input.times.length);
  }
  const { times, errors, bands } = CASES[0]!.input;
  const next = random(9);
  const noise = { times, errors, bands, values: times.map(() => 40 * (next() + next() + next() - 1.5)) };
  expect((await findPeriod(noise, 0.2, 5, rest))!.falseAlarmProbability).toBeGreaterThan(0.01);
});

test("no period without points enough, time between them or variation", async () => {
  const few = (count: number, change: Partial<PeriodInput> = {}): PeriodInput => ({
    times: Array.from({ length: count }, (_, i) => i * 1.7),
    values: Array.from({ length: count }, (_, i) => (i * 7) % 5),
    errors: new Array(count).fill(1),
    bands: new Array(count).fill("g"),
    ...change,
  });
  expect(await findPeriod(few(0), 0.1, 10, rest)).toBeNull();
  expect(await findPeriod(few(3), 0.1, 10, rest)).toBeNull();
  expect(await findPeriod(few(9, { times: new Array(9).fill(1) }), 0.1, 10, rest)).toBeNull();
  expect(await findPeriod(few(9, { values: new Array(9).fill(3) }), 0.1, 10, rest)).toBeNull();
  expect(await findPeriod(few(9, { bands: [..."ggrriizzy"] }), 0.1, 10, rest)).not.toBeUndefined();
  expect(await findPeriod(few(9), 0.5, 10, rest)).not.toBeNull();
});

test("200 points over five years are searched with rests", async () => {
  const input = variable(200, 0.5471, ["g", "r", "i"], 5);
  const times = input.times.map((t, i) => t + i * 6.8);
  let rests = 0;
  const found = await findPeriod({ ...input, times }, 0.05, 900, async () => {
    rests += 1;
  });
  expect(found).not.toBeNull();
  expect(periodGrid({ ...input, times }, 0.05, 900) * 200).toBeLessThan(MAX_PERIOD_WORK);
  expect(rests).toBeGreaterThan(20);
});

test("a period lies within the bounds that were asked for", async () => {
  // A slow trend: what is best lies beyond the longest, and a fast one beyond the shortest.
  const slow = variable(60, 400, ["g", "r"], 8);
  for (const longest of [20, 60, 138]) {
    expect((await findPeriod(slow, 2, longest, rest))!.period).toBeLessThanOrEqual(longest * (1 + 1e-12));
  }
  const fast = variable(60, 2.99, ["g"], 9);
  expect((await findPeriod(fast, 3, 3.2, rest))!.period).toBeGreaterThanOrEqual(3 * (1 - 1e-12));
});
