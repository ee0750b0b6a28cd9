// Tables of FITS files, binary and ASCII: headers and the layout of rows. Called by ingest/catalogs and by readers of sky
// maps; fitstable.columns.ts reads the values. Standard: FITS 4.0, sections 4.2, 7.2 and 7.3.
import type { ElementType } from "./columns.js";
import { TocsinError } from "./errors.js";

const CARD = 80;
export const FITS_BLOCK = 2880;
const MAX_CARDS = 36 * 1000;

/** Keywords and their values: texts without quotes, numbers, truth values. The first of a keyword counts. */
export type FitsCards = ReadonlyMap<string, string | number | boolean>;

export interface FitsHeader {
  readonly cards: FitsCards;
  /** Of the header, whole blocks. */
  readonly byteLength: number;
}

export interface FitsColumn {
  readonly name: string;
  /** Null where values of this kind are not read: complex numbers, bits, arrays of varying length. */
  readonly type: ElementType | null;
  /** Values in each row; in texts the characters of the one value. */
  readonly repeat: number;
  readonly unit: string | null;
  readonly description: string;
  /** Where it begins in a row, bytes. */
  readonly offset: number;
  /** The letter of TFORM. */
  readonly code: string;
  readonly scale: number;
  readonly zero: number;
  /** As TNULL says it; null: no value is missing. */
  readonly missing: number | string | null;
  /** Characters of a value in an ASCII table; 0 in a binary one. */
  readonly width: number;
}

export interface FitsTable {
  readonly kind: "binary" | "ascii";
  /** EXTNAME, "" where it has none. */
  readonly name: string;
  readonly rows: number;
  readonly rowBytes: number;
  readonly columns: readonly FitsColumn[];
}

export const badFits = (why: string): TocsinError =>
  new TocsinError("BAD_CATALOG", `The FITS table cannot be read: ${why}.`, {
    remedy: "Fetch the file again; a whole one opens in other FITS readers too (for example astropy's).",
  });

/**
 * The header that begins at `start`; null where its end is not among the bytes yet.
 * @throws TocsinError BAD_CATALOG where no header is so long.
 */
export function fitsHeader(bytes: Uint8Array, start = 0): FitsHeader | null {
  const cards = new Map<string, string | number | boolean>();
  for (let n = 0; start + (n + 1) * CARD <= bytes.length; n++) {
    if (n === MAX_CARDS) throw badFits(`its header has no end within ${MAX_CARDS} lines`);
    const at = start + n * CARD;
    const card = String.fromCharCode(...bytes.subarray(at, at + CARD));
    const keyword = card.slice(0, 8).trimEnd();
    if (n === 0 && keyword !== "SIMPLE" && keyword !== "XTENSION") throw badFits("no FITS header is where one must be");
    if (keyword === "END") {
      const byteLength = blocks((n + 1) * CARD);
      return start + byteLength <= bytes.length ? { cards, byteLength } : null;
    }
    if (card[8] !== "=" || cards.has(keyword)) continue;
    const value = cardValue(card.slice(9));
    if (value !== null) cards.set(keyword, value);
  }
  return null;
}

/** A length in whole blocks. */
const blocks = (byteLength: number): number => Math.ceil(byteLength / FITS_BLOCK) * FITS_BLOCK;

function cardValue(text: string): string | number | boolean | null {
  const quotedText = /^\s*'((?:[^']|'')*)'/.exec(text);
  if (quotedText !== null) return quotedText[1]!.replaceAll("''", "'").trimEnd();
  const plain = text.split("/")[0]!.trim();
  if (plain === "T" || plain === "F") return plain === "T";
  // Fortran's D exponent is legal in FITS.
  const value = Number(plain.replace(/d/i, "e"));
  return plain === "" || Number.isNaN(value) ? null : value;
}

/** Bytes of the data that follow a header, whole blocks. */
export function fitsDataBytes(cards: FitsCards): number {
  const axes = wholeNumber(cards, "NAXIS", 0);
  let elements = axes === 0 ? 0 : 1;
  for (let n = 1; n <= axes; n++) elements *= wholeNumber(cards, `NAXIS${n}`);
  const groups = wholeNumber(cards, "GCOUNT", 1);
  const size = Math.abs(Number(cards.get("BITPIX") ?? 8)) / 8;
  return blocks(size * groups * (wholeNumber(cards, "PCOUNT", 0) + elements));
}

function wholeNumber(cards: FitsCards, keyword: string, fallback?: number): number {
  const value = cards.get(keyword) ?? fallback;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw badFits(`${keyword} is ${value === undefined ? "missing" : JSON.stringify(value)}`);
}

