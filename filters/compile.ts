// Typed tree -> ClickHouse SQL over the columns of a survey's alert table. Called by check.ts and compiled.ts; the only way
// SQL of a filter is made: nothing but parsed literals and names of known columns gets into the text.
//
// A missing number is NULL or NaN, anything else missing is NULL. A condition may be NULL inside, which stands for false:
// AND and OR carry it upwards such that one ifNull(.., 0) around the whole will do. Each piece knows whether it can be
// NULL, NaN or infinite at all, so that only what can be missing is guarded: planning costs by the length of the text.
import type { FilterField } from "./fields.js";
import { Lambda } from "./lambda.js";
import { listCall } from "./listsql.js";
import { scalarCall } from "./scalars.js";
import {
  AND,
  asFloat64,
  asValue,
  atom,
  COMPARISON,
  call,
  definite,
  identifier,
  infix,
  isMissing,
  NOT,
  numberLiteral,
  OR,
  PRODUCT,
  type Sql,
  SUM,
  textLiteral,
  within,
} from "./sql.js";
import type { ArithmeticSign, CompareSign } from "./syntax.js";
import type { Typed } from "./typed.js";

/** Guards mention their argument twice, so nested ones could grow without bound; what people write stays far below. */
const MAX_SQL_CHARACTERS = 40_000;

export interface CompiledExpression {
  readonly sql: string;
  /** Columns and list columns that the text reads. */
  readonly columns: readonly string[];
  /** The same as fields, in the same order. */
  readonly fields: readonly FilterField[];
  /** Of conditions that compare with numbers which are not whole. */
  readonly shape?: Shape;
}

/** A text with names in the place of such numbers: equal for conditions that differ in them only. */
export interface Shape {
  readonly sql: string;
  /** In the order of parameterName(0), parameterName(1), …. */
  readonly numbers: readonly Sql[];
}

/** No column and no element of a list is called so. */
export const parameterName = (at: number): string => identifier(`@${at + 1}`);

/** A condition: 1 or 0 in every row, never NULL. */
export function compileCondition(typed: Typed): CompiledExpression {
  const numbers: Sql[] = [];
  const sql = definite(new Compiler(numbers).compile(typed, null)).text;
  return { ...compiled(typed, definite), ...(numbers.length > 0 && { shape: { sql, numbers } }) };
}

/** A value to show: Float64, String or UInt8/Bool; NULL (or NaN) where missing. Ids as decimal text. */
export function compileValue(typed: Typed): CompiledExpression {
  return compiled(typed, (sql) => {
    const value = asValue(sql);
    switch (typed.kind) {
      case "number":
        return asFloat64(value);
      case "id":
        return call("toString", [value]);
      default:
        return value;
    }
  });
}

function compiled(typed: Typed, finish: (sql: Sql) => Sql): CompiledExpression {
  const compiler = new Compiler();
  const sql = finish(compiler.compile(typed, null)).text;
  const fields = [...compiler.fields.values()];
  return { sql, fields, columns: fields.map((field) => field.column) };
}

/** False where the text would grow beyond the bound; check.ts asks, so that nobody else need. */
export function fits(typed: Typed): boolean {
  try {
    new Compiler().compile(typed, null);
    return true;
  } catch (error) {
    if (error instanceof TooLarge) {
      return false;
    }
    throw error;
  }
}

class TooLarge extends Error {}

class Compiler {
  /** By their columns. */
  readonly fields = new Map<string, FilterField>();

  /** With `numbers` they take up those that are compared with and not whole, and the text has names for them. */
  constructor(private readonly numbers: Sql[] | null = null) {}

  /** `lambda` is that of the innermost list function around, null outside of any. */
  compile(typed: Typed, lambda: Lambda | null): Sql {
    const sql = this.emit(typed, lambda);
    if (sql.text.length > MAX_SQL_CHARACTERS) {
      throw new TooLarge("the SQL text is too large");
    }
    return sql;
  }

  private emit(typed: Typed, lambda: Lambda | null): Sql {
    const compile = (inner: Typed) => this.compile(inner, lambda);
    switch (typed.op) {
      case "number":
        return numberLiteral(typed.value);
      case "id":
        return atom(String(typed.value));
      case "text":
        return atom(textLiteral(typed.value));
      case "truth":
        return atom(typed.value ? "1" : "0");
      case "field":
        this.fields.set(typed.field.column, typed.field);
        return field(identifier(typed.field.column), typed.field);
      case "element":
        return field(lambda!.element(typed.field), typed.field);
      case "and":
      case "or":
        return junction(typed.op, typed.operands.map(compile));
      case "not":
        return not(compile(typed.operand));
      case "negate":
        return call("negate", [asFloat64(compile(typed.operand))], { float64: true });
      case "arithmetic":
        return arithmetic(typed.sign, compile(typed.left), compile(typed.right), isNonzeroLiteral(typed.right));
      case "compare":
        return compare(typed.sign, this.compared(typed.left, lambda), this.compared(typed.right, lambda));
      case "between": {
        const value = compile(typed.value);
        const [low, high] = [this.compared(typed.low, lambda), this.compared(typed.high, lambda)];
        return typed.negated
          ? junction("or", [compare("<", value, low), compare(">", value, high)])
          : junction("and", [compare(">=", value, low), compare("<=", value, high)]);
      }
      case "in":
        return inList(typed, compile(typed.value), typed.list.map(compile));
      case "isMissing": {
        const missing = isMissing(asValue(compile(typed.value)));
        return typed.negated ? not(missing) : missing;
      }
      case "call": {
        // Signed and unsigned 64-bit ids have no other common type.
        const wide = (arg: Typed) => (arg.kind === "truth" ? compile(arg) : call("toInt128", [compile(arg)]));
        return scalarCall(typed.name, typed.kind, typed.args.map(typed.kind === "id" ? wide : compile));
      }
      case "list":
        return this.list(typed, (lambda?.depth ?? 0) + 1);
    }
  }

