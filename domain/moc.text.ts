// Regions as text: the MOC string "3/1 3-5 4/20" and the JSON form {"3": [1, 3, 4, 5], "4": [20]}. Called by resolvers/ and
// server/. Standard: IVOA MOC 2.0, section 4.3.
import { HEALPIX_ORDER, type PixelRange } from "./healpix.js";
import { badMark, cellRange, MAX_RANGES, type Moc, mocCells, mocOfRanges } from "./moc.js";

/** What a text may have: 16 characters a range of the largest region. */
const MAX_MOC_TEXT = 16 * MAX_RANGES;

/** Either form, told apart by its first character. Throws BAD_MARK naming the place. An order without pixels is legal. */
export function parseMoc(text: string): Moc {
  if (text.length > MAX_MOC_TEXT) throw badMark(`A region's text may have ${MAX_MOC_TEXT} characters.`);
  const trimmed = text.trim();
  return mocOfRanges(trimmed.startsWith("{") ? rangesOfJson(trimmed) : rangesOfString(trimmed));
}

function* rangesOfString(text: string): Generator<PixelRange> {
  // "s" before the first order says that it is of space, which all of ours are.
  const words = text.replace(/^s(?=\d)/, "").split(/[\s,]+/);
  let order: number | null = null;
  for (const word of words) {
    if (word === "") continue;
    const parts = /^(?:(\d{1,2})\/)?(?:(\d{1,19})(?:-(\d{1,19}))?)?$/.exec(word);
    if (parts === null || (parts[1] === undefined && order === null)) {
      throw badMark(`${JSON.stringify(word.slice(0, 40))} is no part of a MOC: write order/pixel or order/first-last.`);
    }
    if (parts[1] !== undefined) {
      order = Number(parts[1]);
      if (order > HEALPIX_ORDER) throw badMark(`HEALPix orders are 0 to ${HEALPIX_ORDER}, found ${order}.`);
    }
    if (parts[2] === undefined) continue;
    const first = BigInt(parts[2]);
    const last = parts[3] === undefined ? first : BigInt(parts[3]);
    if (last < first) throw badMark(`The pixels ${first}-${last} of order ${order} run backwards.`);
    yield cellRange(order!, first, last - first + 1n);
  }
}

function* rangesOfJson(text: string): Generator<PixelRange> {
  let body: unknown;
  try {
    // Pixels of the finest orders are beyond what numbers of JSON hold exactly here.
    body = JSON.parse(text.replace(/\b\d{16,19}\b/g, '"$&"'));
  } catch (error) {
    throw badMark(`The region's JSON does not parse: ${(error as Error).message.slice(0, 100)}.`);
  }
  for (const [key, pixels] of Object.entries(body as Record<string, unknown>)) {
    if (!/^\d{1,2}$/.test(key) || !Array.isArray(pixels)) {
      throw badMark(`A region's JSON has orders and lists of their pixels, found ${JSON.stringify(key.slice(0, 40))}.`);
    }
    for (const pixel of pixels) {
      const isLong = typeof pixel === "string" && /^\d{16,19}$/.test(pixel);
      if (!isLong && !Number.isSafeInteger(pixel)) {
        throw badMark(`A pixel of order ${key} is a whole number, found ${JSON.stringify(pixel).slice(0, 40)}.`);
      }
      yield cellRange(Number(key), BigInt(pixel as number | string));
    }
  }
}

/** The MOC string of the largest cells. The empty region is "0/". */
export function mocString(moc: Moc): string {
  const byOrder = new Map<number, string[]>();
  let open: { order: number; first: bigint; last: bigint } | null = null;
  const close = () => {
    if (open === null) return;
    const words = byOrder.get(open.order) ?? [];
    byOrder.set(open.order, words);
    words.push(open.first === open.last ? `${open.first}` : `${open.first}-${open.last}`);
  };
  for (const { order, pixel } of mocCells(moc)) {
    if (open !== null && open.order === order && open.last + 1n === pixel) open.last = pixel;
    else {
      close();
      open = { order, first: pixel, last: pixel };
    }
  }
  close();
  const orders = [...byOrder].sort(([a], [b]) => a - b);
  return orders.map(([order, words]) => `${order}/${words.join(" ")}`).join(" ") || "0/";
}
