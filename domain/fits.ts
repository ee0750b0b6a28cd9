// The first image of a FITS file, as cutouts are. Called by server/cutouts. Standard: FITS 4.0 (IAU FITS Working Group).
import { TocsinError } from "./errors.js";

const CARD = 80;
const BLOCK = 2880;
const MAX_HEADER_CARDS = 36 * 50;
const MAX_HDUS = 16;
/** Cutouts have some thousand pixels; this is what a full-screen image has. */
const MAX_PIXELS = 4 * 1024 * 1024;

export interface FitsImage {
  readonly width: number;
  readonly height: number;
  /** Physical values (BZERO + BSCALE x stored), BLANK as NaN. Row by row, the bottom row first: FITS counts upwards. */
  readonly pixels: Float64Array;
}

type Cards = ReadonlyMap<string, string>;

const unreadable = (why: string) => new TocsinError("UNREADABLE_IMAGE", `The cutout cannot be drawn: ${why}.`);

/** Keywords and their values as text, and where the data begin. */
function header(bytes: Uint8Array, start: number): { cards: Cards; dataStart: number } {
  const cards = new Map<string, string>();
  for (let n = 0; n < MAX_HEADER_CARDS; n++) {
    const at = start + n * CARD;
    if (at + CARD > bytes.length) throw unreadable("it ends within its header");
    const card = String.fromCharCode(...bytes.subarray(at, at + CARD));
    const keyword = card.slice(0, 8).trimEnd();
    if (keyword === "END") return { cards, dataStart: start + Math.ceil(((n + 1) * CARD) / BLOCK) * BLOCK };
    if (card[8] !== "=") continue;
    // A value ends at its comment; no keyword that is read here holds text with a slash.
    if (!cards.has(keyword)) cards.set(keyword, card.slice(9).split("/")[0]?.trim() ?? "");
  }
  throw unreadable("its header has no end");
}

function number(cards: Cards, keyword: string, fallback?: number): number {
  const text = cards.get(keyword);
  if (text === undefined && fallback !== undefined) return fallback;
  // Fortran's D exponent is legal in FITS.
  const value = text === undefined || text === "" ? Number.NaN : Number(text.replace(/d/i, "e"));
  if (!Number.isFinite(value))
    throw unreadable(`${keyword} is ${text === undefined ? "missing" : `"${text.slice(0, 30)}"`}`);
  return value;
}

function count(cards: Cards, keyword: string, most: number, fallback?: number): number {
  const value = number(cards, keyword, fallback);
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw unreadable(`${keyword} is ${value}, beyond 0 to ${most}`);
  }
  return value;
}

type Read = (view: DataView, at: number) => number;
const READERS: ReadonlyMap<number, Read> = new Map([
  [8, (view, at) => view.getUint8(at)],
  [16, (view, at) => view.getInt16(at)],
  [32, (view, at) => view.getInt32(at)],
  [-32, (view, at) => view.getFloat32(at)],
  [-64, (view, at) => view.getFloat64(at)],
]);

function pixelsOf(bytes: Uint8Array, start: number, cards: Cards, width: number, height: number): Float64Array {
  const bitpix = number(cards, "BITPIX");
  const read = READERS.get(bitpix);
  if (read === undefined) throw unreadable(`BITPIX is ${bitpix}, not one of ${[...READERS.keys()].join(", ")}`);
  const step = Math.abs(bitpix) / 8;
  if (start + width * height * step > bytes.length) throw unreadable("it ends within its pixels");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const zero = number(cards, "BZERO", 0);
  const scale = number(cards, "BSCALE", 1);
  const blank = bitpix > 0 && cards.has("BLANK") ? number(cards, "BLANK") : null;
  const pixels = new Float64Array(width * height);
  for (let k = 0; k < pixels.length; k += 1) {
    const stored = read(view, start + k * step);
    pixels[k] = stored === blank ? Number.NaN : zero + scale * stored;
  }
  return pixels;
}

/**
 * The first two-dimensional image of the file: the primary array or, where that has none, an IMAGE extension (Rubin's
 * further extensions are the errors and the PSF). Throws UNREADABLE_IMAGE.
 */
export function readFitsImage(bytes: Uint8Array): FitsImage {
  let start = 0;
  for (let hdu = 0; hdu < MAX_HDUS && start < bytes.length; hdu++) {
    const { cards, dataStart } = header(bytes, start);
    if (hdu === 0 && cards.get("SIMPLE") !== "T") throw unreadable("it is not a FITS file");
    const axes = Array.from({ length: count(cards, "NAXIS", 999) }, (_, n) =>
      count(cards, `NAXIS${n + 1}`, Number.MAX_SAFE_INTEGER),
    );
    const [width = 0, height = 0, ...others] = axes;
    const isImage = hdu === 0 || (cards.get("XTENSION") ?? "").startsWith("'IMAGE");
    if (isImage && width * height > 0 && others.every((length) => length === 1)) {
      if (width * height > MAX_PIXELS) throw unreadable(`${width} x ${height} pixels are more than ${MAX_PIXELS}`);
      return { width, height, pixels: pixelsOf(bytes, dataStart, cards, width, height) };
    }
    const elements = axes.length === 0 ? 0 : axes.reduce((product, length) => product * length, 1);
    const groups = count(cards, "GCOUNT", 1_000_000, 1);
    const dataBytes =
      (Math.abs(number(cards, "BITPIX")) / 8) * groups * (count(cards, "PCOUNT", 2 ** 40, 0) + elements);
    start = dataStart + Math.ceil(dataBytes / BLOCK) * BLOCK;
  }
  throw unreadable("it holds no image");
}