  private compared(typed: Typed, lambda: Lambda | null): Sql {
    const sql = this.compile(typed, lambda);
    if (this.numbers === null || typed.op !== "number" || Number.isInteger(typed.value)) return sql;
    return { ...sql, text: parameterName(this.numbers.push(sql) - 1) };
  }

  private list(typed: Typed & { op: "list" }, depth: number): Sql {
    const noteRead = (read: FilterField) => void this.fields.set(read.column, read);
    return listCall(typed, {
      lambda: () => new Lambda(typed.list, depth, noteRead),
      compile: (inner, lambda) => this.compile(inner, lambda),
      array: (read) => {
        noteRead(read);
        return identifier(read.column);
      },
    });
  }
}

function field(text: string, { columnType, nullable, mayBeNaN }: FilterField): Sql {
  return atom(text, {
    nullable,
    nan: mayBeNaN,
    infinite: mayBeNaN,
    whole: /^U?Int(8|16|32)$/.test(columnType),
    float64: columnType === "Float64",
  });
}

function junction(op: "and" | "or", operands: readonly Sql[]): Sql {
  const binds = op === "and" ? AND : OR;
  const text = operands.map((operand) => within(operand, binds)).join(op === "and" ? " AND " : " OR ");
  return atom(text, { binds, nullable: operands.some((operand) => operand.nullable), nullIsFalse: true });
}

function not(condition: Sql): Sql {
  return atom(`NOT ${within(definite(condition), NOT)}`, { binds: NOT });
}

function arithmetic(sign: ArithmeticSign, a: Sql, b: Sql, divisorIsNonzero: boolean): Sql {
  // Integers as floats: ClickHouse's integer sums and products wrap around.
  const left = a.whole && b.whole ? asFloat64(a) : a;
  const known = { float64: true, infinite: true };
  const missing = a.nan || b.nan;
  const bothInfinite = a.infinite && b.infinite;
  switch (sign) {
    case "+":
    case "-":
      return infix(left, sign, b, SUM, { ...known, nan: missing || bothInfinite });
    case "*":
      return infix(left, sign, b, PRODUCT, { ...known, nan: missing || a.infinite || b.infinite });
    case "/": {
      const divisor = divisorIsNonzero ? b : call("nullIf", [b, atom("0")], { nullable: true });
      return infix(left, sign, divisor, PRODUCT, { ...known, nan: missing || bothInfinite });
    }
  }
}

function compare(sign: CompareSign, left: Sql, right: Sql): Sql {
  const [a, b] = [asValue(left), asValue(right)];
  if (sign === "!=" && (a.nan || b.nan)) {
    // NaN is unequal to everything in SQL but to nothing here. The difference of unequal floats is never 0.
    const distance = call("abs", [infix(a, "-", b, SUM, {})]);
    return infix(distance, ">", atom("0"), COMPARISON, { nullIsFalse: true });
  }
  return infix(a, sign, b, COMPARISON, { nullIsFalse: true });
}

function inList({ list, negated }: Typed & { op: "in" }, left: Sql, items: readonly Sql[]): Sql {
  if (!list.every((item) => item.op === item.kind && item.kind !== "truth")) {
    return negated
      ? junction(
          "and",
          items.map((item) => compare("!=", left, item)),
        )
      : junction(
          "or",
          items.map((item) => compare("=", left, item)),
        );
  }
  // ClickHouse drops items that the left side's type cannot hold exactly, which is right, but takes -0 and 0 for two
  // values; adding 0 makes them one.
  const holdsZero = list.some((item) => item.op === "number" && item.value === 0);
  const tested = !left.whole && holdsZero ? infix(left, "+", atom("0"), SUM, {}) : left;
  const set = `(${items.map((item) => item.text).join(", ")})`;
  const known = { binds: COMPARISON, nullable: left.nullable, nullIsFalse: true };
  const found = atom(`${within(tested, SUM)} ${negated ? "NOT IN" : "IN"} ${set}`, known);
  return negated && left.nan ? junction("and", [found, not(atom(`isNaN(${left.text})`))]) : found;
}

function isNonzeroLiteral(typed: Typed): boolean {
  return typed.op === "number" && typed.value !== 0;
}
