// Circles and polygons as regions: every position of the shape is in its cover, and a rim. Called by resolvers/area.
import { HEALPIX_ORDER, type PixelRange, pixelCentre, REACH } from "./healpix.js";
import { badMark, cellRange, type Moc, mocOfRanges } from "./moc.js";

const RADIANS = Math.PI / 180;
/** Cells on the rim at which a cover is fine enough: 0.1 to 1 % of a compact shape's width. */
const RIM_CELLS = 4_000;
const MAX_VERTICES = 200;
/** Farther from the polygon's middle no vertex may be: the middle's tangent plane must hold it. */
const MAX_REACH_DEG = 80;

type Vector = readonly [number, number, number];
interface Place {
  readonly ra: number;
  readonly dec: number;
}

function vector({ ra, dec }: Place): Vector {
  if (!Number.isFinite(ra) || !(dec >= -90 && dec <= 90)) {
    throw badMark(`ra must be a number and dec from -90 to 90 degrees, found ${ra}, ${dec}.`);
  }
  const r = Math.cos(dec * RADIANS);
  return [r * Math.cos(ra * RADIANS), r * Math.sin(ra * RADIANS), Math.sin(dec * RADIANS)];
}
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const length = (a: Vector): number => Math.hypot(...a);
const unit = (a: Vector): Vector => {
  const n = length(a);
  return [a[0] / n, a[1] / n, a[2] / n];
};
/** Radians; well-behaved at 0 and at pi. */
const angle = (a: Vector, b: Vector): number => Math.atan2(length(cross(a, b)), dot(a, b));

interface Shape {
  /** Whether the position is within the shape, and radians to its boundary, or to less than that. */
  at(place: Vector): { readonly isInside: boolean; readonly toBoundary: number };
}

/**
 * Cells are divided until those on the boundary are many. No point of a cell is farther from its centre than REACH / nside:
 * so a cell that is farther than that from the boundary lies wholly inside or wholly outside, as its centre does. Cells
 * that may touch the boundary are kept.
 */
function cover({ at }: Shape): Moc {
  const ranges: PixelRange[] = [];
  let rim: bigint[] = Array.from({ length: 12 }, (_, face) => BigInt(face));
  for (let order = 0; ; order++) {
    const reach = REACH / 2 ** order;
    const kept: bigint[] = [];
    for (const pixel of rim) {
      const { isInside, toBoundary } = at(vector(pixelCentre(pixel, order)));
      if (toBoundary <= reach) kept.push(pixel);
      else if (isInside) ranges.push(cellRange(order, pixel));
    }
    if (kept.length > RIM_CELLS || order === HEALPIX_ORDER) {
      return mocOfRanges([...ranges, ...kept.map((pixel) => cellRange(order, pixel))]);
    }
    rim = kept.flatMap((pixel) => [0n, 1n, 2n, 3n].map((child) => 4n * pixel + child));
  }
}

/** Every position within the radius (degrees, above 0 up to 180), and a rim of cells on the circle. Throws BAD_MARK. */
export function circleMoc(ra: number, dec: number, radiusDeg: number): Moc {
  if (!(radiusDeg > 0 && radiusDeg <= 180)) {
    throw badMark(`A circle's radius must be above 0 and at most 180 degrees, found ${radiusDeg}.`);
  }
  const centre = vector({ ra, dec });
  const radius = radiusDeg * RADIANS;
  return cover({
    at(place) {
      const distance = angle(centre, place);
      return { isInside: distance <= radius, toBoundary: Math.abs(distance - radius) };
    },
  });
}

/**
 * Every position within the polygon, whose sides are great circles, and a rim of cells on its sides. Its inside is where
 * its middle is seen from far away: the smaller part of the sky; sides that cross make holes (even-odd). 3 to 200
 * vertices, none farther than 80 degrees from the middle. Throws BAD_MARK.
 */
export function polygonMoc(vertices: readonly Place[]): Moc {
  if (vertices.length < 3 || vertices.length > MAX_VERTICES) {
    throw badMark(`A polygon has from 3 to ${MAX_VERTICES} vertices, found ${vertices.length}.`);
  }
  const corners = vertices.map(vector);
  const sum = corners.reduce<Vector>((a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]], [0, 0, 0]);
  const middle = unit(sum);
  if (!(length(sum) > 1e-9) || corners.some((corner) => angle(middle, corner) > MAX_REACH_DEG * RADIANS)) {
    throw badMark(`A polygon's vertices must lie within ${MAX_REACH_DEG} degrees of their middle; divide it.`);
  }
  // The tangent plane at the middle: great circles are straight lines there.
  const across = unit(cross(Math.abs(middle[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0], middle));
  const up = cross(middle, across);
  const flat = corners.map((corner) => [
    dot(corner, across) / dot(corner, middle),
    dot(corner, up) / dot(corner, middle),
  ]);
  const sides = corners.map((from, n) => {
    const to = corners[(n + 1) % corners.length]!;
    const normal = cross(from, to);
    return { from, to, normal: length(normal) < 1e-15 ? null : unit(normal) };
  });

  function isInside(place: Vector): boolean {
    const depth = dot(place, middle);
    if (depth <= 0) return false;
    const [x, y] = [dot(place, across) / depth, dot(place, up) / depth];
    let inside = false;
    for (let n = 0, before = flat.length - 1; n < flat.length; before = n++) {
      const [[x1, y1], [x2, y2]] = [flat[n]!, flat[before]!];
      if (y1! > y !== y2! > y && x < ((x2! - x1!) * (y - y1!)) / (y2! - y1!) + x1!) inside = !inside;
    }
    return inside;
  }

  function toSide(place: Vector, { from, to, normal }: (typeof sides)[number]): number {
    const toEnds = Math.min(angle(place, from), angle(place, to));
    if (normal === null) return toEnds;
    // The foot of the perpendicular lies between the ends.
    const isBeside = dot(cross(normal, from), place) >= 0 && dot(cross(to, normal), place) >= 0;
    return isBeside ? Math.asin(Math.min(1, Math.abs(dot(normal, place)))) : toEnds;
  }

  return cover({
    at: (place) => ({
      isInside: isInside(place),
      toBoundary: sides.reduce((least, side) => Math.min(least, toSide(place, side)), Number.POSITIVE_INFINITY),
    }),
  });
}
