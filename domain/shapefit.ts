// Fits of a shape in time with a scale and an offset for each band: Levenberg-Marquardt on the shape's parameters, the scales
// and offsets solved for (variable projection, Golub & Pereyra 1973, with Kaufman's Jacobian). Called by microlensing.ts.

/** A point of a light curve; fluxes in one unit, fluxError above 0. */
export interface FluxPoint {
  readonly jd: number;
  readonly band: string;
  readonly flux: number;
  readonly fluxError: number;
}

/** Three numbers that say when, how long and how. */
export type Parameters = readonly [number, number, number];

export interface Shape {
  /** Value at a time and its derivatives by the three parameters, written to `out`: 4 numbers. */
  evaluate(parameters: Parameters, jd: number, out: Float64Array): void;
  /** Lowest and highest of each parameter. */
  readonly bounds: readonly (readonly [number, number])[];
}

export interface BandFit {
  readonly band: string;
  readonly scale: number;
  readonly offset: number;
  readonly chi2: number;
  readonly points: number;
}

export interface ShapeFit {
  readonly parameters: Parameters;
  /** 1 sigma, from the curvature at the minimum; infinite where the data do not tell. */
  readonly errors: Parameters;
  readonly bands: readonly BandFit[];
  readonly chi2: number;
}

const MAX_STEPS = 200;
/** After so many it shows which start leads lowest. */
const FIRST_STEPS = 12;
/** chi2 that changes less than this part of itself is at its minimum. */
const TOLERANCE = 1e-12;
const MAX_DAMPING = 1e12;

/** Points by band, ready to be fitted again and again. */
export interface BandPoints {
  readonly band: string;
  readonly jd: Float64Array;
  readonly flux: Float64Array;
  readonly weight: Float64Array;
}

export function byBand(points: readonly FluxPoint[]): BandPoints[] {
  const bands = [...new Set(points.map(({ band }) => band))].sort();
  return bands.map((band) => {
    const own = points.filter((point) => point.band === band);
    return {
      band,
      jd: Float64Array.from(own, ({ jd }) => jd),
      flux: Float64Array.from(own, ({ flux }) => flux),
      weight: Float64Array.from(own, ({ fluxError }) => 1 / (fluxError * fluxError)),
    };
  });
}

/** From the best of these starts to its minimum: all are looked at, three are followed for some steps, one to its end. */
export function fitShape(bands: readonly BandPoints[], shape: Shape, starts: readonly Parameters[]): ShapeFit {
  const ranked = starts
    .map((start) => ({ start, chi2: solve(bands, shape, start).chi2 }))
    .sort((a, b) => a.chi2 - b.chi2);
  const fits = ranked.slice(0, 3).map(({ start }) => descend(bands, shape, start, FIRST_STEPS));
  const best = fits.reduce((one, other) => (other.chi2 < one.chi2 ? other : one));
  return descend(bands, shape, best.parameters, MAX_STEPS);
}

function descend(bands: readonly BandPoints[], shape: Shape, start: Parameters, steps: number): ShapeFit {
  let parameters = start;
  let at = solve(bands, shape, parameters);
  let damping = 1e-3;
  for (let step = 0; step < steps && damping < MAX_DAMPING; step += 1) {
    const moved = within(shape, parameters, stepOf(at, damping));
    const next = solve(bands, shape, moved);
    if (!(next.chi2 < at.chi2)) {
      damping *= 4;
      continue;
    }
    const gain = at.chi2 - next.chi2;
    parameters = moved;
    at = next;
    damping /= 6;
    if (gain <= TOLERANCE * at.chi2) break;
  }
  return { parameters, errors: errorsOf(at.curvature), bands: at.bands, chi2: at.chi2 };
}

const within = ({ bounds }: Shape, from: Parameters, step: Parameters): Parameters =>
  from.map((value, k) => Math.min(Math.max(value + step[k]!, bounds[k]![0]), bounds[k]![1])) as unknown as Parameters;

interface Solved {
  readonly chi2: number;
  readonly bands: readonly BandFit[];
  /** J^T W J, row by row, and J^T W r of the shape's parameters. */
  readonly curvature: Float64Array;
  readonly gradient: Float64Array;
}

/** Scale and offset of each band by weighted least squares, and the derivatives that are left once these follow. */
function solve(bands: readonly BandPoints[], shape: Shape, parameters: Parameters): Solved {
  const curvature = new Float64Array(9);
  const gradient = new Float64Array(3);
  const fits = bands.map((points) => solveBand(points, shape, parameters, curvature, gradient));
  return { chi2: fits.reduce((sum, { chi2 }) => sum + chi2, 0), bands: fits, curvature, gradient };
}

