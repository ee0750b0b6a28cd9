// Values that are written as text, made columns of their types. Called by csv.ts and votable.ts.
import { ARRAY_OF, type Column, type ElementType } from "../../domain/columns.js";
import { badCatalog } from "./table.js";

/** What stands for a missing value in a column of numbers. */
const MISSING = /^(|null|nan|none|n\/a|na|--|masked|\\n)$/i;
const INTEGER = /^[+-]?\d+$/;
const TRUE = /^(true|t|1|yes)$/i;
const FALSE = /^(false|f|0|no)$/i;
/** A truth value that is not known, in VOTables. */
const UNKNOWN = "?";
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

const BOUNDS: Partial<Record<ElementType, readonly [number, number]>> = {
  UInt8: [0, 255],
  Int8: [-128, 127],
  Int16: [-32_768, 32_767],
  Int32: [-(2 ** 31), 2 ** 31 - 1],
  UInt32: [0, 2 ** 32 - 1],
};

/** One column that is filled row by row. */
export interface TextColumn {
  /** Throws BAD_CATALOG where the text is no value of the column's type. */
  put(row: number, text: string): void;
  /** The first `rows` rows. The column may be filled again afterwards. */
  column(rows: number): Column;
}

/** `rowOf` tells the number of a row in the file, for messages. */
export function textColumn(
  name: string,
  type: ElementType,
  capacity: number,
  file: string,
  rowOf: (row: number) => number,
): TextColumn {
  const wrong = (row: number, text: string, what: string, others = "Float64 (or String, Int64)") =>
    badCatalog(
      `${JSON.stringify(text.slice(0, 60))} is no ${what}.`,
      { file, row: rowOf(row), column: name },
      `Correct the row, or say which type the column has: --type ${name}=${others}.`,
    );
  let nulls = new Uint8Array(capacity);
  const taken = (): Uint8Array => {
    const full = nulls;
    nulls = new Uint8Array(capacity);
    return full;
  };
  if (type === "String") {
    let values: string[] = [];
    return {
      put(row, text) {
        values[row] = text;
        if (text === "") nulls[row] = 1;
      },
      column(rows) {
        const full = values;
        values = [];
        return { type, values: full, nulls: taken().subarray(0, rows) };
      },
    };
  }
  if (type === "Int64" || type === "UInt64") {
    const Wide = type === "Int64" ? BigInt64Array : BigUint64Array;
    let values = new Wide(capacity);
    return {
      put(row, text) {
        const plain = text.trim();
        if (!INTEGER.test(plain)) {
          if (!MISSING.test(plain)) throw wrong(row, text, "whole number");
          nulls[row] = 1;
          return;
        }
        const value = BigInt(plain.startsWith("+") ? plain.slice(1) : plain);
        values[row] = value;
        if (values[row] !== value) throw wrong(row, text, `whole number of 64 bits (${type})`, "UInt64 (or String)");
      },
      column(rows) {
        const full = values;
        values = new Wide(capacity);
        return { type, values: full.subarray(0, rows), nulls: taken().subarray(0, rows) };
      },
    };
  }
  const Narrow = ARRAY_OF[type] as Float64ArrayConstructor;
  const bounds = BOUNDS[type];
  let values = new Narrow(capacity);
  const numberOf = (row: number, plain: string): number => {
    if (type === "Bool") {
      if (TRUE.test(plain)) return 1;
      if (FALSE.test(plain)) return 0;
      throw wrong(row, plain, "truth value");
    }
    const value = Number(plain);
    if (bounds !== undefined) {
      if (Number.isInteger(value) && value >= bounds[0] && value <= bounds[1]) return value;
      throw wrong(row, plain, `whole number of ${type}`);
    }
    if (!Number.isNaN(value)) return value;
    const infinite = INFINITE.exec(plain);
    if (infinite === null) throw wrong(row, plain, "number");
    return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  };
  return {
    put(row, text) {
      // Most texts are numbers; an empty one is 0 for Number, and no truth value is a number for us.
      const value = type === "Float64" || type === "Float32" ? Number(text) : Number.NaN;
      if (!Number.isNaN(value) && value !== 0) {
        values[row] = value;
        return;
      }
      const plain = text.trim();
      if (plain === "" || (plain.length <= 6 && MISSING.test(plain))) nulls[row] = 1;
      else if (type === "Bool" && plain === UNKNOWN) nulls[row] = 1;
      else values[row] = numberOf(row, plain);
    },
    column(rows) {
      const full = values;
      values = new Narrow(capacity);
      return { type, values: full.subarray(0, rows), nulls: taken().subarray(0, rows) };
    },
  };
}

/** The narrowest of Int64, UInt64, Float64, Bool and String that keeps all of these texts; null where all are missing. */
export function typeOfTexts(texts: readonly string[]): ElementType | null {
  const told = texts.map((text) => text.trim()).filter((text) => !MISSING.test(text));
  if (told.length === 0) return null;
  // A number with leading zeros is a name.
  if (told.some((text) => /^0\d+$/.test(text))) return "String";
  if (told.every((text) => INTEGER.test(text))) {
    const whole = told.map((text) => BigInt(text.replace("+", "")));
    if (whole.every((value) => BigInt.asIntN(64, value) === value)) return "Int64";
    // As a number with a fraction, their last digits would be others.
    return whole.every((value) => BigInt.asUintN(64, value) === value) ? "UInt64" : "String";
  }
  if (told.every((text) => !Number.isNaN(Number(text)) || INFINITE.test(text))) return "Float64";
  if (told.every((text) => /^(true|false)$/i.test(text))) return "Bool";
  return "String";
}
