// Sky maps of gravitational waves and bursts: where the source lies, as probability over HEALPix pixels. Read from FITS
// by skymap.fits.ts; its credible levels are what filters read as skymap.<name>.
import { HEALPIX_ORDER } from "./healpix.js";
import { badMark, edgesUpTo, SKY_PIXELS } from "./moc.js";
import type { CellDistances } from "./skymap.distance.js";

/** A whole sky of order 10 (NSIDE 1024), every pixel another value. */
export const MAX_CELLS = 12 * 4 ** 10;
/** The sum of probabilities may be off by so much: maps are written with 32-bit floats, some are cut. */
const NORMAL_WITHIN = 0.01;
const SLICE = 200_000;

/** Runs of order-29 nested pixels that share a density, rising. Densities per steradian need not be normalised. */
export interface DensityCells {
  readonly start: BigUint64Array;
  readonly end: BigUint64Array;
  readonly density: Float64Array;
  readonly distance?: CellDistances;
}

export interface Skymap {
  /** Rising, apart; what lies between them is not covered by the map. */
  readonly start: BigUint64Array;
  readonly end: BigUint64Array;
  /** Of each run: the probability of the smallest region by density that holds it, above 0 to 1. */
  readonly level: Float64Array;
  /** Of each run, where the map tells it. */
  readonly distance?: CellDistances;
}

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const STERADIANS = (4 * Math.PI) / Number(SKY_PIXELS);

/**
 * Credible levels, greedy by density: regions of equal density enter together. The level of a position is that of the
 * smallest such region that holds it. Throws BAD_MARK where densities are negative, cells overlap, or the sum is not 1.
 */
export async function levelsOf(cells: DensityCells, breathe: () => Promise<void> = pause): Promise<Skymap> {
  const { start, end, density, ...told } = merged(cells);
  const count = density.length;
  if (count === 0) throw badMark("The sky map has no pixels.");
  const sorted = density.slice().sort();
  await breathe();
  // Probability of the cells whose density is the same as sorted[k], at the first such k.
  const mass = new Float64Array(count);
  const rank = new Uint32Array(count);
  for (let from = 0; from < count; from += SLICE) {
    for (let n = from; n < Math.min(count, from + SLICE); n++) {
      rank[n] = firstAt(sorted, density[n]!);
      mass[rank[n]!]! += density[n]! * Number(end[n]! - start[n]!) * STERADIANS;
    }
    await breathe();
  }
  let total = 0;
  for (let k = count - 1; k >= 0; k--) {
    total += mass[k]!;
    mass[k] = total;
  }
  if (!(Math.abs(total - 1) <= NORMAL_WITHIN)) {
    throw badMark(`The sky map's probabilities add up to ${Number(total.toPrecision(6))}, not to 1.`);
  }
  await breathe();
  const level = new Float64Array(count);
  for (let n = 0; n < count; n++) level[n] = Math.min(1, mass[rank[n]!]! / total);
  return { start, end, level, ...told };
}

/** Neighbours of equal values as one: maps that were made flat for old readers have few distinct cells. */
function merged({ start, end, density, distance }: DensityCells): DensityCells {
  const [starts, ends, densities] = [start.slice(), end.slice(), density.slice()];
  const [mean, sigma] = [distance?.mean.slice(), distance?.sigma.slice()];
  const isAlike = (n: number, other: number): boolean =>
    densities[other] === density[n] &&
    (distance === undefined ||
      (Object.is(mean![other], distance.mean[n]) && Object.is(sigma![other], distance.sigma[n])));
  let count = 0;
  for (let n = 0; n < density.length; n++) {
    if (!(density[n]! >= 0 && density[n]! < Number.POSITIVE_INFINITY)) {
      throw badMark(`A density of the sky map is ${density[n]}.`);
    }
    if (n > 0 && start[n]! < end[n - 1]!) throw badMark("The sky map's pixels overlap or stand twice.");
    if (count > 0 && ends[count - 1] === start[n] && isAlike(n, count - 1)) ends[count - 1] = end[n]!;
    else {
      starts[count] = start[n]!;
      ends[count] = end[n]!;
      if (distance !== undefined) {
        mean![count] = distance.mean[n]!;
        sigma![count] = distance.sigma[n]!;
      }
      densities[count++] = density[n]!;
    }
  }
  return {
    ...{ start: starts.slice(0, count), end: ends.slice(0, count), density: densities.slice(0, count) },
    ...(distance !== undefined && { distance: { mean: mean!.slice(0, count), sigma: sigma!.slice(0, count) } }),
  };
}

/** Index of the first of the rising values that is not below this one. */
function firstAt(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The run that holds the order-29 nested pixel; null where the map does not cover it. */
export function cellAt({ start, end }: Pick<Skymap, "start" | "end">, pixel: bigint): number | null {
  const n = edgesUpTo(start, pixel) - 1;
  return n >= 0 && pixel < end[n]! ? n : null;
}

/** The smallest credible level whose region holds the order-29 nested pixel; null where the map does not cover it. */
export function credibleLevel(map: Skymap, pixel: bigint): number | null {
  const n = cellAt(map, pixel);
  return n === null ? null : map.level[n]!;
}

/** Square degrees of the region of this level: of all cells up to the first whose level reaches it. */
export function credibleArea({ start, end, level }: Skymap, of: number): number {
  // The greedy region that reaches `of` ends with the smallest level that is not below it.
  let last = Number.POSITIVE_INFINITY;
  for (const one of level) if (one >= of && one < last) last = one;
  let pixels = 0;
  for (let n = 0; n < level.length; n++) if (level[n]! <= last) pixels += Number(end[n]! - start[n]!);
  return pixels * STERADIANS * (180 / Math.PI) ** 2;
}

/** Pixels of order 29 in one of this order. */
export const pixelsPerCell = (order: number): bigint => 1n << BigInt(2 * (HEALPIX_ORDER - order));
