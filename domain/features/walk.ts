// Features that follow a band's fluxes from point to point in time. Called by band.ts.
import { BAND } from "./band.features.js";
import type { Points } from "./points.js";
import type { Spread } from "./spread.js";

/** Fills eta, etaE, maximumSlope, linearTrend and cusumRange; needs two points. */
export function walkFeatures(points: Points, { mean, std }: Spread, out: Float64Array, at: number): void {
  const { count, jd, flux } = points;
  if (count < 2) return;
  let steps = 0;
  let slopes = 0;
  let steepest = -1;
  for (let i = 1; i < count; i++) {
    const step = flux[i]! - flux[i - 1]!;
    const slope = Math.abs(step) / (jd[i]! - jd[i - 1]!);
    steps += step * step;
    slopes += slope * slope;
    // Two points of one time have no slope: infinite, or NaN.
    if (slope > steepest && slope < Number.POSITIVE_INFINITY) steepest = slope;
  }
  if (steepest >= 0) out[at + BAND.maximumSlope] = steepest;
  if (std > 0) {
    const span = jd[count - 1]! - jd[0]!;
    out[at + BAND.eta] = steps / ((count - 1) * std * std);
    if (slopes < Number.POSITIVE_INFINITY) {
      out[at + BAND.etaE] = (span * span * slopes) / ((count - 1) ** 3 * std * std);
    }
    let sum = 0;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      sum += flux[i]! - mean;
      if (sum < lowest) lowest = sum;
      if (sum > highest) highest = sum;
    }
    out[at + BAND.cusumRange] = (highest - lowest) / (count * std);
  }
  trend(points, mean, std > 0, out, at);
}

function trend({ count, jd, flux }: Points, mean: number, varies: boolean, out: Float64Array, at: number): void {
  const start = jd[0]!;
  let times = 0;
  for (let i = 0; i < count; i++) times += jd[i]! - start;
  const middle = times / count;
  let sxx = 0;
  let sxy = 0;
  for (let i = 0; i < count; i++) {
    const t = jd[i]! - start - middle;
    sxx += t * t;
    sxy += t * (flux[i]! - mean);
  }
  if (!(sxx > 0)) return;
  // Equal fluxes differ from their mean by rounding.
  const slope = varies ? sxy / sxx : 0;
  out[at + BAND.linearTrend] = slope;
  if (count < 3) return;
  let squares = 0;
  if (varies) for (let i = 0; i < count; i++) squares += (flux[i]! - mean - slope * (jd[i]! - start - middle)) ** 2;
  out[at + BAND.linearTrendError] = Math.sqrt(squares / (count - 2) / sxx);
}
