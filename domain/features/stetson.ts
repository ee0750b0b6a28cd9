// Stetson's indices of variability (1996, PASP 108, 851). Called by band.ts and features.ts.

/** Two points this near in time are a pair, days: exposures of one visit or of one sequence of bands. */
const PAIR_DAYS = 0.1;
/** K of Gaussian residuals. */
const GAUSSIAN_K = Math.sqrt(2 / Math.PI);

/**
 * J, K and L of scaled residuals in order of time, into out[at] to out[at + 2]. In that order a point and the next within
 * 0.1 d are a pair (P = d1 d2, weight 1), any other stands alone (P = d^2 - 1, weight 1/2). Nothing is written without
 * residuals or where all are 0.
 */
export function stetson(jd: Float64Array, delta: Float64Array, count: number, out: Float64Array, at: number): void {
  let weights = 0;
  let sum = 0;
  let sizes = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    sizes += Math.abs(delta[i]!);
    squares += delta[i]! * delta[i]!;
  }
  if (!(squares > 0)) return;
  for (let i = 0; i < count; ) {
    const paired = i + 1 < count && jd[i + 1]! - jd[i]! <= PAIR_DAYS;
    const product = paired ? delta[i]! * delta[i + 1]! : delta[i]! * delta[i]! - 1;
    const weight = paired ? 1 : 0.5;
    weights += weight;
    sum += weight * Math.sign(product) * Math.sqrt(Math.abs(product));
    i += paired ? 2 : 1;
  }
  const j = sum / weights;
  const k = sizes / count / Math.sqrt(squares / count);
  out[at] = j;
  out[at + 1] = k;
  out[at + 2] = (j * k) / GAUSSIAN_K;
}
