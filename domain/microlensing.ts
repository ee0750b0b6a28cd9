// Is a light curve a microlensing event? A fit of a point lens to difference fluxes of all bands, and the cuts that tell it
// from what else brightens. Called by resolvers/score and ingest/enrich/microlensing.ts.
// Formulas: Paczynski 1986, ApJ 304, 1. The asymmetric rival: Bazin et al. 2009, A&A 499, 653.
import { type BandFit, byBand, type FluxPoint, fitShape, type Parameters, type Shape } from "./shapefit.js";

const MIN_POINTS = 10;
/** Of longer light curves the latest: a fit takes milliseconds a hundred points. */
const MAX_POINTS = 1_000;

export interface MicrolensingBand {
  readonly band: string;
  /** Flux of the lensed source, in the unit of the points. */
  readonly sourceFlux: number;
  /** Difference flux far from the event: minus the source's flux where the reference shows no event, and what is blended. */
  readonly baseline: number;
  readonly chi2: number;
  readonly points: number;
}

export interface Microlensing {
  /** Time of the closest approach, JD. */
  readonly t0: number;
  readonly t0Error: number;
  /** Einstein crossing time, d. */
  readonly tE: number;
  readonly tEError: number;
  /** Closest approach in Einstein radii. */
  readonly u0: number;
  readonly u0Error: number;
  readonly bands: readonly MicrolensingBand[];
  readonly points: number;
  readonly chi2: number;
  readonly degreesOfFreedom: number;
  /** Of a constant flux in each band. */
  readonly chi2Constant: number;
  /** Of a brightening that rises and decays each at its own rate, with as many parameters. */
  readonly chi2Asymmetric: number;
  /** Names of the cuts that it does not pass; empty: a candidate. */
  readonly failedCuts: readonly MicrolensingCut[];
}

/** What a candidate must have, in the order in which failures are told. */
export const MICROLENSING_CUTS = {
  significant: "chi2 per degree of freedom falls by 5 and more against a constant, and to below 3.",
  brightens:
    "The source's flux is above 0 in each band with 4 points, and the closest approach within 1.2 Einstein radii.",
  timescale: "tE is from 1 to 300 d and known to better than itself.",
  peakCovered: "2 points and more, 3 sigma above the baseline, on either side of t0, at most 3 tE away.",
  baselineCovered: "5 points and more where less than a tenth of the greatest magnification is left.",
  symmetric: "The fit is better than one that rises and decays at rates of their own.",
  achromatic: "chi2 per point is below 3 in each band with 4 points: the same magnification in all.",
  quiet: "chi2 per point is below 2.5 away from the peak: one peak, and no variable star.",
} as const;
export type MicrolensingCut = keyof typeof MICROLENSING_CUTS;

/** By so much chi2 per degree of freedom falls, at least, against a constant. */
const SIGNIFICANT = 5;
const LOG_TE = [Math.log(0.5), Math.log(500)] as const;
const LOG_U0 = [Math.log(0.001), Math.log(3)] as const;

/** Magnification of a point source by a point lens at a distance of u Einstein radii. */
export const magnification = (u: number): number => (u * u + 2) / (u * Math.sqrt(u * u + 4));

/** Parameters: t0, ln tE, ln u0. */
const paczynski = (bounds: readonly [number, number]): Shape => ({
  bounds: [bounds, LOG_TE, LOG_U0],
  evaluate([t0, logTE, logU0], jd, out) {
    const [tE, u0] = [Math.exp(logTE), Math.exp(logU0)];
    const tau = (jd - t0) / tE;
    const u2 = u0 * u0 + tau * tau;
    const u = Math.sqrt(u2);
    // dA/du = -8 / (u^2 (u^2 + 4)^1.5); here already divided by u.
    const slope = -8 / (u2 * u * (u2 + 4) ** 1.5);
    out[0] = (u2 + 2) / (u * Math.sqrt(u2 + 4));
    out[1] = (-slope * tau) / tE;
    out[2] = -slope * tau * tau;
    out[3] = slope * u0 * u0;
  },
});

