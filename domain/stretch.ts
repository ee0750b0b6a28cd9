// From pixel values to brightness: limits and stretches. Called by server/cutouts; colours are domain/colours.
/** Values shown as black and as white. */
export interface Limits {
  readonly low: number;
  readonly high: number;
}

/** What a stretch makes of a value between its limits, 0 to 1; the shapes and constants are astropy's defaults. */
interface Stretch {
  readonly limits: (pixels: Float64Array) => Limits;
  readonly curve: (x: number) => number;
}

/** The middle 99 % of the pixels: a hot pixel must not darken the rest. */
const middle = (pixels: Float64Array) => percentileLimits(pixels, 99);

export const STRETCHES = {
  linear: { limits: middle, curve: (x) => x },
  /** asinh(x / a) / asinh(1 / a), a = 0.1. */
  asinh: { limits: middle, curve: (x) => Math.asinh(x / 0.1) / Math.asinh(1 / 0.1) },
  /** log(a x + 1) / log(a + 1), a = 1000. */
  log: { limits: middle, curve: (x) => Math.log(1000 * x + 1) / Math.log(1001) },
  /** Linear between the limits of IRAF's zscale: what observers know from DS9. */
  zscale: { limits: zscaleLimits, curve: (x) => x },
} as const satisfies Record<string, Stretch>;

export type StretchName = keyof typeof STRETCHES;

const NOTHING: Limits = { low: 0, high: 0 };

/** Limits that leave out (100 - percent) / 2 percent of the finite pixels at each end, by linear interpolation. */
export function percentileLimits(pixels: Float64Array, percent: number): Limits {
  const sorted = pixels.filter(Number.isFinite).sort();
  if (sorted.length === 0) return NOTHING;
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const [a, b] = [sorted[below] as number, sorted[Math.min(below + 1, sorted.length - 1)] as number];
    return a + (b - a) * (place - below);
  };
  return { low: at((100 - percent) / 200), high: at((100 + percent) / 200) };
}

const SAMPLES = 1000;
const CONTRAST = 0.25;
const MAX_REJECT = 0.5;
const MIN_PIXELS = 5;
const REJECTION = 2.5;
const ITERATIONS = 5;

/**
 * IRAF's zscale: a straight line is fitted to the sorted sample of pixels, outliers (and their neighbours) are left out,
 * and the limits follow the line's slope around the median. Where too much is left out, the whole range is shown.
 */
export function zscaleLimits(pixels: Float64Array): Limits {
  const finite = pixels.filter(Number.isFinite);
  const stride = Math.max(1, Math.floor(finite.length / SAMPLES));
  const sample = Float64Array.from({ length: Math.min(SAMPLES, Math.ceil(finite.length / stride)) }, (_, k) => {
    return finite[k * stride] as number;
  }).sort();
  const n = sample.length;
  if (n === 0) return NOTHING;
  const range = { low: sample[0] as number, high: sample[n - 1] as number };
  const least = Math.max(MIN_PIXELS, Math.floor(n * MAX_REJECT));
  let rejected = new Uint8Array(n);
  let line = { slope: 0, intercept: 0 };
  let good = n;
  let before = n + 1;
  for (let pass = 0; pass < ITERATIONS && good < before && good >= least; pass++) {
    line = fitLine(sample, rejected);
    rejected = outliers(sample, rejected, line);
    before = good;
    good = rejected.reduce((left, bad) => left - bad, n);
  }
  if (good < least) return range;
  const median = ((sample[(n - 1) >> 1] as number) + (sample[n >> 1] as number)) / 2;
  const slope = line.slope / CONTRAST;
  const centre = (n - 1) >> 1;
  return {
    low: Math.max(range.low, median - (centre - 1) * slope),
    high: Math.min(range.high, median + (n - centre) * slope),
  };
}

interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** Least squares over the places that are not rejected, about their mean for precision. */
function fitLine(values: Float64Array, rejected: Uint8Array): Line {
  let [n, sumX, sumY] = [0, 0, 0];
  for (let k = 0; k < values.length; k++) {
    if (rejected[k]) continue;
    n++;
    sumX += k;
    sumY += values[k] as number;
  }
  const [meanX, meanY] = [sumX / n, sumY / n];
  let [xx, xy] = [0, 0];
  for (let k = 0; k < values.length; k++) {
    if (rejected[k]) continue;
    xx += (k - meanX) ** 2;
    xy += (k - meanX) * ((values[k] as number) - meanY);
  }
  const slope = xx === 0 ? 0 : xy / xx;
  return { slope, intercept: meanY - slope * meanX };
}

/** Rejected before, or beyond 2.5 standard deviations of the line; each takes 1 % of the sample around it along. */
function outliers(values: Float64Array, rejected: Uint8Array, line: Line): Uint8Array<ArrayBuffer> {
  const residuals = values.map((value, k) => value - (line.intercept + line.slope * k));
  let [n, sum, squares] = [0, 0, 0];
  for (let k = 0; k < residuals.length; k++) {
    if (rejected[k]) continue;
    n++;
    sum += residuals[k] as number;
  }
  const mean = sum / n;
  for (let k = 0; k < residuals.length; k++) if (!rejected[k]) squares += ((residuals[k] as number) - mean) ** 2;
  const threshold = REJECTION * Math.sqrt(squares / n);
  const grow = Math.max(1, Math.floor(values.length * 0.01));
  const grown = new Uint8Array(values.length);
  for (let k = 0; k < values.length; k++) {
    if (!rejected[k] && Math.abs(residuals[k] as number) <= threshold) continue;
    grown.fill(1, Math.max(0, k - ((grow - 1) >> 1)), k + (grow >> 1) + 1);
  }
  return grown;
}

/** Brightness 0 to 1 of each pixel; NaN stays NaN, infinities are the ends. An image of one value is black. */
export function stretched(pixels: Float64Array, name: StretchName): Float64Array {
  const { limits, curve } = STRETCHES[name];
  const { low, high } = limits(pixels);
  const span = high - low;
  return pixels.map((value) => {
    if (Number.isNaN(value)) return Number.NaN;
    if (!(span > 0)) return value > high ? 1 : 0;
    return curve(Math.min(1, Math.max(0, (value - low) / span)));
  });
}
