// HEALPix, nested scheme, order 29: pixel of a position, centre of a pixel, and pixel ranges that cover a cone.
// Called by ingest/ (the healpix column) and by stores/archive (cone searches).
// Formulas: Górski et al. 2005, ApJ 622, 759. In their projection plane (here in units of pi/4, so that x = ra / 45 deg)
// the twelve base faces are diamonds of half diagonal 1, and a pixel is a diamond of half diagonal 1 / nside.
import { TocsinError } from "./errors.js";

export const HEALPIX_ORDER = 29;
const NSIDE = 2 ** HEALPIX_ORDER;
const RADIANS = Math.PI / 180;

/** Half-open range of order-29 nested pixels. */
export interface PixelRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Face and place on it of the position found last: plain numbers, so that a million positions make no garbage. */
let face = 0;
let east = 0;
let north = 0;

const index = (fraction: number): number => Math.min(NSIDE - 1, Math.max(0, Math.floor(fraction * NSIDE)));

function locate(ra: number, dec: number): void {
  let x = (ra / 45) % 8;
  if (x < 0) x += 8;
  if (x >= 8) x = 0;
  const z = Math.sin(dec * RADIANS);
  if (Math.abs(z) <= 2 / 3) {
    // Equatorial belt: both diagonals, counted in faces; their sum tells the row of faces.
    const rising = (x + 1.5 * z + 1) / 2;
    const falling = (1.5 * z + 1 - x) / 2;
    const a = Math.floor(rising);
    // Both are whole at the northern corner of a belt face only: there it belongs to the face on its right.
    const b = Math.min(Math.floor(falling), 1 - a);
    face = a + b > 0 ? -b & 3 : a + b === 0 ? (a & 3) + 4 : (a & 3) + 8;
    east = index(rising - a);
    north = index(falling - b);
    return;
  }
  // Polar caps. sigma = sqrt(3 (1 - |z|)), written so that nothing cancels at the pole.
  const quarter = Math.floor(x / 2);
  const t = x - 2 * quarter - 1;
  const sigma = Math.sqrt(6) * Math.sin(((90 - Math.abs(dec)) * RADIANS) / 2);
  face = dec > 0 ? quarter : quarter + 8;
  east = index(dec > 0 ? 1 - (sigma * (1 - t)) / 2 : (sigma * (1 + t)) / 2);
  north = index(dec > 0 ? 1 - (sigma * (1 + t)) / 2 : (sigma * (1 - t)) / 2);
}

/** Bits of a 16-bit number at the even places of a 32-bit one. */
function spread(n: number): number {
  let v = (n | (n << 8)) & 0x00ff00ff;
  v = (v | (v << 4)) & 0x0f0f0f0f;
  v = (v | (v << 2)) & 0x33333333;
  return (v | (v << 1)) & 0x55555555;
}
function gather(n: number): number {
  let v = n & 0x55555555;
  v = (v | (v >>> 1)) & 0x33333333;
  v = (v | (v >>> 2)) & 0x0f0f0f0f;
  v = (v | (v >>> 4)) & 0x00ff00ff;
  return (v | (v >>> 8)) & 0xffff;
}
const lowWord = (i: number, j: number): number => (spread(i & 0xffff) | (spread(j & 0xffff) << 1)) >>> 0;
const highWord = (f: number, i: number, j: number): number =>
  ((f << 26) | spread(i >>> 16) | (spread(j >>> 16) << 1)) >>> 0;
const combine = (f: number, i: number, j: number): bigint => (BigInt(highWord(f, i, j)) << 32n) | BigInt(lowWord(i, j));

function check(ra: number, dec: number): void {
  if (!Number.isFinite(ra)) throw new TocsinError("BAD_ARGUMENT", `Right ascension must be a number, found ${ra}.`);
  if (!(dec >= -90 && dec <= 90)) {
    throw new TocsinError("BAD_ARGUMENT", `Declination must be between -90 and 90 degrees, found ${dec}.`);
  }
}

/** Nested pixel of order 29 that holds the position (degrees; any turn of right ascension). */
export function nestedPixel(raDeg: number, decDeg: number): bigint {
  check(raDeg, decDeg);
  locate(raDeg, decDeg);
  return combine(face, east, north);
}