/** exp(-dt / fall) / (1 + exp(-dt / rise)). Parameters: t, ln fall, ln rise. */
const asymmetric = (bounds: readonly [number, number]): Shape => ({
  bounds: [bounds, [Math.log(0.3), Math.log(500)], [Math.log(0.1), Math.log(300)]],
  evaluate([t, logFall, logRise], jd, out) {
    const [fall, rise] = [Math.exp(logFall), Math.exp(logRise)];
    const dt = jd - t;
    // As exponents, so that nothing overflows far before the peak.
    const x = -dt / rise;
    const softplus = x > 30 ? x : Math.log1p(Math.exp(x));
    const sigmoid = 1 / (1 + Math.exp(-x));
    const value = Math.exp(Math.min(-dt / fall - softplus, 300));
    out[0] = value;
    out[1] = value * (1 / fall - sigmoid / rise);
    out[2] = (value * dt) / fall;
    out[3] = -(value * sigmoid * dt) / rise;
  },
});

/** A forced point and a detection this near in time are of one image. */
const SAME_IMAGE_DAYS = 1e-4;

/** All measured points, each image once: by its forced photometry, where there is some. */
export function pointsOfImages(detections: readonly FluxPoint[], forced: readonly FluxPoint[]): FluxPoint[] {
  const image = (band: string, n: number) => `${band} ${n}`;
  const slot = (jd: number) => Math.round(jd / SAME_IMAGE_DAYS);
  const measured = forced.filter(isMeasured);
  const images = new Set(measured.flatMap(({ band, jd }) => [-1, 0, 1].map((n) => image(band, slot(jd) + n))));
  const others = detections.filter((point) => isMeasured(point) && !images.has(image(point.band, slot(point.jd))));
  return [...measured, ...others];
}

const isMeasured = ({ flux, fluxError }: FluxPoint): boolean => !Number.isNaN(flux) && !Number.isNaN(fluxError);

/** The points that are fitted, in order of time, and their degrees of freedom; null where they are too few. */
function fitted(all: readonly FluxPoint[]) {
  const usable = all.filter(({ jd, flux, fluxError }) => [jd, flux, fluxError].every(Number.isFinite) && fluxError > 0);
  const points = [...usable].sort((a, b) => a.jd - b.jd).slice(-MAX_POINTS);
  const bands = byBand(points);
  const degreesOfFreedom = points.length - 3 - 2 * bands.length;
  return points.length < MIN_POINTS || degreesOfFreedom < 1 ? null : { points, bands, degreesOfFreedom };
}

/** Cheap: whether the light varies enough for a candidate. Where not, the fit would fail the cut `significant`. */
export function isWorthFitting(all: readonly FluxPoint[]): boolean {
  if (all.length < MIN_POINTS) return false;
  const found = fitted(all);
  if (found === null) return false;
  const { points, bands } = found;
  return bands.reduce((sum, band) => sum + constantChi2(band), 0) / (points.length - bands.length) > SIGNIFICANT;
}

/** null where there are fewer than 10 points, or fewer points than parameters. Points in any order. */
export function fitMicrolensing(all: readonly FluxPoint[]): Microlensing | null {
  const used = fitted(all);
  if (used === null) return null;
  const { points, bands, degreesOfFreedom } = used;
  const [first, last] = [points[0]!.jd, points.at(-1)!.jd];
  const span = last - first;
  // Times from the first point: a JD has not the digits for steps of a fit.
  const shifted = bands.map((band) => ({ ...band, jd: band.jd.map((jd) => jd - first) }));
  const range = [-span / 2 - 10, span * 1.5 + 10] as const;
  const peaks = brightest(points).map((jd) => jd - first);
  const fit = fitShape(shifted, paczynski(range), startsOf(peaks, [2, 6, 18, 50, 140], [0.05, 0.3, 0.9]));
  const rival = fitShape(shifted, asymmetric(range), startsOf(peaks, [1, 5, 20, 60], [0.3, 2, 8, 25]));
  const [t0, logTE, logU0] = fit.parameters;
  const [tE, u0] = [Math.exp(logTE), Math.exp(logU0)];
  const found = {
    t0: t0 + first,
    t0Error: fit.errors[0],
    tE,
    tEError: fit.errors[1] * tE,
    u0,
    u0Error: fit.errors[2] * u0,
    bands: fit.bands.map(({ scale, offset, ...band }) => ({
      ...band,
      sourceFlux: scale,
      // The magnification far from the event is 1, not 0.
      baseline: offset + scale,
    })),
    points: points.length,
    chi2: fit.chi2,
    degreesOfFreedom,
    chi2Constant: bands.reduce((sum, band) => sum + constantChi2(band), 0),
    chi2Asymmetric: rival.chi2,
  };
  return { ...found, failedCuts: failedCuts(found, points, fit.bands) };
}

