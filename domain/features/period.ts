// The period of a light curve in several bands. Called by resolvers/feature, on demand.

/** Grid frequencies for each 1 / span: a peak is as wide as 1 / span. */
const OVERSAMPLING = 5;
/** Frequencies times points of one search: about a second. */
export const MAX_PERIOD_WORK = 200_000_000;
/** Points times frequencies between two rests: some milliseconds. */
const PIECE = 500_000;
/** Steps of frequency before sines are made anew: rounding has not grown to 1e-13 by then. */
const RENEWAL = 1_024;

/** Points of one light curve, in any order; the arrays are equally long. Errors are above 0. */
export interface PeriodInput {
  /** Days. */
  readonly times: readonly number[];
  /** Difference fluxes or magnitudes; each band has its own mean. */
  readonly values: readonly number[];
  readonly errors: readonly number[];
  readonly bands: readonly string[];
}

export interface Period {
  /** Days. */
  readonly period: number;
  /** 0 to 1: the fraction of chi squared about the bands' means that the sine takes away. */
  readonly power: number;
  /**
   * Chance that noise alone has a peak as high anywhere up to the highest frequency: an upper limit (Baluev 2008, MNRAS
   * 385, 1279).
   */
  readonly falseAlarmProbability: number;
  readonly pointCount: number;
  readonly bandCount: number;
}

/** Grid frequencies of a search, or 0 where there is nothing to search. */
export function periodGrid({ times }: PeriodInput, shortest: number, longest: number): number {
  const span = spanOf(times);
  return span > 0 ? Math.ceil((1 / shortest - 1 / longest) * OVERSAMPLING * span) + 1 : 0;
}

/**
 * Period between `shortest` and `longest` (days) of the highest peak of the multiband Lomb-Scargle periodogram with one
 * sine of the same amplitude and phase in all bands and a floating mean in each: VanderPlas and Ivezic 2015 (ApJ 812, 18),
 * the shared-phase model (Nbase, Nband) = (1, 0); with one band the generalised periodogram of Zechmeister and Kuerster
 * 2009. Null where there are not more points than parameters, no time between them or no variation. `rest` is awaited every
 * few milliseconds.
 */
export async function findPeriod(
  input: PeriodInput,
  shortest: number,
  longest: number,
  rest: () => Promise<unknown>,
): Promise<Period | null> {
  const model = new SharedPhase(input);
  const freedom = model.count - model.bandCount - 2;
  if (freedom <= 0 || !(model.span > 0) || !(model.chi2 > 0)) return null;
  const lowest = 1 / longest;
  const step = 1 / (OVERSAMPLING * model.span);
  const steps = periodGrid(input, shortest, longest);
  let best = 0;
  let highest = -1;
  const piece = Math.max(RENEWAL, Math.floor(PIECE / model.count));
  for (let from = 0; from < steps; from += piece) {
    const found = model.highest(lowest, step, from, Math.min(from + piece, steps));
    if (found.power > highest) {
      highest = found.power;
      best = found.frequency;
    }
    await rest();
  }
  const frequency = model.refine(Math.max(best - step, lowest), Math.min(best + step, 1 / shortest));
  const power = model.power(frequency);
  return {
    period: 1 / frequency,
    power,
    falseAlarmProbability: falseAlarm(power, model, 1 / shortest),
    pointCount: model.count,
    bandCount: model.bandCount,
  };
}