/** The same for arrays of equal length, without a bigint per position. */
export function nestedPixels(raDeg: Float64Array, decDeg: Float64Array, out: BigUint64Array): void {
  // Low word first: every platform that Node runs on is little-endian.
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length * 2);
  for (let k = 0; k < out.length; k++) {
    const ra = raDeg[k] ?? Number.NaN;
    const dec = decDeg[k] ?? Number.NaN;
    check(ra, dec);
    locate(ra, dec);
    words[2 * k] = lowWord(east, north);
    words[2 * k + 1] = highWord(face, east, north);
  }
}

/** sin(dec), cos(dec) and ra (radians) of the middle of a pixel. */
function middle(f: number, i: number, j: number, nside: number): { z: number; r: number; phi: number } {
  const u = (i - j) / nside;
  const v = (i + j + 1) / nside;
  const row = f >> 2;
  const corner = row === 1 ? 2 * (f & 3) : 2 * (f & 3) + 1;
  // Height over the equator of the plane: the southern corners of the rows lie at 0, -1 and -2.
  const y = v - row;
  if (Math.abs(y) <= 1) {
    const z = (2 / 3) * y;
    return { z, r: Math.sqrt((1 - z) * (1 + z)), phi: ((corner + u) * Math.PI) / 4 };
  }
  const sigma = row === 0 ? 2 - v : v;
  const s = (sigma * sigma) / 3;
  return { z: row === 0 ? 1 - s : s - 1, r: Math.sqrt(s * (2 - s)), phi: ((corner + u / sigma) * Math.PI) / 4 };
}

/** Centre of a nested pixel of the given order (0 to 29), degrees ICRS, right ascension in [0, 360). */
export function pixelCentre(pixel: bigint, order: number = HEALPIX_ORDER): { ra: number; dec: number } {
  if (!Number.isInteger(order) || order < 0 || order > HEALPIX_ORDER) {
    throw new TocsinError("BAD_ARGUMENT", `HEALPix order must be 0 to ${HEALPIX_ORDER}, found ${order}.`);
  }
  const bits = BigInt(2 * order);
  if (pixel < 0n || pixel >= 12n << bits) {
    throw new TocsinError("BAD_ARGUMENT", `Pixel ${pixel} does not exist at HEALPix order ${order}.`);
  }
  const place = pixel & ((1n << bits) - 1n);
  const low = Number(place & 0xffffffffn);
  const high = Number(place >> 32n);
  const i = gather(low) | (gather(high) << 16);
  const j = gather(low >>> 1) | (gather(high >>> 1) << 16);
  const { z, r, phi } = middle(Number(pixel >> bits), i, j, 2 ** order);
  const ra = phi / RADIANS;
  return { ra: ra < 0 ? ra + 360 : ra, dec: Math.atan2(z, r) / RADIANS };
}

/**
 * No point of a pixel is farther from its centre than this many radians / nside. Proof: walk from the centre to the
 * point on a straight line of the plane, |dx| + |dy| <= 1 / nside. On the belt a step is at most 2/sqrt(5) |dy| to the
 * north (at |z| = 2/3) and pi/4 |dx| to the east. On a cap, with c = cos(colatitude / 2) in [sqrt(5/6), 1], it is
 * 2/sqrt(6)/c |dy| to the north and at most pi/4 2c/sqrt(6) (|dx| + |dy|) to the east; the sum in quadrature is largest
 * at c = sqrt(5/6): sqrt(4/5 + 5 pi^2 / 144) = 1.06897. What is left to 1.07 is more than rounding can take.
 */
export const REACH = 1.07;

interface Cell {
  readonly face: number;
  readonly i: number;
  readonly j: number;
  readonly order: number;
  /** Wholly inside the cone: not divided any more. */
  readonly inside: boolean;
}

function merge(cells: readonly Cell[]): PixelRange[] {
  const ranges: { start: bigint; end: bigint }[] = [];
  for (const cell of cells) {
    const shift = HEALPIX_ORDER - cell.order;
    const start = combine(cell.face, cell.i << shift, cell.j << shift);
    const end = start + (1n << BigInt(2 * shift));
    const last = ranges.at(-1);
    if (last !== undefined && last.end === start) last.end = end;
    else ranges.push({ start, end });
  }
  return ranges;
}

