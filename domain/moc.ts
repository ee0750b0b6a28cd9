// Regions of the sky as multi-order coverage maps (IVOA MOC 2.0, the space part): sets of order-29 nested HEALPix pixels.
// Read and made by moc.text.ts, moc.fits.ts and moc.shapes.ts; asked by ingest/enrich/marks.ts and stores/.
import { TocsinError } from "./errors.js";
import { HEALPIX_ORDER, type PixelRange } from "./healpix.js";

/** Pixels of the whole sky at order 29. */
export const SKY_PIXELS = 12n << BigInt(2 * HEALPIX_ORDER);
/** Ranges of one region: those of whole surveys at order 11 have some 100,000. */
export const MAX_RANGES = 1_000_000;

export interface Moc {
  /** Start, end, start, end … of half-open ranges, rising: no two overlap or touch, so that equal regions are equal. */
  readonly edges: BigUint64Array;
}

export const badMark = (why: string): TocsinError => new TocsinError("BAD_MARK", why);

/** Ranges in any order, which may overlap. Throws BAD_MARK where one is empty, reversed or outside the sky. */
export function mocOfRanges(ranges: Iterable<PixelRange>): Moc {
  const sorted: PixelRange[] = [];
  for (const range of ranges) {
    if (range.start < 0n || range.end <= range.start || range.end > SKY_PIXELS) {
      throw badMark(`The pixels ${range.start} to ${range.end} of order ${HEALPIX_ORDER} are no range of the sky.`);
    }
    if (sorted.length === MAX_RANGES) throw badMark(`A region may have at most ${MAX_RANGES} ranges of pixels.`);
    sorted.push(range);
  }
  sorted.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  const edges: bigint[] = [];
  for (const { start, end } of sorted) {
    const last = edges.at(-1);
    if (last === undefined || start > last) edges.push(start, end);
    else if (end > last) edges[edges.length - 1] = end;
  }
  return { edges: BigUint64Array.from(edges) };
}

/** The range of a pixel and of `count - 1` pixels after it. Throws BAD_MARK where the order has no such pixels. */
export function cellRange(order: number, pixel: bigint, count = 1n): PixelRange {
  if (!(Number.isInteger(order) && order >= 0 && order <= HEALPIX_ORDER)) {
    throw badMark(`HEALPix orders are 0 to ${HEALPIX_ORDER}, found ${order}.`);
  }
  if (pixel < 0n || count < 1n || pixel + count > 12n << BigInt(2 * order)) {
    throw badMark(
      `Order ${order} has the pixels 0 to ${(12n << BigInt(2 * order)) - 1n}, found ${pixel + count - 1n}.`,
    );
  }
  const bits = BigInt(2 * (HEALPIX_ORDER - order));
  return { start: pixel << bits, end: (pixel + count) << bits };
}

/** Order and pixel of a NUNIQ number: 4^(order + 1) + pixel. Throws BAD_MARK. */
export function cellOfUniq(uniq: bigint): { order: number; pixel: bigint } {
  // 4^(order + 1) <= uniq < 4^(order + 2).
  const order = uniq < 4n ? -1 : (uniq.toString(2).length - 3) >> 1;
  const pixel = uniq - (4n << BigInt(2 * Math.max(0, order)));
  if (order < 0 || order > HEALPIX_ORDER || pixel < 0n || pixel >= 12n << BigInt(2 * order)) {
    throw badMark(`${uniq} is no UNIQ number of a HEALPix pixel.`);
  }
  return { order, pixel };
}

/** Whether the region holds the order-29 nested pixel. */
export function mocContains({ edges }: Moc, pixel: bigint): boolean {
  return (edgesUpTo(edges, pixel) & 1) === 1;
}

/** How many rising values are not above this one. */
export function edgesUpTo(edges: BigUint64Array, pixel: bigint): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (edges[middle]! <= pixel) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const mocUnion = (a: Moc, b: Moc): Moc => combined(a, b, 1);
export const mocIntersection = (a: Moc, b: Moc): Moc => combined(a, b, 2);

/** Where at least `needed` of the two are. */
function combined(a: Moc, b: Moc, needed: 1 | 2): Moc {
  const edges: bigint[] = [];
  let inside = false;
  for (let i = 0, j = 0; i < a.edges.length || j < b.edges.length; ) {
    const next = j >= b.edges.length || (i < a.edges.length && a.edges[i]! <= b.edges[j]!) ? a.edges[i]! : b.edges[j]!;
    while (i < a.edges.length && a.edges[i]! === next) i++;
    while (j < b.edges.length && b.edges[j]! === next) j++;
    if ((i & 1) + (j & 1) >= needed !== inside) {
      inside = !inside;
      edges.push(next);
    }
  }
  return { edges: BigUint64Array.from(edges) };
}

/** Part of the sky, 0 to 1. */
export function mocFraction({ edges }: Moc): number {
  let pixels = 0n;
  for (let i = 0; i < edges.length; i += 2) pixels += edges[i + 1]! - edges[i]!;
  // Exact to the last digits of a double: 62 bits divided by 62 bits.
  return Number(pixels) / Number(SKY_PIXELS);
}

/** The largest cells that make up the region, rising: what NUNIQ and the text forms tell. */
export function* mocCells({ edges }: Moc): Generator<{ order: number; pixel: bigint }> {
  for (let i = 0; i < edges.length; i += 2) {
    let at = edges[i]!;
    const end = edges[i + 1]!;
    while (at < end) {
      let order = HEALPIX_ORDER;
      while (order > 0) {
        const bits = BigInt(2 * (HEALPIX_ORDER - order + 1));
        if ((at >> bits) << bits !== at || at + (1n << bits) > end) break;
        order--;
      }
      const bits = BigInt(2 * (HEALPIX_ORDER - order));
      yield { order, pixel: at >> bits };
      at += 1n << bits;
    }
  }
}
