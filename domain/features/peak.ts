// Brightest, faintest, first and last point of a band, and the fits before and after its peak. Called by band.ts.
import { BAND } from "./band.features.js";
import type { Points } from "./points.js";

/** A rise or decay is not fitted within a shorter time, days. */
const SHORTEST_FIT = 0.01;
/** Nor where the weighted times scatter less, d^2 / mag^2. */
const LEAST_SCATTER = 1e-10;

/** Fills the features of magnitudes; `out` has NaN where nothing is written. `at`: place of the band's first value. */
export function peakFeatures(points: Points, out: Float64Array, at: number): void {
  const { count, jd, magnitude, magnitudeError } = points;
  let peak = 0;
  let faintest = 0;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (magnitude[i]! < magnitude[peak]!) peak = i;
    if (magnitude[i]! > magnitude[faintest]!) faintest = i;
    sum += magnitude[i]!;
  }
  const mean = sum / count;
  let squares = 0;
  if (faintest !== peak) for (let i = 0; i < count; i++) squares += (magnitude[i]! - mean) ** 2;
  const last = count - 1;

  out[at + BAND.peakJd] = jd[peak]!;
  out[at + BAND.peakMag] = magnitude[peak]!;
  out[at + BAND.peakMagError] = magnitudeError[peak]!;
  out[at + BAND.faintestJd] = jd[faintest]!;
  out[at + BAND.faintestMag] = magnitude[faintest]!;
  out[at + BAND.firstJd] = jd[0]!;
  out[at + BAND.firstMag] = magnitude[0]!;
  out[at + BAND.lastJd] = jd[last]!;
  out[at + BAND.lastMag] = magnitude[last]!;
  out[at + BAND.span] = jd[last]! - jd[0]!;
  out[at + BAND.meanMag] = mean;
  out[at + BAND.rmsMag] = Math.sqrt(squares / count);
  if (jd[peak]! > jd[0]!) out[at + BAND.riseToPeak] = (magnitude[peak]! - magnitude[0]!) / (jd[peak]! - jd[0]!);
  if (jd[last]! > jd[peak]!) {
    out[at + BAND.decayFromPeak] = (magnitude[last]! - magnitude[peak]!) / (jd[last]! - jd[peak]!);
  }
  fitLine(points, 0, peak, out, at + BAND.risingRate);
  fitLine(points, peak, last, out, at + BAND.fadingRate);
}

/**
 * Magnitude over time by weighted least squares, points `from` up to and with `to`: rate, its error, reduced chi squared,
 * points and span, in this order. Nothing is written where the span is at most 0.01 d, where brightest and faintest agree
 * within their errors, where an error is not above 0, or where the weighted times scatter too little.
 */
function fitLine(points: Points, from: number, to: number, out: Float64Array, at: number): void {
  const { jd, magnitude, magnitudeError } = points;
  const span = jd[to]! - jd[from]!;
  if (!(span > SHORTEST_FIT)) return;
  let brightest = from;
  let faintest = from;
  let weights = 0;
  let times = 0;
  let values = 0;
  const start = jd[from]!;
  for (let i = from; i <= to; i++) {
    const error = magnitudeError[i]!;
    if (!(error > 0)) return;
    if (magnitude[i]! < magnitude[brightest]!) brightest = i;
    if (magnitude[i]! > magnitude[faintest]!) faintest = i;
    const weight = 1 / (error * error);
    weights += weight;
    times += weight * (jd[i]! - start);
    values += weight * magnitude[i]!;
  }
  const low = magnitude[brightest]! + magnitudeError[brightest]!;
  const high = magnitude[faintest]! - magnitudeError[faintest]!;
  if (low >= high) return;
  const time = times / weights;
  const value = values / weights;
  let sxx = 0;
  let sxy = 0;
  for (let i = from; i <= to; i++) {
    const weight = 1 / (magnitudeError[i]! * magnitudeError[i]!);
    const t = jd[i]! - start - time;
    sxx += weight * t * t;
    sxy += weight * t * (magnitude[i]! - value);
  }
  if (!(sxx >= LEAST_SCATTER)) return;
  const rate = sxy / sxx;
  let chi2 = 0;
  for (let i = from; i <= to; i++) {
    const residual = magnitude[i]! - value - rate * (jd[i]! - start - time);
    chi2 += (residual / magnitudeError[i]!) ** 2;
  }
  const count = to - from + 1;
  out[at] = rate;
  out[at + 1] = 1 / Math.sqrt(sxx);
  if (count > 2) out[at + 2] = chi2 / (count - 2);
  out[at + 3] = count;
  out[at + 4] = span;
}