/**
 * Ascending, merged ranges of order-29 pixels that hold every position within `radiusDeg` of the centre, and a rim
 * around it: compute the exact separation afterwards. Cells are divided until they are small beside the cone or the
 * ranges would be more than `maxRanges` (at least 12).
 */
export function coneRanges(raDeg: number, decDeg: number, radiusDeg: number, maxRanges = 96): PixelRange[] {
  check(raDeg, decDeg);
  if (!(radiusDeg >= 0 && radiusDeg <= 180)) {
    throw new TocsinError("BAD_ARGUMENT", `Radius must be between 0 and 180 degrees, found ${radiusDeg}.`);
  }
  if (!(maxRanges >= 12)) throw new TocsinError("BAD_ARGUMENT", `maxRanges must be at least 12, found ${maxRanges}.`);
  const radius = radiusDeg * RADIANS;
  const cosDec = Math.cos(decDeg * RADIANS);
  const cx = cosDec * Math.cos(raDeg * RADIANS);
  const cy = cosDec * Math.sin(raDeg * RADIANS);
  const cz = Math.sin(decDeg * RADIANS);

  const visit = (into: Cell[], f: number, i: number, j: number, order: number): void => {
    const nside = 2 ** order;
    const { z, r, phi } = middle(f, i, j, nside);
    const chord = Math.hypot(r * Math.cos(phi) - cx, r * Math.sin(phi) - cy, z - cz);
    const distance = 2 * Math.asin(Math.min(1, chord / 2));
    const reach = REACH / nside;
    if (distance > radius + reach) return;
    into.push({ face: f, i, j, order, inside: distance + reach <= radius });
  };

  let cells: Cell[] = [];
  for (let f = 0; f < 12; f++) visit(cells, f, 0, 0, 0);
  let ranges = merge(cells);
  for (let order = 1; order <= HEALPIX_ORDER; order++) {
    if (cells.every((cell) => cell.inside) || REACH / 2 ** order < radius / 48) break;
    const next: Cell[] = [];
    for (const cell of cells) {
      if (cell.inside) next.push(cell);
      else
        for (let child = 0; child < 4; child++)
          visit(next, cell.face, 2 * cell.i + (child & 1), 2 * cell.j + (child >> 1), order);
    }
    const finer = merge(next);
    if (finer.length > maxRanges) break;
    cells = next;
    ranges = finer;
  }
  return ranges;
}

/** A step of ds radians changes each of a pixel's two coordinates on its face (0 to 1) by at most this times ds. */
const STRETCH = 1.5;

/**
 * Nested pixels of the given order (0 to 16, so that they are exact as numbers) that hold every position within
 * `radiusDeg`, and a few around them: many times faster than coneRanges for a circle of few pixels. Null where the circle
 * may leave its base face: then take coneRanges.
 * Proof of STRETCH: on the belt a coordinate is (4 ra / pi +- 3/2 z + 1) / 2, its gradient at most
 * sqrt((4 / (pi cos dec))^2 + (3/2 cos dec)^2) / 2 <= 1.03; on a cap it is 1 - sqrt(6) sin(colatitude / 2) (1 +- t) / 2,
 * its gradient at most sqrt(3/2 + (sqrt(6) / pi / cos(colatitude / 2))^2) <= 1.494.
 */
export function pixelsAround(raDeg: number, decDeg: number, radiusDeg: number, order: number): number[] | null {
  check(raDeg, decDeg);
  locate(raDeg, decDeg);
  const reach = Math.ceil(STRETCH * radiusDeg * RADIANS * NSIDE) + 1;
  const [west, south] = [east - reach, north - reach];
  if (!(west >= 0 && south >= 0 && east + reach < NSIDE && north + reach < NSIDE)) return null;
  const shift = HEALPIX_ORDER - order;
  const base = face * 4 ** order;
  const pixels: number[] = [];
  for (let i = west >> shift; i <= (east + reach) >> shift; i++) {
    for (let j = south >> shift; j <= (north + reach) >> shift; j++) pixels.push(base + lowWord(i, j));
  }
  return pixels;
}
