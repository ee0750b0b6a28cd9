// What a simple comparison leaves of the numbers or texts that a value may have. Called by standing.ts.
import type { Typed } from "../typed.js";

/** Values that are left: an interval of numbers, of which `only` holds the few that may be, or texts, or truth values. */
export interface Range {
  readonly low: number;
  readonly lowOpen: boolean;
  readonly high: number;
  readonly highOpen: boolean;
  /** Null: all within the bounds. */
  readonly only: readonly (number | string | boolean)[] | null;
  /** Only a missing value is left. */
  readonly missing: boolean;
}

const ALL: Range = {
  low: Number.NEGATIVE_INFINITY,
  lowOpen: false,
  high: Number.POSITIVE_INFINITY,
  highOpen: false,
  only: null,
  missing: false,
};

/** A comparison of something with literals: what it is about, as a key, and what it leaves. */
export interface Bound {
  readonly about: string;
  readonly range: Range;
}

/** Null for whatever is not a comparison of one value with literals, and for `!=` and `not`, which leave no interval. */
export function boundOf(typed: Typed): Bound | null {
  switch (typed.op) {
    case "field":
      return { about: keyOf(typed), range: { ...ALL, only: [true] } };
    case "not":
      return typed.operand.op === "field" ? { about: keyOf(typed.operand), range: { ...ALL, only: [false] } } : null;
    case "compare":
      return comparison(typed);
    case "between": {
      const [low, high] = [numberOf(typed.low), numberOf(typed.high)];
      if (typed.negated || low === null || high === null) return null;
      return { about: keyOf(typed.value), range: { ...ALL, low, high } };
    }
    case "in": {
      const only = typed.list.map(literalOf);
      if (typed.negated || only.some((item) => item === null)) return null;
      return { about: keyOf(typed.value), range: { ...ALL, only: only as (number | string)[] } };
    }
    case "isMissing":
      return { about: keyOf(typed.value), range: { ...ALL, missing: !typed.negated } };
    default:
      return null;
  }
}

const TURNED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!=" } as const;

function comparison({ sign, left, right }: Typed & { op: "compare" }): Bound | null {
  const onRight = literalOf(right);
  const [value, literal, told] = onRight === null ? [right, literalOf(left), TURNED[sign]] : [left, onRight, sign];
  if (literal === null || literalOf(value) !== null || told === "!=") return null;
  const about = keyOf(value);
  if (told === "=") return { about, range: { ...ALL, only: [literal] } };
  if (typeof literal !== "number") return null;
  const open = told === "<" || told === ">";
  return told === "<" || told === "<="
    ? { about, range: { ...ALL, high: literal, highOpen: open } }
    : { about, range: { ...ALL, low: literal, lowOpen: open } };
}

/** What is left where both hold. */
export function both(a: Range, b: Range): Range {
  const low = a.low > b.low || (a.low === b.low && a.lowOpen) ? a : b;
  const high = a.high < b.high || (a.high === b.high && a.highOpen) ? a : b;
  const only = a.only === null ? b.only : b.only === null ? a.only : a.only.filter((item) => b.only!.includes(item));
  const range = {
    ...{ low: low.low, lowOpen: low.lowOpen, high: high.high, highOpen: high.highOpen },
    missing: a.missing || b.missing,
  };
  return { ...range, only: only?.filter((item) => typeof item !== "number" || within(item, range)) ?? null };
}

/** Whether nothing is left. A comparison is false of a missing value, so it and `is null` leave nothing. */
export function isEmpty(range: Range): boolean {
  if (range.missing) return range.only !== null || range.low > ALL.low || range.high < ALL.high;
  if (range.only !== null) return range.only.length === 0;
  return range.low > range.high || (range.low === range.high && (range.lowOpen || range.highOpen));
}

/** Whether everything that `a` leaves is left by `b` too. */
export function isWithin(a: Range, b: Range): boolean {
  if (a.missing || b.missing) return a.missing === b.missing;
  if (b.only !== null) return a.only?.every((item) => b.only!.includes(item)) ?? false;
  if (a.only !== null) return a.only.every((item) => typeof item !== "number" || within(item, b));
  const lower = a.low > b.low || (a.low === b.low && (a.lowOpen || !b.lowOpen));
  const upper = a.high < b.high || (a.high === b.high && (a.highOpen || !b.highOpen));
  return lower && upper;
}

const within = (x: number, { low, lowOpen, high, highOpen }: Omit<Range, "only" | "missing">): boolean =>
  (lowOpen ? x > low : x >= low) && (highOpen ? x < high : x <= high);

/** Same values, same keys: fields by their columns. */
export const keyOf = (typed: Typed): string =>
  JSON.stringify(typed, (name, value) =>
    name === "field"
      ? value.column
      : name === "list" && value.name
        ? value.name
        : typeof value === "bigint"
          ? `${value}n`
          : value,
  );

function numberOf(typed: Typed): number | null {
  if (typed.op === "number") return typed.value;
  if (typed.op === "negate" && typed.operand.op === "number") return -typed.operand.value;
  return null;
}

/** Ids as text: two numbers of 64 bits would become one. */
function literalOf(typed: Typed): number | string | boolean | null {
  if (typed.op === "text" || typed.op === "truth") return typed.value;
  if (typed.op === "id") return `${typed.value}n`;
  return numberOf(typed);
}