class SharedPhase {
  readonly count: number;
  readonly bandCount: number;
  readonly span: number;
  readonly chi2: number;
  /** Weighted variance of times. */
  readonly timeVariance: number;
  readonly #t: Float64Array;
  readonly #weight: Float64Array;
  /** Weight times value about the band's weighted mean. */
  readonly #product: Float64Array;
  /** Bands lie one after the other; each one's end, and the sum of its weights. */
  readonly #ends: readonly number[];
  readonly #weights: readonly number[];
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  constructor({ times, values, errors, bands }: PeriodInput) {
    const names = [...new Set(bands)];
    const order = names.flatMap((name) => bands.flatMap((band, i) => (band === name ? [i] : [])));
    const [start] = minMax(times);
    this.count = order.length;
    this.bandCount = names.length;
    this.span = spanOf(times);
    this.#t = Float64Array.from(order, (i) => times[i]! - start);
    this.#weight = Float64Array.from(order, (i) => 1 / errors[i]! ** 2);
    const value = Float64Array.from(order, (i) => values[i]!);
    this.#ends = names.map((name) => bands.filter((band) => names.indexOf(band) <= names.indexOf(name)).length);
    this.#product = new Float64Array(this.count);
    this.#cos = new Float64Array(this.count);
    this.#sin = new Float64Array(this.count);
    let chi2 = 0;
    let from = 0;
    this.#weights = this.#ends.map((end) => {
      let weights = 0;
      let sum = 0;
      for (let i = from; i < end; i++) {
        weights += this.#weight[i]!;
        sum += this.#weight[i]! * value[i]!;
      }
      for (let i = from; i < end; i++) {
        const difference = value[i]! - sum / weights;
        this.#product[i] = this.#weight[i]! * difference;
        chi2 += this.#weight[i]! * difference * difference;
      }
      from = end;
      return weights;
    });
    this.chi2 = chi2;
    this.timeVariance = weightedVariance(this.#t, this.#weight);
  }

  /** The highest grid frequency of [from, to). */
  highest(lowest: number, step: number, from: number, to: number): { frequency: number; power: number } {
    const { count } = this;
    const turnCos = this.#t.map((t) => Math.cos(2 * Math.PI * step * t));
    const turnSin = this.#t.map((t) => Math.sin(2 * Math.PI * step * t));
    const cos = this.#cos;
    const sin = this.#sin;
    let power = -1;
    let best = from;
    for (let k = from; k < to; k++) {
      if ((k - from) % RENEWAL === 0) this.#point(lowest + k * step);
      else {
        for (let i = 0; i < count; i++) {
          const c = cos[i]!;
          const s = sin[i]!;
          cos[i] = c * turnCos[i]! - s * turnSin[i]!;
          sin[i] = s * turnCos[i]! + c * turnSin[i]!;
        }
      }
      const here = this.#evaluate();
      if (here > power) {
        power = here;
        best = k;
      }
    }
    return { frequency: lowest + best * step, power };
  }

  power(frequency: number): number {
    this.#point(frequency);
    return this.#evaluate();
  }

  /** Frequency of the highest power between two, by golden section. */
  refine(low: number, high: number): number {
    const ratio = (Math.sqrt(5) - 1) / 2;
    let a = low;
    let b = high;
    for (let i = 0; i < 60; i++) {
      const left = b - ratio * (b - a);
      const right = a + ratio * (b - a);
      if (this.power(left) > this.power(right)) b = right;
      else a = left;
    }
    return (a + b) / 2;
  }

  #point(frequency: number): void {
    for (let i = 0; i < this.count; i++) {
      const phase = 2 * Math.PI * frequency * this.#t[i]!;
      this.#cos[i] = Math.cos(phase);
      this.#sin[i] = Math.sin(phase);
    }
  }

  /** Power of the sines in #cos and #sin: least squares of two amplitudes, with means taken away in each band. */
  #evaluate(): number {
    let yc = 0;
    let ys = 0;
    let cc = 0;
    let cs = 0;
    let ss = 0;
    let from = 0;
    const cos = this.#cos;
    const sin = this.#sin;
    const w = this.#weight;
    const products = this.#product;
    for (let band = 0; band < this.bandCount; band++) {
      let c = 0;
      let s = 0;
      const end = this.#ends[band]!;
      for (let i = from; i < end; i++) {
        const cosine = cos[i]!;
        const sine = sin[i]!;
        const weight = w[i]!;
        const product = products[i]!;
        yc += product * cosine;
        ys += product * sine;
        c += weight * cosine;
        s += weight * sine;
        cc += weight * cosine * cosine;
        cs += weight * cosine * sine;
        ss += weight * sine * sine;
      }
      const weights = this.#weights[band]!;
      cc -= (c * c) / weights;
      cs -= (c * s) / weights;
      ss -= (s * s) / weights;
      from = end;
    }
    const determinant = cc * ss - cs * cs;
    // Where sines of all points are the same line, as at twice the frequency of a strict cadence.
    if (!(determinant > 1e-12 * (cc + ss) ** 2)) return 0;
    return (yc * yc * ss + ys * ys * cc - 2 * yc * ys * cs) / (determinant * this.chi2);
  }
}

/** Baluev's bound for models of bands' means (the noise) and a sine more. */
function falseAlarm(power: number, model: SharedPhase, highest: number): number {
  const noise = model.count - model.bandCount;
  const sine = noise - 2;
  const single = (1 - power) ** (sine / 2);
  const width = highest * Math.sqrt(4 * Math.PI * model.timeVariance);
  const gamma = Math.sqrt(2 / noise) * Math.exp(logGamma(noise / 2) - logGamma((noise - 1) / 2));
  const rate = gamma * width * (1 - power) ** ((sine - 1) / 2) * Math.sqrt((noise * power) / 2);
  return single * Math.exp(-rate) - Math.expm1(-rate);
}

/** ln of the gamma function for x > 0: Stirling's series from 10 on, to 1e-13. */
function logGamma(x: number): number {
  if (x < 10) return logGamma(x + 1) - Math.log(x);
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - 1 / (1680 * x ** 7);
  return (x - 0.5) * Math.log(x) - x + Math.log(2 * Math.PI) / 2 + series;
}

function weightedVariance(values: Float64Array, weights: Float64Array): number {
  let total = 0;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    total += weights[i]!;
    sum += weights[i]! * values[i]!;
  }
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += weights[i]! * (values[i]! - sum / total) ** 2;
  return squares / total;
}

function minMax(values: readonly number[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function spanOf(times: readonly number[]): number {
  const [low, high] = minMax(times);
  return high - low;
}
