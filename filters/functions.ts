// The scalar functions of the language as data, and the names of its later parts. Called by check.ts.
import type { Kind } from "./fields.js";
import type { ScalarName } from "./typed.js";

export interface Signature {
  /** As shown in messages and docs. */
  readonly usage: string;
  readonly least: number;
  readonly most: number;
  /** Kind of each argument; "same" means: any, but the same for all arguments that say so, and it is the result's. */
  readonly args: readonly (Kind | "same")[];
  /** "kept": the arguments' common unit; null: a pure number. */
  readonly unit: "kept" | "arcsec" | null;
}

const numbers = (usage: string, count: number, unit: Signature["unit"]): Signature => ({
  usage,
  least: count,
  most: count,
  args: ["number"],
  unit,
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
  coalesce: { usage: "coalesce(a, b, ...)", least: 2, most: 20, args: ["same"], unit: "kept" },
  if: { usage: "if(condition, a, b)", least: 3, most: 3, args: ["truth", "same"], unit: "kept" },
  separation: numbers("separation(ra1, dec1, ra2, dec2)", 4, "arcsec"),
};

export function isScalar(name: string): name is ScalarName {
  return Object.hasOwn(SCALARS, name);
}

/** Digits that round() accepts: beyond them a 64-bit float has nothing to round. */
export const MAX_ROUND_DIGITS = 15;

const LIST_FUNCTIONS: ReadonlySet<string> = new Set([
  "has",
  "every",
  "count",
  "min",
  "max",
  "mean",
  "sum",
  "first",
  "last",
  "nearest",
]);
const LISTS: ReadonlySet<string> = new Set(["detections", "nonDetections", "forced"]);
const ENRICHED: ReadonlySet<string> = new Set(["feature", "score", "class", "match", "watch", "area", "skymap"]);
const SCALAR_INSTEAD: Readonly<Record<string, string>> = { min: "least(a, b)", max: "greatest(a, b)" };

/** Why a function that belongs to the language cannot be called yet; null for one that does not belong to it. */
export function laterFunction(name: string): string | null {
  if (!LIST_FUNCTIONS.has(name)) {
    return null;
  }
  const instead = Object.hasOwn(SCALAR_INSTEAD, name) ? `; of single values take ${SCALAR_INSTEAD[name]}` : "";
  return `${name}(...): history lists are not available yet${instead}`;
}

/** Why a name that belongs to the language cannot be read yet; null for one that does not belong to it. */
export function laterName(name: string): string | null {
  const [first, ...rest] = name.split(".");
  if (LISTS.has(name) || (rest.length > 0 && (first === "ztf" || first === "lsst"))) {
    return `${name}: history lists are not available yet`;
  }
  if (rest.length > 0 && first === "alert") {
    return `${name}: history lists are not available yet, and outside of them the name is just ${rest.join(".")}`;
  }
  if (rest.length > 0 && ENRICHED.has(first!)) {
    return `${name}: names that enrichment adds (${first}.) are not available yet`;
  }
  return null;
}