function solveBand(
  { band, jd, flux, weight }: BandPoints,
  shape: Shape,
  parameters: Parameters,
  curvature: Float64Array,
  gradient: Float64Array,
): BandFit {
  const n = jd.length;
  const values = new Float64Array(n * 4);
  const means = new Float64Array(4);
  let [total, meanFlux] = [0, 0];
  for (let i = 0; i < n; i += 1) {
    const own = values.subarray(i * 4, i * 4 + 4);
    shape.evaluate(parameters, jd[i]!, own);
    for (let k = 0; k < 4; k += 1) means[k]! += weight[i]! * own[k]!;
    meanFlux += weight[i]! * flux[i]!;
    total += weight[i]!;
  }
  for (let k = 0; k < 4; k += 1) means[k]! /= total;
  meanFlux /= total;
  // Everything less its mean: the offset is solved for. `on`: overlap with the shape itself, for the scale.
  const on = new Float64Array(4);
  let fluxOn = 0;
  for (let i = 0; i < n; i += 1) {
    const value = values[i * 4]! - means[0]!;
    for (let k = 0; k < 4; k += 1) on[k]! += weight[i]! * value * (values[i * 4 + k]! - means[k]!);
    fluxOn += weight[i]! * value * (flux[i]! - meanFlux);
  }
  // A shape that is flat where the points are has no scale.
  const scale = on[0]! > 1e-12 * total ? fluxOn / on[0]! : 0;
  let chi2 = 0;
  const slope = new Float64Array(3);
  for (let i = 0; i < n; i += 1) {
    const value = values[i * 4]! - means[0]!;
    const residual = flux[i]! - meanFlux - scale * value;
    chi2 += weight[i]! * residual * residual;
    if (scale === 0) continue;
    for (let k = 0; k < 3; k += 1) {
      slope[k] = scale * (values[i * 4 + k + 1]! - means[k + 1]! - (on[k + 1]! / on[0]!) * value);
    }
    for (let k = 0; k < 3; k += 1) {
      gradient[k]! += weight[i]! * slope[k]! * residual;
      for (let l = 0; l < 3; l += 1) curvature[k * 3 + l]! += weight[i]! * slope[k]! * slope[l]!;
    }
  }
  return { band, scale, offset: meanFlux - scale * means[0]!, chi2, points: n };
}

/** (C + damping diag C) step = gradient. */
function stepOf({ curvature, gradient }: Solved, damping: number): Parameters {
  const damped = Float64Array.from(curvature);
  for (let k = 0; k < 3; k += 1) damped[k * 4]! += damping * curvature[k * 4]! + 1e-30;
  const inverse = inverted(damped);
  if (inverse === null) return [0, 0, 0];
  return [0, 1, 2].map((k) =>
    [0, 1, 2].reduce((sum, l) => sum + inverse[k * 3 + l]! * gradient[l]!, 0),
  ) as unknown as Parameters;
}

function errorsOf(curvature: Float64Array): Parameters {
  const inverse = inverted(curvature);
  const error = (k: number) => {
    const variance = inverse === null ? Number.NaN : inverse[k * 4]!;
    return variance > 0 ? Math.sqrt(variance) : Number.POSITIVE_INFINITY;
  };
  return [error(0), error(1), error(2)];
}

/** Of a 3 x 3 matrix, by cofactors, after its diagonal is scaled to 1; null where it is singular. */
function inverted(matrix: Float64Array): Float64Array | null {
  const size = [0, 4, 8].map((k) => Math.sqrt(matrix[k]!));
  if (!size.every((value) => value > 0)) return null;
  const m = matrix.map((value, k) => value / (size[Math.floor(k / 3)]! * size[k % 3]!));
  const cofactor = (r: number, c: number) => {
    const [r1, r2, c1, c2] = [(r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3];
    return m[r1 * 3 + c1]! * m[r2 * 3 + c2]! - m[r1 * 3 + c2]! * m[r2 * 3 + c1]!;
  };
  const determinant = [0, 1, 2].reduce((sum, c) => sum + m[c]! * cofactor(0, c), 0);
  if (!(Math.abs(determinant) > 1e-14)) return null;
  return m.map((_, k) => cofactor(k % 3, Math.floor(k / 3)) / determinant / (size[Math.floor(k / 3)]! * size[k % 3]!));
}
