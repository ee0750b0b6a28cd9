// The functions of the language as data. Called by checker.ts and listcalls.ts.
import type { FilterList, Kind } from "./fields.js";
import type { ListFunctionName, ScalarName } from "./typed.js";

export interface Signature {
  /** As shown in messages and docs. */
  readonly usage: string;
  readonly least: number;
  readonly most: number;
  /** Kind of each argument; "same" means: any, but the same for all arguments that say so, and it is the result's. */
  readonly args: readonly (Kind | "same")[];
  /** "kept": the arguments' common unit; null: a pure number. */
  readonly unit: "kept" | "arcsec" | "mag" | "nJy" | null;
  readonly result: Kind | "same";
  /** The unit that the arguments must have where they have one. */
  readonly takes?: "deg" | "mag" | "nJy";
}

const numbers = (usage: string, count: number, unit: Signature["unit"]): Signature => ({
  usage,
  least: count,
  most: count,
  args: ["number"],
  unit,
  result: "number",
});

const texts = (usage: string): Signature => ({
  usage,
  least: 2,
  most: 2,
  args: ["text"],
  unit: null,
  result: "truth",
});

/** Where `args` is shorter than the argument list, its last entry holds for the rest. */
export const SCALARS: Readonly<Record<ScalarName, Signature>> = {
  abs: numbers("abs(x)", 1, "kept"),
  sqrt: numbers("sqrt(x)", 1, null),
  exp: numbers("exp(x)", 1, null),
  ln: numbers("ln(x)", 1, null),
  log10: numbers("log10(x)", 1, null),
  pow: numbers("pow(x, y)", 2, null),
  floor: numbers("floor(x)", 1, "kept"),
  ceil: numbers("ceil(x)", 1, "kept"),
  round: { ...numbers("round(x) or round(x, digits)", 1, "kept"), most: 2 },
  least: { ...numbers("least(a, b, ...)", 2, "kept"), most: 20 },
  greatest: { ...numbers("greatest(a, b, ...)", 2, "kept"), most: 20 },
  coalesce: { usage: "coalesce(a, b, ...)", least: 2, most: 20, args: ["same"], unit: "kept", result: "same" },
  if: { usage: "if(condition, a, b)", least: 3, most: 3, args: ["truth", "same"], unit: "kept", result: "same" },
  separation: { ...numbers("separation(ra1, dec1, ra2, dec2)", 4, "arcsec"), takes: "deg" },
  magnitudeOf: { ...numbers("magnitudeOf(flux)", 1, "mag"), takes: "nJy" },
  fluxOf: { ...numbers("fluxOf(magnitude)", 1, "nJy"), takes: "mag" },
  startsWith: texts("startsWith(text, beginning)"),
  contains: texts("contains(text, part)"),
};

export function isScalar(name: string): name is ScalarName {
  return Object.hasOwn(SCALARS, name);
}

/** Digits that round() accepts: beyond them a 64-bit float has nothing to round. */
export const MAX_ROUND_DIGITS = 15;

export interface ListSignature {
  readonly usage: string;
  /** Kind of the value that stands after the list; "any" is the result's too; null: there is none. */
  readonly value: "number" | "any" | null;
  readonly condition: "required" | "optional";
  readonly result: Kind | "same";
  /** Lists that are ordered so, null for any list. */
  readonly order: FilterList["order"] | null;
}

const ofValues = (name: string): ListSignature => ({
  usage: `${name}(list, value) or ${name}(list, value, condition)`,
  value: "number",
  condition: "optional",
  result: "number",
  order: null,
});
const ofOne = (name: string, order: FilterList["order"]): ListSignature => ({
  ...ofValues(name),
  value: "any",
  result: "same",
  order,
});
const ofElements = (name: string, result: Kind): ListSignature => ({
  usage: `${name}(list) or ${name}(list, condition)`,
  value: null,
  condition: "optional",
  result,
  order: null,
});

export const LIST_FUNCTIONS: Readonly<Record<ListFunctionName, ListSignature>> = {
  has: ofElements("has", "truth"),
  every: { ...ofElements("every", "truth"), usage: "every(list, condition)", condition: "required" },
  count: ofElements("count", "number"),
  min: ofValues("min"),
  max: ofValues("max"),
  mean: ofValues("mean"),
  sum: ofValues("sum"),
  first: ofOne("first", "time"),
  last: ofOne("last", "time"),
  nearest: ofOne("nearest", "separation"),
};

export function isListFunction(name: string): name is ListFunctionName {
  return Object.hasOwn(LIST_FUNCTIONS, name);
}

export const FUNCTION_NAMES: readonly string[] = [...Object.keys(SCALARS), ...Object.keys(LIST_FUNCTIONS)];

/** What to write of single values, where lists are asked for out of habit. */
export const SCALAR_INSTEAD: Readonly<Record<string, string>> = { min: "least(a, b)", max: "greatest(a, b)" };
