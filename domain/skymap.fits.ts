// Sky maps out of FITS files: flat (NESTED and RING) and multi-order (UNIQ, PROBDENSITY). Called by server/marks.ts.
// Formats: LIGO/Virgo/KAGRA public alerts user guide; ring pixels: Górski et al. 2005, ApJ 622, 759, section 5.
import type { Column, NumberColumn } from "./columns.js";
import type { FitsCards } from "./fitstable.js";
import { HEALPIX_ORDER, nestedPixels } from "./healpix.js";
import { firstTable, longs, requireEquatorial } from "./moc.fits.js";
import { badMark, cellOfUniq } from "./moc.js";
import { type CellDistances, distanceMoments } from "./skymap.distance.js";
import { type DensityCells, levelsOf, MAX_CELLS, pixelsPerCell, type Skymap } from "./skymap.js";
import { JD_OF_MJD_ZERO, parseTime } from "./time.js";

const SLICE = 200_000;
/** Rows of a multi-order map: real ones have some 20,000. */
const MAX_UNIQS = 1_000_000;
/** Pixels of 13 mas, whose numbers are exact as doubles. */
const FINEST = 24;
/** What HEALPix calls a pixel without a value. */
const UNSEEN = -1.6375e30;

/** What the header tells of the event; null where it is silent. */
export interface SkymapHeader {
  /** OBJECT: the event's name. */
  readonly event: string | null;
  /** MJD-OBS or DATE-OBS: when it happened, JD UTC. */
  readonly jd: number | null;
  /** DISTMEAN and DISTSTD, Mpc. */
  readonly distanceMpc: number | null;
  readonly distanceErrorMpc: number | null;
}

export interface ReadSkymap extends Skymap {
  readonly header: SkymapHeader;
}

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Throws BAD_MARK, BAD_CATALOG: no FITS, no such columns, wrong order or size, not normalised. */
export async function readSkymapFits(bytes: Uint8Array, breathe: () => Promise<void> = pause): Promise<ReadSkymap> {
  const table = firstTable(bytes);
  const { cards, names } = table;
  requireEquatorial(cards);
  const pixtype = String(cards.get("PIXTYPE") ?? "HEALPIX").trim();
  if (pixtype !== "HEALPIX") throw badMark(`PIXTYPE is ${JSON.stringify(pixtype)}, not HEALPIX.`);
  const ordering = String(cards.get("ORDERING") ?? "")
    .trim()
    .toUpperCase();
  const value = ["PROBDENSITY", "PROB", "PROBABILITY"].find((name) => names.includes(name));
  if (value === undefined) {
    throw badMark(`The sky map has no column PROB or PROBDENSITY; its columns are ${names.slice(0, 10).join(", ")}.`);
  }
  const floats = (name: string) => floatsOf(table.column(name), name);
  const values = floats(value);
  await requireProbabilities(values, value, breathe);
  const isDensity = value === "PROBDENSITY";
  let cells: FileCells;
  if (ordering === "NUNIQ" || (ordering === "" && names.includes("UNIQ"))) {
    if (!names.includes("UNIQ")) throw badMark("ORDERING is NUNIQ, and there is no column UNIQ.");
    cells = await multiOrder(longs(table.column("UNIQ"), "UNIQ"), values, isDensity, breathe);
  } else if (ordering === "NESTED" || ordering === "NEST" || ordering === "RING") {
    cells = await flat(cards, values, isDensity, ordering === "RING", breathe);
  } else throw badMark(`ORDERING is ${JSON.stringify(ordering)}; a sky map's is NESTED, RING or NUNIQ.`);
  const { row, ...densities } = cells;
  const distances =
    names.includes("DISTMU") && names.includes("DISTSIGMA")
      ? { distance: await distancesOf(floats("DISTMU"), floats("DISTSIGMA"), row, breathe) }
      : {};
  return { ...(await levelsOf({ ...densities, ...distances }, breathe)), header: headerOf(cards) };
}

interface FileCells extends DensityCells {
  /** Where each stands in the file. */
  readonly row: Uint32Array;
}

