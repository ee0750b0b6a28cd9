// All features of one band. Called by features.ts.
import { BAND } from "./band.features.js";
import { peakFeatures } from "./peak.js";
import type { Points } from "./points.js";
import { type Spread, spreadFeatures } from "./spread.js";
import { stetson } from "./stetson.js";
import { structureSlope } from "./structure.js";
import { walkFeatures } from "./walk.js";

const spread: Spread = { mean: Number.NaN, std: Number.NaN };

/**
 * Values of BAND_FEATURES from place `at` on; `out` has NaN where nothing is written, which means missing. `delta` gets the
 * points' scaled residuals, NaN where the band has none (one point, or an error of 0). A band without points has only count.
 */
export function bandFeatures(points: Points, delta: Float64Array, out: Float64Array, at: number): void {
  out[at + BAND.count] = points.count;
  if (points.count === 0) return;
  peakFeatures(points, out, at);
  spreadFeatures(points, out, at, spread);
  walkFeatures(points, spread, out, at);
  weightedFeatures(points, delta, out, at);
  out[at + BAND.structureSlope] = structureSlope(points);
}

function weightedFeatures({ count, jd, flux, fluxError }: Points, delta: Float64Array, out: Float64Array, at: number) {
  delta.fill(Number.NaN, 0, count);
  let weights = 0;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    if (!(fluxError[i]! > 0)) return;
    const weight = 1 / (fluxError[i]! * fluxError[i]!);
    weights += weight;
    sum += weight * flux[i]!;
  }
  const mean = sum / weights;
  out[at + BAND.weightedMeanFlux] = mean;
  if (count < 2) return;
  const scale = Math.sqrt(count / (count - 1));
  let chi2 = 0;
  for (let i = 0; i < count; i++) {
    const residual = out[at + BAND.amplitude] === 0 ? 0 : (flux[i]! - mean) / fluxError[i]!;
    chi2 += residual * residual;
    delta[i] = scale * residual;
  }
  out[at + BAND.reducedChi2] = chi2 / (count - 1);
  stetson(jd, delta, count, out, at + BAND.stetsonJ);
}
