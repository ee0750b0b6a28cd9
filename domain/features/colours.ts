// Colours of two bands. Called by features.ts.
import { BAND } from "./band.features.js";
import { COLOUR } from "./object.features.js";
import type { Points } from "./points.js";

/** Points further apart in time tell no colour of one moment, days. */
const LARGEST_GAP = 1;

/** Values of COLOUR_FEATURES from place `at` on; `blueAt`, `redAt`: the bands' own values in `out`. */
export function colourFeatures(
  blue: Points,
  red: Points,
  out: Float64Array,
  blueAt: number,
  redAt: number,
  at: number,
): void {
  if (blue.count === 0 || red.count === 0) return;
  out[at + COLOUR.peakColour] = out[blueAt + BAND.peakMag]! - out[redAt + BAND.peakMag]!;
  out[at + COLOUR.meanColour] = out[blueAt + BAND.meanMag]! - out[redAt + BAND.meanMag]!;

  let smallest = Number.POSITIVE_INFINITY;
  let b = 0;
  let r = 0;
  let nearBlue = 0;
  let nearRed = 0;
  // Both in order of time: the earlier of the two moves on, so the pairs that can be nearest come by.
  while (b < blue.count && r < red.count) {
    const lag = blue.jd[b]! - red.jd[r]!;
    if (Math.abs(lag) <= smallest) {
      smallest = Math.abs(lag);
      nearBlue = b;
      nearRed = r;
    }
    if (lag < 0 || (lag === 0 && r + 1 === red.count)) b += 1;
    else r += 1;
  }
  if (smallest > LARGEST_GAP) return;
  out[at + COLOUR.nearestColour] = blue.magnitude[nearBlue]! - red.magnitude[nearRed]!;
  out[at + COLOUR.nearestColourJd] = (blue.jd[nearBlue]! + red.jd[nearRed]!) / 2;
  out[at + COLOUR.nearestColourGap] = smallest;
}
