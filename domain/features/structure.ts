// Slope of a band's structure function. Called by band.ts.
import type { Points } from "./points.js";

/** Pairs grow with the square of points: of a longer light curve the last ones count. */
const MOST_POINTS = 64;
/** Shortest lag: 2^-6 d, 22.5 minutes. Bins are octaves from there. */
const BINS_PER_DAY = 64;
const BINS = 31;
const LEAST_PAIRS = 3;
const LEAST_BINS = 3;

const variances = new Float64Array(MOST_POINTS);
const sums = new Float64Array(BINS);
const pairs = new Uint32Array(BINS);

/** d log SF / d log lag, NaN where it is not defined: 1/2 for a random walk, near 0 for white variations. */
export function structureSlope({ count, jd, flux, fluxError }: Points): number {
  sums.fill(0);
  pairs.fill(0);
  const first = Math.max(0, count - MOST_POINTS);
  for (let i = first; i < count; i++) variances[i - first] = fluxError[i]! * fluxError[i]!;
  for (let i = first; i < count; i++) {
    const time = jd[i]!;
    const value = flux[i]!;
    const variance = variances[i - first]!;
    for (let j = i + 1; j < count; j++) {
      const units = (jd[j]! - time) * BINS_PER_DAY;
      if (units < 1) continue;
      // 31 - clz32 is the floor of log2. No lag is as long as 2^31 units: 91,000 years.
      const bin = Math.min(31 - Math.clz32(units), BINS - 1);
      const difference = flux[j]! - value;
      sums[bin]! += difference * difference - variance - variances[j - first]!;
      pairs[bin]! += 1;
    }
  }
  let bins = 0;
  let x = 0;
  let y = 0;
  let xx = 0;
  let xy = 0;
  for (let bin = 0; bin < BINS; bin++) {
    if (pairs[bin]! < LEAST_PAIRS || !(sums[bin]! > 0)) continue;
    // In octaves: the slope is the same in every base.
    const value = Math.log2(sums[bin]! / pairs[bin]!) / 2;
    bins += 1;
    x += bin;
    y += value;
    xx += bin * bin;
    xy += bin * value;
  }
  if (bins < LEAST_BINS) return Number.NaN;
  return (bins * xy - x * y) / (bins * xx - x * x);
}
