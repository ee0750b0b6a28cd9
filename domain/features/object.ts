// The features of a light curve over all bands. Called by features.ts.
import { OBJECT } from "./object.features.js";
import type { Limits, Points } from "./points.js";

/** What lasts longer than this at one place does not move, days. */
const MOVING_DAYS = 0.01;

/**
 * Values of OBJECT_FEATURES from place 0 on, but for Stetson's and reducedChi2: those need what bandFeatures() found.
 * A band is told by its index. `jd`: time of the alert. Without points the limits' values only.
 */
export function objectFeatures(points: Points, forced: number, limits: Limits, jd: number, out: Float64Array): void {
  const { count } = points;
  out[OBJECT.count] = count;
  out[OBJECT.forcedCount] = forced;
  out[OBJECT.detectionCount] = count - forced;
  const first = count === 0 ? Number.NaN : points.jd[0]!;
  limitFeatures(limits, first, out);
  if (count === 0) return;

  let peak = 0;
  let faintest = 0;
  let positive = 0;
  for (let i = 0; i < count; i++) {
    if (points.magnitude[i]! < points.magnitude[peak]!) peak = i;
    if (points.magnitude[i]! > points.magnitude[faintest]!) faintest = i;
    if (points.flux[i]! > 0) positive += 1;
  }
  const last = points.jd[count - 1]!;
  out[OBJECT.positiveFraction] = positive / count;
  out[OBJECT.peakJd] = points.jd[peak]!;
  out[OBJECT.peakMag] = points.magnitude[peak]!;
  out[OBJECT.peakMagError] = points.magnitudeError[peak]!;
  out[OBJECT.peakBand] = points.band[peak]!;
  out[OBJECT.faintestJd] = points.jd[faintest]!;
  out[OBJECT.faintestMag] = points.magnitude[faintest]!;
  out[OBJECT.faintestMagError] = points.magnitudeError[faintest]!;
  out[OBJECT.faintestBand] = points.band[faintest]!;
  out[OBJECT.firstJd] = first;
  out[OBJECT.lastJd] = last;
  out[OBJECT.stationary] = last - first > MOVING_DAYS ? 1 : 0;
  out[OBJECT.age] = jd - first;
  out[OBJECT.daysSincePeak] = jd - points.jd[peak]!;
  out[OBJECT.daysToPeak] = points.jd[peak]! - first;
}

function limitFeatures({ count, jd, magnitude }: Limits, first: number, out: Float64Array): void {
  let before = 0;
  let last = -1;
  let deepest = -1;
  for (let i = 0; i < count; i++) {
    if (deepest < 0 || magnitude[i]! > magnitude[deepest]!) deepest = i;
    if (!(jd[i]! < first)) continue;
    before += 1;
    const latest = last < 0 || jd[i]! > jd[last]!;
    // Of two bands' limits of one time the deeper one says more.
    if (latest || (jd[i] === jd[last] && magnitude[i]! > magnitude[last]!)) last = i;
  }
  out[OBJECT.nonDetectionCount] = count;
  out[OBJECT.nonDetectionsBefore] = before;
  if (deepest >= 0) out[OBJECT.deepestLimit] = magnitude[deepest]!;
  if (last < 0) return;
  out[OBJECT.lastNonDetectionJd] = jd[last]!;
  out[OBJECT.lastNonDetectionLimit] = magnitude[last]!;
  out[OBJECT.timeToNonDetection] = first - jd[last]!;
}
