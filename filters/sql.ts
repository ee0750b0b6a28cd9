// Pieces of SQL text with what is known of their values: how tightly they bind and in which ways they can be missing.
// Called by compile.ts and scalars.ts.

export interface Sql {
  readonly text: string;
  /** Tightness of the outermost operator: what binds looser than its surroundings gets parentheses. */
  readonly binds: number;
  readonly nullable: boolean;
  /** A number that may be NaN, which also means missing. */
  readonly nan: boolean;
  readonly infinite: boolean;
  /** An integer in ClickHouse's eyes, at most 32 bits wide: its arithmetic would wrap around. */
  readonly whole: boolean;
  readonly float64: boolean;
  /** Of a nullable condition: NULL stands for false. Else NULL is a missing value. */
  readonly nullIsFalse: boolean;
}

export const OR = 1;
export const AND = 2;
export const NOT = 3;
export const COMPARISON = 4;
export const SUM = 5;
export const PRODUCT = 6;
const ATOM = 7;

export function atom(text: string, known: Partial<Sql> = {}): Sql {
  return {
    binds: ATOM,
    nullable: false,
    nan: false,
    infinite: false,
    whole: false,
    float64: false,
    nullIsFalse: false,
    ...known,
    text,
  };
}

/** The text to stand as an operand of something that binds this tightly. */
export function within(sql: Sql, tightness: number): string {
  return sql.binds < tightness ? `(${sql.text})` : sql.text;
}

/** `a SIGN b`; equally tight operands on the right get parentheses, on the left they need none. */
export function infix(left: Sql, sign: string, right: Sql, binds: number, known: Partial<Sql>): Sql {
  // Comparisons do not chain in SQL's grammar either, so there the left side needs parentheses too.
  const leftText = within(left, binds === COMPARISON ? binds + 1 : binds);
  return atom(`${leftText} ${sign} ${within(right, binds + 1)}`, {
    nullable: left.nullable || right.nullable,
    ...known,
    binds,
  });
}

/** `name(args)`, NULL where any argument is. */
export function call(name: string, args: readonly Sql[], known: Partial<Sql> = {}): Sql {
  return atom(`${name}(${args.map((arg) => arg.text).join(", ")})`, {
    nullable: args.some((arg) => arg.nullable),
    nan: args.some((arg) => arg.nan),
    infinite: args.some((arg) => arg.infinite),
    ...known,
  });
}

/** 1 or 0 for a condition, never NULL: what is not known to be true is false. */
export function definite(condition: Sql): Sql {
  return condition.nullable ? atom(`ifNull(${condition.text}, 0)`) : condition;
}

/** The condition or value as an operand that tells false from missing. */
export function asValue(sql: Sql): Sql {
  return sql.nullIsFalse ? definite(sql) : sql;
}

/** 1 where the value is missing, else 0; never NULL. */
export function isMissing(value: Sql): Sql {
  if (value.nan) {
    return value.nullable ? atom(`ifNull(isNaN(${value.text}), 1)`) : atom(`isNaN(${value.text})`);
  }
  return atom(value.nullable ? `isNull(${value.text})` : "0");
}

/** The number as a 64-bit float: exact, for integers here have at most 32 bits. */
export function asFloat64(number: Sql): Sql {
  if (number.float64) {
    return number;
  }
  return /^-?\d+$/.test(number.text)
    ? atom(`${number.text}.0`, { float64: true })
    : call("toFloat64", [number], { float64: true });
}

/** Shortest digits that read back as the same float. */
export function numberLiteral(value: number): Sql {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
    // String(-0) is "0": nothing in the language tells the two apart.
    return atom(String(value), { whole: true });
  }
  const text = Number.isInteger(value) ? value.toExponential() : String(value);
  return atom(text, { float64: true });
}

export function textLiteral(value: string): string {
  const escaped = value.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\0", "\\0");
  return `'${escaped}'`;
}

export function identifier(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}