async function distancesOf(
  mu: NumberColumn["values"],
  sigma: NumberColumn["values"],
  rows: Uint32Array,
  breathe: () => Promise<void>,
): Promise<CellDistances> {
  const distance = {
    mean: new Float32Array(rows.length).fill(Number.NaN),
    sigma: new Float32Array(rows.length).fill(Number.NaN),
  };
  for (const [n, row] of rows.entries()) {
    if (n % SLICE === SLICE - 1) await breathe();
    const found = isSeen(mu[row]!) && isSeen(sigma[row]!) ? distanceMoments(mu[row]!, sigma[row]!) : null;
    if (found === null) continue;
    distance.mean[n] = found.mean;
    distance.sigma[n] = found.sigma;
  }
  return distance;
}

function floatsOf(column: Column, name: string): NumberColumn["values"] {
  if (column.type === "Float64" || column.type === "Float32") return column.values as NumberColumn["values"];
  throw badMark(`The column ${name} holds ${column.type}, not floating-point numbers.`);
}

/** Before the pixels are put in order: the file's own place of what cannot be. */
async function requireProbabilities(
  values: NumberColumn["values"],
  name: string,
  breathe: () => Promise<void>,
): Promise<void> {
  for (let n = 0; n < values.length; n++) {
    if (n % SLICE === SLICE - 1) await breathe();
    const value = values[n]!;
    if (isSeen(value) && !(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw badMark(`In the sky map's ${name} value ${n + 1} is ${value}; none is below 0 or infinite.`);
    }
  }
}

const isSeen = (value: number): boolean => !Number.isNaN(value) && value !== Math.fround(UNSEEN) && value !== UNSEEN;

async function multiOrder(
  uniqs: BigInt64Array | BigUint64Array,
  values: NumberColumn["values"],
  isDensity: boolean,
  breathe: () => Promise<void>,
): Promise<FileCells> {
  if (uniqs.length > MAX_UNIQS) throw badMark(`The sky map has ${uniqs.length} cells; at most ${MAX_UNIQS} are read.`);
  const first = new Float64Array(uniqs.length);
  const orders = new Uint8Array(uniqs.length);
  let seen = 0;
  const rows = new Uint32Array(uniqs.length);
  for (let n = 0; n < uniqs.length; n++) {
    if (n % SLICE === SLICE - 1) await breathe();
    if (!isSeen(values[n]!)) continue;
    const { order, pixel } = cellOfUniq(uniqs[n]!);
    if (order > FINEST) throw badMark(`Row ${n + 1} of the sky map is of order ${order}; at most ${FINEST} is read.`);
    first[n] = Number(pixel) * 4 ** (FINEST - order);
    orders[n] = order;
    rows[seen++] = n;
  }
  const sorted = rows.subarray(0, seen).sort((a, b) => first[a]! - first[b]!);
  const start = BigUint64Array.from(sorted, (n) => BigInt(first[n]!) * pixelsPerCell(FINEST));
  return {
    start,
    end: start.map((from, k) => from + pixelsPerCell(orders[sorted[k]!]!)),
    density: Float64Array.from(sorted, (n) => densityOf(values[n]!, orders[n]!, isDensity)),
    row: sorted,
  };
}

async function flat(
  cards: FitsCards,
  values: NumberColumn["values"],
  isDensity: boolean,
  isRing: boolean,
  breathe: () => Promise<void>,
): Promise<FileCells> {
  const nside = Number(cards.get("NSIDE") ?? Math.sqrt(values.length / 12));
  const order = Math.log2(nside);
  if (!Number.isInteger(order) || order < 0 || order > HEALPIX_ORDER) {
    throw badMark(`NSIDE is ${nside}; only powers of two are read.`);
  }
  if (values.length > MAX_CELLS) throw tooMany(values.length);
  if (values.length !== 12 * nside ** 2) {
    throw badMark(`NSIDE ${nside} has ${12 * nside ** 2} pixels, and the sky map has ${values.length}.`);
  }
  /** By nested pixel. */
  const rows = new Uint32Array(values.length);
  for (let from = 0; from < values.length; from += SLICE) {
    const to = Math.min(values.length, from + SLICE);
    const pixels = isRing ? nestedOfRing(nside, order, from, to) : null;
    for (let n = from; n < to; n++) rows[pixels === null ? n : pixels[n - from]!] = n;
    await breathe();
  }
  const pixels = pixelsPerCell(order);
  let seen = 0;
  for (const value of values) if (isSeen(value)) seen++;
  const cells = {
    start: new BigUint64Array(seen),
    end: new BigUint64Array(seen),
    density: new Float64Array(seen),
    row: new Uint32Array(seen),
  };
  for (let n = 0, k = 0; n < rows.length; n++) {
    if (n % SLICE === SLICE - 1) await breathe();
    const value = values[rows[n]!]!;
    if (!isSeen(value)) continue;
    cells.start[k] = BigInt(n) * pixels;
    cells.end[k] = BigInt(n + 1) * pixels;
    cells.row[k] = rows[n]!;
    cells.density[k++] = densityOf(value, order, isDensity);
  }
  return cells;
}

/** Per steradian, of a density or of the probability of a pixel. */
const densityOf = (value: number, order: number, isDensity: boolean): number =>
  isDensity ? value : (value * 12 * 4 ** order) / (4 * Math.PI);

const tooMany = (pixels: number) =>
  badMark(`The sky map has ${pixels} pixels; at most ${MAX_CELLS} (NSIDE 1024) are read. Send the multi-order one.`);

/** Nested pixels of the ring-ordered ones [from, to): by their centres, which lie half a pixel from every border. */
function nestedOfRing(nside: number, order: number, from: number, to: number): Float64Array {
  const [ra, dec] = [new Float64Array(to - from), new Float64Array(to - from)];
  const cap = 2 * nside * (nside - 1);
  const all = 12 * nside ** 2;
  for (let n = from; n < to; n++) {
    const isSouth = n >= all - cap;
    // Counted from the pole of its own cap; the belt from the north.
    const p = isSouth ? all - 1 - n : n;
    let z: number;
    let turn: number;
    if (p < cap) {
      // Ring i has 4 i pixels, and 2 i (i - 1) come before it: whole numbers decide, not the rounding of the root.
      let i = Math.floor((1 + Math.sqrt(1 + 2 * p)) / 2);
      if (2 * i * (i - 1) > p) i--;
      if (2 * i * (i + 1) <= p) i++;
      z = 1 - i ** 2 / (3 * nside ** 2);
      turn = (p - 2 * i * (i - 1) + 0.5) / (4 * i);
    } else {
      const i = Math.floor((n - cap) / (4 * nside)) + nside;
      z = (4 * nside - 2 * i) / (3 * nside);
      const shift = (i - nside) % 2 === 0 ? 0.5 : 0;
      turn = (((n - cap) % (4 * nside)) + shift) / (4 * nside);
    }
    ra[n - from] = 360 * (isSouth ? 1 - turn : turn);
    dec[n - from] = ((isSouth ? -1 : 1) * Math.asin(z) * 180) / Math.PI;
  }
  const pixels = new BigUint64Array(to - from);
  nestedPixels(ra, dec, pixels);
  const bits = BigInt(2 * (HEALPIX_ORDER - order));
  return Float64Array.from(pixels, (pixel) => Number(pixel >> bits));
}

function headerOf(cards: FitsCards): SkymapHeader {
  const object = cards.get("OBJECT");
  const number = (keyword: string): number | null => {
    const value = cards.get(keyword);
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  };
  return {
    event: typeof object === "string" && object.trim() !== "" ? object.trim() : null,
    jd: number("MJD-OBS") === null ? dateOf(cards.get("DATE-OBS")) : number("MJD-OBS")! + JD_OF_MJD_ZERO,
    distanceMpc: number("DISTMEAN"),
    distanceErrorMpc: number("DISTSTD"),
  };
}

function dateOf(value: unknown): number | null {
  if (typeof value !== "string") return null;
  try {
    // FITS writes UTC without a zone.
    return parseTime(/(Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`);
  } catch {
    return null;
  }
}
