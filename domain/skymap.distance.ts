// How far away the source of a gravitational wave lies, for each pixel of a sky map: mean and standard deviation out of the
// parameters that the file holds. Called by skymap.fits.ts.
// Singer et al. 2016, ApJL 829, L15, and its supplement (ApJS 226, 10): along a line of sight the distance r has the density
// N r^2 exp(-(r - DISTMU)^2 / (2 DISTSIGMA^2)) for r > 0.

/** Of each run of cells, Mpc; NaN where the map does not tell. 32-bit floats: a map may have millions of cells. */
export interface CellDistances {
  readonly mean: Float32Array;
  /** Standard deviation. */
  readonly sigma: Float32Array;
}

const ROOT_OF_TAU = Math.sqrt(2 * Math.PI);
/** Below, what is left of the bell is so little of it that its ratios come from the other end. */
const FAR_BELOW = -2;
/** Steps from where they do not matter any more: what is unknown there shrinks by exp(-2 |z| sqrt(STEPS)). */
const STEPS = 120;
/** Above, nothing of the bell is cut off, and its factor r^2 is as good as straight. */
const FAR_ABOVE = 1e4;

/** Mean and standard deviation of the distance along a line of sight; null where the parameters tell of none. */
export function distanceMoments(mu: number, sigma: number): { mean: number; sigma: number } | null {
  if (!(sigma > 0 && Number.isFinite(sigma) && Number.isFinite(mu))) return null;
  const z = mu / sigma;
  if (z > FAR_ABOVE) return { mean: mu + (2 * sigma) / z, sigma };
  // In units of sigma: M4 / M3 and M3 / M2.
  const [fourth, third] = momentRatios(z);
  return { mean: sigma * third, sigma: sigma * Math.sqrt(third * (fourth - third)) };
}

/**
 * M4/M3 and M3/M2 of M(n) = integral of t^n exp(-(t - z)^2 / 2) over t > 0. In part M(n + 1) = z M(n) + n M(n - 1), so that
 * each ratio follows from the one before, or from the one behind where that way is the stable one.
 */
function momentRatios(z: number): [number, number] {
  if (z < FAR_BELOW) {
    let ratio = (z + Math.sqrt(z ** 2 + 4 * STEPS)) / 2;
    for (let n = STEPS - 1; n > 4; n--) ratio = n / (ratio - z);
    const fourth = 4 / (ratio - z);
    return [fourth, 3 / (fourth - z)];
  }
  const bell = Math.exp(-(z ** 2) / 2);
  const first = z + bell / (bell * oddSeries(z) + ROOT_OF_TAU / 2);
  const third = z + 2 / (z + 1 / first);
  return [z + 3 / third, third];
}

/** z + z^3/3 + z^5/15 + …: the bell's area from 0 to z over its height at z. */
function oddSeries(z: number): number {
  // The bell is nothing there, and the series has hundreds of terms.
  if (z > 12) return 0;
  let term = z;
  let sum = z;
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= z ** 2 / n;
    sum += term;
  }
  return sum;
}