/** The layout of the table that this header begins; null where it begins something else. */
export function fitsTable(cards: FitsCards): FitsTable | null {
  const extension = cards.get("XTENSION");
  if (extension !== "BINTABLE" && extension !== "TABLE") return null;
  const kind = extension === "TABLE" ? "ascii" : "binary";
  const columns: FitsColumn[] = [];
  const fields = wholeNumber(cards, "TFIELDS");
  let offset = 0;
  for (let n = 1; n <= fields; n++) {
    const form = String(cards.get(`TFORM${n}`) ?? "").trim();
    const start = kind === "ascii" ? wholeNumber(cards, `TBCOL${n}`) - 1 : offset;
    const column = {
      ...named(cards, n),
      ...(kind === "ascii" ? asciiForm : binaryForm)(cards, n, form),
      offset: start,
    };
    columns.push(column);
    if (kind === "binary") offset += binaryBytes(column);
  }
  const rowBytes = wholeNumber(cards, "NAXIS1");
  const rows = wholeNumber(cards, "NAXIS2");
  const needed = columns.reduce(
    (most, column) => Math.max(most, column.offset + (column.width || binaryBytes(column))),
    0,
  );
  if (needed > rowBytes) throw badFits(`its columns need ${needed} bytes in a row, and a row has ${rowBytes}`);
  return { kind, name: String(cards.get("EXTNAME") ?? ""), rows, rowBytes, columns };
}

function named(cards: FitsCards, n: number) {
  const unit = String(cards.get(`TUNIT${n}`) ?? "").trim();
  const name = String(cards.get(`TTYPE${n}`) ?? "").trim() || `col${n}`;
  const number = (keyword: string, fallback: number) => {
    const value = cards.get(`${keyword}${n}`) ?? fallback;
    if (typeof value === "number") return value;
    throw badFits(`${keyword}${n} is ${JSON.stringify(value)}`);
  };
  const missing = cards.get(`TNULL${n}`);
  return {
    name,
    unit: unit === "" ? null : unit,
    description: String(cards.get(`TCOMM${n}`) ?? cards.get(`TDESC${n}`) ?? ""),
    scale: number("TSCAL", 1),
    zero: number("TZERO", 0),
    missing: typeof missing === "boolean" ? null : (missing ?? null),
  };
}

/** Bytes of one value by the letter of TFORM. */
const SIZES: Readonly<Record<string, number>> = {
  L: 1,
  B: 1,
  I: 2,
  J: 4,
  K: 8,
  A: 1,
  E: 4,
  D: 8,
  C: 8,
  M: 16,
  P: 8,
  Q: 16,
};
const TYPES: Readonly<Record<string, ElementType>> = {
  L: "Bool",
  B: "UInt8",
  I: "Int16",
  J: "Int32",
  K: "Int64",
  A: "String",
  E: "Float32",
  D: "Float64",
};
/** Integers that are told with an offset, because FITS has them in one sign only. */
const SHIFTED: Readonly<Record<string, readonly [number, ElementType]>> = {
  B: [-128, "Int8"],
  I: [2 ** 15, "Int32"],
  J: [2 ** 31, "UInt32"],
  K: [2 ** 63, "UInt64"],
};

function binaryForm(cards: FitsCards, n: number, form: string) {
  const parts = /^(\d*)([LXBIJKAEDCMPQ])/.exec(form);
  if (parts === null) throw badFits(`TFORM${n} is "${form}"`);
  const [repeat, code] = [parts[1] === "" ? 1 : Number(parts[1]), parts[2]!];
  const { scale, zero } = named(cards, n);
  const isScaled = "BIJKED".includes(code) && (scale !== 1 || zero !== 0);
  const shifted = SHIFTED[code];
  const type = !isScaled ? TYPES[code] : scale === 1 && zero === shifted?.[0] ? shifted[1] : "Float64";
  return { type: type ?? null, repeat, code, width: 0 };
}

function binaryBytes({ code, repeat }: Pick<FitsColumn, "code" | "repeat">): number {
  return code === "X" ? Math.ceil(repeat / 8) : SIZES[code]! * repeat;
}

function asciiForm(cards: FitsCards, n: number, form: string) {
  const parts = /^([AIFED])(\d+)(?:\.\d+)?$/.exec(form);
  if (parts === null) throw badFits(`TFORM${n} is "${form}"`);
  const { scale, zero } = named(cards, n);
  const code = parts[1]!;
  const whole = code === "I" && scale === 1 && zero === 0;
  return {
    type: (code === "A" ? "String" : whole ? "Int64" : "Float64") as ElementType,
    repeat: 1,
    code,
    width: Number(parts[2]),
  };
}