/** Times of the points that stand out most above their band's median. */
function brightest(points: readonly FluxPoint[]): number[] {
  const medians = new Map(byBand(points).map(({ band, flux }) => [band, median(flux)]));
  const excess = ({ band, flux, fluxError }: FluxPoint) => (flux - medians.get(band)!) / fluxError;
  const highest = [...points].sort((a, b) => excess(b) - excess(a)).slice(0, 5);
  // One bad point must not be the only start.
  return [highest[0]!.jd, median(Float64Array.from(highest, ({ jd }) => jd)), highest[2]!.jd];
}

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const startsOf = (times: readonly number[], second: readonly number[], third: readonly number[]): Parameters[] =>
  times.flatMap((time) =>
    second.flatMap((two) => third.map((three): Parameters => [time, Math.log(two), Math.log(three)])),
  );

function constantChi2({ flux, weight }: { flux: Float64Array; weight: Float64Array }): number {
  const total = weight.reduce((sum, w) => sum + w, 0);
  const mean = flux.reduce((sum, f, i) => sum + f * weight[i]!, 0) / total;
  return flux.reduce((sum, f, i) => sum + weight[i]! * (f - mean) ** 2, 0);
}

type Found = Omit<Microlensing, "failedCuts">;

function failedCuts(found: Found, points: readonly FluxPoint[], fits: readonly BandFit[]): MicrolensingCut[] {
  const { t0, tE, u0, tEError, chi2, degreesOfFreedom, bands } = found;
  const byName = new Map(fits.map((fit) => [fit.band, fit]));
  const judged = points.map(({ jd, band, flux, fluxError }) => {
    const { scale, offset } = byName.get(band)!;
    const excess = magnification(Math.hypot(u0, (jd - t0) / tE)) - 1;
    return {
      side: jd < t0 ? "before" : "after",
      near: Math.abs(jd - t0) <= 3 * tE,
      high: (flux - offset - scale) / fluxError > 3,
      off: excess < 0.1 * (magnification(u0) - 1),
      chi2: ((flux - offset - scale * (1 + excess)) / fluxError) ** 2,
    };
  });
  const high = judged.filter((point) => point.near && point.high);
  const away = judged.filter((point) => point.off);
  const awayChi2 = away.reduce((sum, point) => sum + point.chi2, 0);
  const main = bands.filter((band) => band.points >= 4);
  const reduced = chi2 / degreesOfFreedom;
  const passes: Record<MicrolensingCut, boolean> = {
    significant: found.chi2Constant / (found.points - bands.length) - reduced > SIGNIFICANT && reduced < 3,
    brightens: main.length > 0 && main.every(({ sourceFlux }) => sourceFlux > 0) && u0 < 1.2,
    timescale: tE >= 1 && tE <= 300 && tEError < tE,
    peakCovered: ["before", "after"].every((side) => high.filter((point) => point.side === side).length >= 2),
    baselineCovered: away.length >= 5,
    symmetric: chi2 < found.chi2Asymmetric,
    achromatic: main.every((band) => band.chi2 / band.points < 3),
    quiet: awayChi2 <= 2.5 * away.length,
  };
  return (Object.keys(MICROLENSING_CUTS) as MicrolensingCut[]).filter((cut) => !passes[cut]);
}
