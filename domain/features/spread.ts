// How the fluxes of a band are spread, whatever their order in time. Called by band.ts.
import { BAND } from "./band.features.js";
import type { Points } from "./points.js";

let sorted = new Float64Array(64);
let deviations = new Float64Array(64);

/** Mean and standard deviation (with n - 1) of fluxes; exactly 0 where all are equal, NaN for one point. */
export interface Spread {
  mean: number;
  std: number;
}

/** Fills the features of moments, percentiles and errors, and tells mean and deviation to those that follow. */
export function spreadFeatures(points: Points, out: Float64Array, at: number, spread: Spread): void {
  const { count, flux, fluxError } = points;
  if (sorted.length < count) {
    sorted = new Float64Array(count * 2);
    deviations = new Float64Array(count * 2);
  }
  let sum = 0;
  let variances = 0;
  for (let i = 0; i < count; i++) {
    sum += flux[i]!;
    variances += fluxError[i]! * fluxError[i]!;
    sorted[i] = flux[i]!;
  }
  sort(sorted, count);
  const mean = sum / count;
  const lowest = sorted[0]!;
  const highest = sorted[count - 1]!;
  let squares = 0;
  if (highest > lowest) for (let i = 0; i < count; i++) squares += (flux[i]! - mean) ** 2;
  const std = Math.sqrt(squares / (count - 1));
  spread.mean = mean;
  spread.std = std;

  out[at + BAND.meanFlux] = mean;
  out[at + BAND.std] = std;
  out[at + BAND.amplitude] = (highest - lowest) / 2;
  if (count > 1 && mean !== 0) out[at + BAND.excessVariance] = (std * std - variances / count) / (mean * mean);
  percentiles(count, out, at);
  if (std > 0) momentsOf(points, spread, out, at);
}

function percentiles(count: number, out: Float64Array, at: number): void {
  const of = (fraction: number) => percentile(sorted, count, fraction);
  const median = of(0.5);
  out[at + BAND.median] = median;
  const p5 = of(0.05);
  const p10 = of(0.1);
  const p25 = of(0.25);
  const p75 = of(0.75);
  const p90 = of(0.9);
  const p95 = of(0.95);
  out[at + BAND.percentile5] = p5;
  out[at + BAND.percentile10] = p10;
  out[at + BAND.percentile25] = p25;
  out[at + BAND.percentile75] = p75;
  out[at + BAND.percentile90] = p90;
  out[at + BAND.percentile95] = p95;
  out[at + BAND.interPercentile50] = p75 - p25;
  out[at + BAND.interPercentile80] = p90 - p10;
  out[at + BAND.interPercentile90] = p95 - p5;
  for (let i = 0; i < count; i++) deviations[i] = Math.abs(sorted[i]! - median);
  sort(deviations, count);
  out[at + BAND.mad] = percentile(deviations, count, 0.5);
}

function percentile(values: Float64Array, count: number, fraction: number): number {
  const rank = fraction * (count - 1);
  const below = Math.floor(rank);
  const value = values[below]!;
  return below + 1 < count ? value + (rank - below) * (values[below + 1]! - value) : value;
}

function momentsOf({ count: n, flux }: Points, { mean, std }: Spread, out: Float64Array, at: number): void {
  let cubes = 0;
  let fourths = 0;
  let beyond1 = 0;
  let beyond2 = 0;
  for (let i = 0; i < n; i++) {
    const difference = flux[i]! - mean;
    const z = difference / std;
    const square = z * z;
    cubes += square * z;
    fourths += square * square;
    if (Math.abs(difference) > std) beyond1 += 1;
    if (Math.abs(difference) > 2 * std) beyond2 += 1;
  }
  out[at + BAND.beyond1Std] = beyond1 / n;
  out[at + BAND.beyond2Std] = beyond2 / n;
  if (n > 2) out[at + BAND.skew] = (n / ((n - 1) * (n - 2))) * cubes;
  if (n > 3) {
    const scale = (n * (n + 1)) / ((n - 1) * (n - 2) * (n - 3));
    out[at + BAND.kurtosis] = scale * fourths - (3 * (n - 1) ** 2) / ((n - 2) * (n - 3));
  }
}

/** Bands have few points: for those insertion takes a fraction of what the built-in sort takes to begin. */
function sort(values: Float64Array, count: number): void {
  if (count > 48) {
    values.subarray(0, count).sort();
    return;
  }
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    let place = i;
    while (place > 0 && values[place - 1]! > value) {
      values[place] = values[place - 1]!;
      place -= 1;
    }
    values[place] = value;
  }
}
