// The features of light curves of one survey: which there are, and their values for one light curve at a time.
// Called by ingest/enrich/features.ts; the list also by stores/ and cli/.
import { BAND, BAND_FEATURES } from "./band.features.js";
import { bandFeatures } from "./band.js";
import { colourFeatures } from "./colours.js";
import type { Feature } from "./definition.js";
import { COLOUR_FEATURES, OBJECT, OBJECT_FEATURES } from "./object.features.js";
import { objectFeatures } from "./object.js";
import { type Limits, Points } from "./points.js";
import { stetson } from "./stetson.js";

/** A feature of one band, of one colour or of the whole light curve. */
export interface NamedFeature {
  /** As filters write it after `feature.`: peakMag, g.peakMag, gr.meanColour. */
  readonly path: string;
  /** Band or pair of bands; null over all bands. */
  readonly scope: string | null;
  readonly feature: Feature;
}

/** Version of all that this folder makes: it grows by one whenever any value may change. */
export const FEATURES_VERSION = 1;
/** The step by which batches keep that version. */
export const FEATURES_STEP = "features";

/** Column of the archive's table of features. */
export const featureColumnName = (path: string): string => path.replace(".", "_");

/** Neighbours of a list of bands in order of wavelength: [[0, 1], [1, 2]] of g, r, i. */
const colourPairs = (bands: readonly string[]): readonly (readonly [number, number])[] =>
  bands.slice(1).map((_, i) => [i, i + 1] as const);

/** Every feature of a survey with these bands (in order of wavelength), in the order of FeatureCalculator's values. */
export function namedFeatures(bands: readonly string[]): NamedFeature[] {
  const scoped = (scope: string, list: readonly Feature[]) =>
    list.map((feature) => ({ path: `${scope}.${feature.name}`, scope, feature }));
  return [
    ...OBJECT_FEATURES.map((feature) => ({ path: feature.name, scope: null, feature })),
    ...bands.flatMap((band) => scoped(band, BAND_FEATURES)),
    ...colourPairs(bands).flatMap(([blue, red]) => scoped(`${bands[blue]}${bands[red]}`, COLOUR_FEATURES)),
  ];
}

/** Makes values for one light curve after the other, in arrays of its own. */
export class FeatureCalculator {
  /** Values of namedFeatures(), NaN where missing; a band as its index, stationary as 0 or 1. */
  readonly values: Float64Array;
  readonly #bands: readonly Points[];
  readonly #pairs: readonly (readonly [number, number])[];
  #delta = new Float64Array(64);
  #residuals = new Float64Array(64);
  #times = new Float64Array(64);

  constructor(bands: readonly string[]) {
    this.#bands = bands.map(() => new Points());
    this.#pairs = colourPairs(bands);
    this.values = new Float64Array(namedFeatures(bands).length);
  }

  /**
   * `points` in order of time, one for each time and band; `forced` of them are forced photometry. `limits` and points are
   * not later than `jd`, the time of the alert.
   */
  calculate(points: Points, forced: number, limits: Limits, jd: number): Float64Array {
    const { values } = this;
    values.fill(Number.NaN);
    if (this.#delta.length < points.count) {
      this.#delta = new Float64Array(points.count * 2);
      this.#residuals = new Float64Array(points.count * 2);
      this.#times = new Float64Array(points.count * 2);
    }
    for (const band of this.#bands) band.clear();
    for (let i = 0; i < points.count; i++) this.#bands[points.band[i]!]!.take(points, i);
    objectFeatures(points, forced, limits, jd, values);
    this.#residuals.fill(Number.NaN, 0, points.count);
    let at = OBJECT_FEATURES.length;
    let chi2 = 0;
    let freedom = 0;
    for (let band = 0; band < this.#bands.length; band++) {
      const own = this.#bands[band]!;
      bandFeatures(own, this.#delta, values, at);
      const reduced = values[at + BAND.reducedChi2]!;
      if (!Number.isNaN(reduced)) {
        chi2 += reduced * (own.count - 1);
        freedom += own.count - 1;
        this.#spreadOut(points, band);
      }
      at += BAND_FEATURES.length;
    }
    if (freedom > 0) {
      values[OBJECT.reducedChi2] = chi2 / freedom;
      this.#stetson(points);
    }
    this.#colours(at);
    return values;
  }

  /** A band's residuals at the places of its points in the whole. */
  #spreadOut(points: Points, band: number): void {
    let next = 0;
    for (let i = 0; i < points.count; i++) {
      if (points.band[i] === band) this.#residuals[i] = this.#delta[next++]!;
    }
  }

  #stetson(points: Points): void {
    let count = 0;
    for (let i = 0; i < points.count; i++) {
      if (Number.isNaN(this.#residuals[i]!)) continue;
      this.#times[count] = points.jd[i]!;
      this.#residuals[count] = this.#residuals[i]!;
      count += 1;
    }
    stetson(this.#times, this.#residuals, count, this.values, OBJECT.stetsonJ);
  }

  #colours(from: number): void {
    const bandAt = (band: number) => OBJECT_FEATURES.length + band * BAND_FEATURES.length;
    let at = from;
    for (const [blue, red] of this.#pairs) {
      colourFeatures(this.#bands[blue]!, this.#bands[red]!, this.values, bandAt(blue), bandAt(red), at);
      at += COLOUR_FEATURES.length;
    }
  }
}
