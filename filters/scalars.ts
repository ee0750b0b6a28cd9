// The language's scalar functions as SQL. Called by compile.ts.

import type { Kind } from "./fields.js";
import {
  AND,
  asFloat64,
  asValue,
  atom,
  COMPARISON,
  call,
  definite,
  infix,
  isMissing,
  PRODUCT,
  type Sql,
  SUM,
  within,
} from "./sql.js";
import type { ScalarName } from "./typed.js";

/** Arcseconds in a radian: 180 * 3600 / pi. */
const ARCSEC_PER_RADIAN = "206264.80624709636";

/** `kind` is the result's. Arguments are checked: right in number and kind. */
export function scalarCall(name: ScalarName, kind: Kind, args: readonly Sql[]): Sql {
  // ClickHouse has no common type for some integers and floats.
  const choice = (sql: Sql) => (kind === "number" ? asFloat64(sql) : asValue(sql));
  const [a, b, c, d] = args as [Sql, Sql, Sql, Sql];
  switch (name) {
    case "abs":
      return call("abs", [a], { whole: a.whole, float64: a.float64 });
    case "floor":
    case "ceil":
      return a.whole ? a : call(name, [a], { float64: a.float64 });
    case "round":
      return round(a, b);
    case "exp":
      return call("exp", [a], { float64: true, infinite: true });
    case "sqrt":
      return call("sqrt", [a], { float64: true, nan: true });
    case "ln":
    case "log10":
      return call(name === "ln" ? "log" : "log10", [a], { float64: true, nan: true, infinite: true });
    case "pow":
      return pow(a, b);
    case "least":
    case "greatest":
      return extreme(name, args.map(choice));
    case "coalesce":
      return coalesce(args.map(choice));
    case "if":
      return conditional(definite(a), choice(b), choice(c));
    case "separation":
      return separation(a, b, c, d);
    case "magnitudeOf":
      return magnitudeOf(asFloat64(a));
    case "fluxOf":
      return fluxOf(asFloat64(a));
    case "startsWith":
      return call("startsWith", [a, b]);
    case "contains":
      return infix(call("position", [a, b]), ">", atom("0"), COMPARISON, {});
  }
}

/** To the nearest, ties to the even digit, as numpy does. */
function round(value: Sql, digits: Sql | undefined): Sql {
  if (!digits) {
    return value.whole ? value : call("round", [value], { float64: value.float64 });
  }
  return call("round", [asFloat64(value), digits], { float64: true, nullable: value.nullable });
}

/** C's pow knows pow(NaN, 0) = pow(1, NaN) = 1; here what is made of a missing value is missing. */
function pow(base: Sql, exponent: Sql): Sql {
  const power = call("pow", [base, exponent], { float64: true, nan: true, infinite: true });
  return base.nan || exponent.nan ? unlessMissing([base, exponent], power) : power;
}

/** ClickHouse's least and greatest skip NULL and order NaN by position; here a missing argument makes the result missing. */
function extreme(name: "least" | "greatest", args: readonly Sql[]): Sql {
  const plain = call(name, args, { float64: true });
  return args.some((arg) => arg.nan || arg.nullable) ? unlessMissing(args, plain) : plain;
}

function unlessMissing(args: readonly Sql[], result: Sql): Sql {
  const guards = args.filter((arg) => arg.nan || arg.nullable).map((arg) => within(isMissing(arg), AND));
  return atom(`if(${guards.join(" OR ")}, NULL, ${result.text})`, { ...result, nullable: true });
}

function coalesce(args: readonly Sql[]): Sql {
  return args.reduceRight((rest, first) => {
    if (!first.nan) {
      const known = { nan: rest.nan, infinite: first.infinite || rest.infinite, nullable: rest.nullable };
      return first.nullable ? call("ifNull", [first, rest], { float64: first.float64, ...known }) : first;
    }
    const present = first.nullable ? call("assumeNotNull", [first], first) : first;
    const chosen = conditional(isMissing(first), rest, { ...present, nullable: false });
    return { ...chosen, nan: rest.nan };
  });
}

function conditional(condition: Sql, yes: Sql, no: Sql): Sql {
  return call("if", [condition, yes, no], {
    float64: yes.float64,
    nan: yes.nan || no.nan,
    nullable: yes.nullable || no.nullable,
  });
}

/**
 * Great-circle distance in arcsec of two positions in degrees, by Vincenty's formula for a sphere (Survey Review 23, 88,
 * 1975): accurate at all distances. The difference of right ascensions is taken in degrees, where it is exact if small.
 */
function separation(ra1: Sql, dec1: Sql, ra2: Sql, dec2: Sql): Sql {
  const radians = (sql: Sql) => `radians(${sql.text})`;
  const [d1, d2] = [radians(asFloat64(dec1)), radians(asFloat64(dec2))];
  const dl = `radians(${within(asFloat64(ra2), SUM)} - ${within(asFloat64(ra1), PRODUCT)})`;
  const across = `cos(${d2}) * sin(${dl})`;
  const along = `cos(${d1}) * sin(${d2}) - sin(${d1}) * cos(${d2}) * cos(${dl})`;
  const towards = `sin(${d1}) * sin(${d2}) + cos(${d1}) * cos(${d2}) * cos(${dl})`;
  const all = [ra1, dec1, ra2, dec2];
  return atom(`atan2(hypot(${across}, ${along}), ${towards}) * ${ARCSEC_PER_RADIAN}`, {
    binds: PRODUCT,
    float64: true,
    nullable: all.some((sql) => sql.nullable),
    nan: all.some((sql) => sql.nan || sql.infinite),
  });
}

/** AB magnitude of a flux in nJy: 31.4 - 2.5 log10(f) (Oke and Gunn 1983). Missing where the flux is not positive. */
function magnitudeOf(flux: Sql): Sql {
  const magnitude = `31.4 - 2.5 * log10(${flux.text})`;
  const known = { float64: true, nullable: true, infinite: flux.infinite };
  return atom(`if(${within(flux, SUM)} > 0, ${magnitude}, NULL)`, known);
}

/** Flux in nJy of an AB magnitude. */
function fluxOf(magnitude: Sql): Sql {
  const exponent = infix(infix(atom("31.4"), "-", magnitude, SUM, {}), "/", atom("2.5"), PRODUCT, {});
  return call("exp10", [exponent], { float64: true, infinite: true, nan: magnitude.nan });
}
