// What a simple comparison leaves of the numbers or texts that a value may have. Called by standing.ts.
import type { ElementType } from "../../domain/columns.js";
import type { Typed } from "../typed.js";

/** Values that are left: of numbers an interval, of which `only` holds the few that may be, or texts, or truth values. */
export interface Range {
  readonly low: number;
  readonly lowOpen: boolean;
  readonly high: number;
  readonly highOpen: boolean;
  /** Null: all within the bounds. */
  readonly only: readonly Literal[] | null;
  /** None of these, whatever else is left. */
  readonly but: readonly Literal[];
  /** A missing value is left too: of it comparisons are false, and so their `not` is true. */
  readonly missing: boolean;
  /** The value is a whole number, whatever the comparison says. */
  readonly whole: boolean;
}

type Literal = number | string | boolean;

const ALL: Range = {
  low: Number.NEGATIVE_INFINITY,
  lowOpen: false,
  high: Number.POSITIVE_INFINITY,
  highOpen: false,
  only: null,
  but: [],
  missing: false,
  whole: false,
};
/** Of so few whole numbers each one is looked at. */
const FEW = 100;

/** A comparison of something with literals: what it is about, as a key, and what it leaves. */
export interface Bound {
  readonly about: string;
  readonly range: Range;
}

/** Of what is not one interval of one value: whether it is true itself. */
export function boundOf(typed: Typed): Bound {
  return ofValue(typed) ?? { about: keyOf(typed), range: { ...ALL, only: [true] } };
}

const INTEGERS: readonly ElementType[] = ["UInt8", "Int8", "Int16", "Int32", "UInt32"];

/** Of any value of this expression. */
function rangeOf(value: Typed, range: Partial<Range>): Range {
  const isField = value.op === "field" || value.op === "element";
  const whole = isField ? INTEGERS.includes(value.field.columnType) : value.op === "list" && value.name === "count";
  return settled({ ...ALL, ...range, whole });
}

/** Of whole numbers no more than those: above 2 is from 3 on, and between 2 and 3 there is none. */
function settled(range: Range): Range {
  if (!range.whole) return range;
  const low = range.lowOpen ? Math.floor(range.low) + 1 : Math.ceil(range.low);
  const high = range.highOpen ? Math.ceil(range.high) - 1 : Math.floor(range.high);
  const few = high - low < FEW ? Array.from({ length: Math.max(0, high - low + 1) }, (_, n) => low + n) : null;
  const only = range.only?.filter((item) => Number.isInteger(item)) ?? few;
  const but = range.but.filter((item) => Number.isInteger(item));
  return { ...range, low, lowOpen: false, high, highOpen: false, only, but };
}

/** Null for whatever is not a comparison of one value with literals, and for what leaves more than one interval. */
function ofValue(typed: Typed): Bound | null {
  switch (typed.op) {
    case "not": {
      const { about, range } = boundOf(typed.operand);
      const left = complement(range);
      return left && { about, range: left };
    }
    case "compare":
      return comparison(typed);
    case "between": {
      const [low, high] = [numberOf(typed.low), numberOf(typed.high)];
      if (typed.negated || low === null || high === null) return null;
      return {
        about: keyOf(typed.value),
        range: rangeOf(typed.value, { low, high, only: low === high ? [low] : null }),
      };
    }
    case "in": {
      const items = typed.list.map(literalOf);
      if (items.some((item) => item === null)) return null;
      const known = items as Literal[];
      return {
        about: keyOf(typed.value),
        range: rangeOf(typed.value, typed.negated ? { but: known } : { only: known }),
      };
    }
    case "isMissing":
      return {
        about: keyOf(typed.value),
        range: rangeOf(typed.value, typed.negated ? {} : { only: [], missing: true }),
      };
    default:
      return null;
  }
}

/** What the range of a clause does not leave, missing or not; null where that is two intervals. */
function complement({ low, lowOpen, high, highOpen, only, but, missing: isLeft, whole }: Range): Range | null {
  const all = { ...ALL, missing: !isLeft, whole };
  if (only !== null) return { ...all, but: only };
  if (but.length > 0) return settled({ ...all, only: but });
  if (low > ALL.low && high < ALL.high) return null;
  if (low > ALL.low) return settled({ ...all, high: low, highOpen: !lowOpen });
  if (high < ALL.high) return settled({ ...all, low: high, lowOpen: !highOpen });
  return { ...all, only: [] };
}

const TURNED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!=" } as const;

function comparison({ sign, left, right }: Typed & { op: "compare" }): Bound | null {
  const onRight = literalOf(right);
  const [value, literal, told] = onRight === null ? [right, literalOf(left), TURNED[sign]] : [left, onRight, sign];
  if (literal === null || literalOf(value) !== null) return null;
  const about = keyOf(value);
  if (told === "!=") return { about, range: rangeOf(value, { but: [literal] }) };
  if (told === "=") return { about, range: rangeOf(value, { only: [literal] }) };
  if (typeof literal !== "number") return null;
  const open = told === "<" || told === ">";
  const isAbove = told === ">" || told === ">=";
  return {
    about,
    range: rangeOf(value, isAbove ? { low: literal, lowOpen: open } : { high: literal, highOpen: open }),
  };
}

/** What is left where both hold. */
export function both(a: Range, b: Range): Range {
  const low = a.low > b.low || (a.low === b.low && a.lowOpen) ? a : b;
  const high = a.high < b.high || (a.high === b.high && a.highOpen) ? a : b;
  return settled({
    ...{ low: low.low, lowOpen: low.lowOpen, high: high.high, highOpen: high.highOpen },
    only: a.only === null ? b.only : b.only === null ? a.only : a.only.filter((item) => b.only!.includes(item)),
    but: [...a.but, ...b.but],
    missing: a.missing && b.missing,
    whole: a.whole && b.whole,
  });
}

/** Whether nothing is left. */
export const isEmpty = (range: Range): boolean => !range.missing && isWithoutValues(range);

function isWithoutValues(range: Range): boolean {
  const { low, lowOpen, high, highOpen, only, but } = range;
  if (only !== null) return !only.some((item) => leaves(range, item));
  return low > high || (low === high && (lowOpen || highOpen || but.includes(low)));
}

/** Whether everything that `a` leaves is left by `b` too. */
export function isWithin(a: Range, b: Range): boolean {
  if (a.missing && !b.missing) return false;
  if (isWithoutValues(a)) return true;
  if (a.only !== null) return a.only.every((item) => !leaves(a, item) || leaves(b, item));
  if (b.only !== null || b.but.some((item) => leaves(a, item))) return false;
  const lower = a.low > b.low || (a.low === b.low && (a.lowOpen || !b.lowOpen));
  const upper = a.high < b.high || (a.high === b.high && (a.highOpen || !b.highOpen));
  return lower && upper;
}

const leaves = (range: Range, item: Literal): boolean =>
  (range.only?.includes(item) ?? true) &&
  !range.but.includes(item) &&
  (typeof item !== "number" || within(item, range));

const within = (
  x: number,
  { low, lowOpen, high, highOpen }: Omit<Range, "only" | "but" | "missing" | "whole">,
): boolean => (lowOpen ? x > low : x >= low) && (highOpen ? x < high : x <= high);

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
function literalOf(typed: Typed): Literal | null {
  if (typed.op === "text" || typed.op === "truth") return typed.value;
  if (typed.op === "id") return `${typed.value}n`;
  return numberOf(typed);
}
