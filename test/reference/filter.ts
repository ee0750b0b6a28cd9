// The filter language in plain JavaScript, value by value, straight from the parser's tree: the slow reference that the
// tests hold ClickHouse's answers against. It shares nothing with check.ts and compile.ts. Never shipped.
import { parse, type Whole } from "../../filters/parser.js";
import type { LetPart, Node } from "../../filters/syntax.js";
import { TEST_SURVEY } from "./filterfields.js";
import { evaluateList, LIST_NAMES } from "./filterlists.js";
import type { Element, Row, Value } from "./filtervalues.js";

/** What names mean at a place. */
interface Scope {
  readonly alert: Row;
  readonly lets: ReadonlyMap<string, Node>;
  /** Of the innermost list function; null outside of any. */
  readonly element: Element | null;
}

export function evaluateReference(whole: { lets: readonly LetPart[]; tree: Node }, alert: Row): Value {
  const lets = new Map(whole.lets.map(({ name, value }) => [name, value]));
  return evaluateNode(whole.tree, { alert, lets, element: null });
}

function evaluateNode(node: Node, scope: Scope): Value {
  const value = (inner: Node) => evaluateNode(inner, scope);
  const holds = (inner: Node) => value(inner) === true;
  switch (node.kind) {
    case "number":
      return number(node.text);
    case "text":
    case "truth":
      return node.value;
    case "name":
      return named(node.name, scope);
    case "or":
      return node.operands.some(holds);
    case "and":
      return node.operands.every(holds);
    case "not":
      return !holds(node.operand);
    case "negate": {
      const operand = value(node.operand);
      return typeof operand === "bigint" ? -operand : arithmetic([operand], (x) => -x!);
    }
    case "arithmetic":
      return arithmetic([value(node.left), value(node.right)], (a, b) => {
        switch (node.sign) {
          case "+":
            return a! + b!;
          case "-":
            return a! - b!;
          case "*":
            return a! * b!;
          case "/":
            return b === 0 ? Number.NaN : a! / b!;
        }
      });
    case "compare":
      return compare(node.sign, value(node.left), value(node.right));
    case "between": {
      const [x, low, high] = [value(node.value), value(node.low), value(node.high)];
      return node.negated
        ? compare("<", x, low) || compare(">", x, high)
        : compare(">=", x, low) && compare("<=", x, high);
    }
    case "in": {
      const x = value(node.value);
      const items = node.list.map(value);
      return node.negated ? items.every((item) => compare("!=", x, item)) : items.some((item) => compare("=", x, item));
    }
    case "isNull":
      return (value(node.value) === null) !== node.negated;
    case "call":
      if (LIST_NAMES.has(node.name)) {
        return evaluateList(node, scope.alert, (inner, element) => evaluateNode(inner, { ...scope, element }));
      }
      return call(node.name, node.args, value, holds);
  }
}

function named(name: string, { alert, lets, element }: Scope): Value {
  const known = name.startsWith("alert.") ? name.slice("alert.".length) : name;
  if (element && known === name && name in element) return present(element[name]!);
  const part = lets.get(known);
  if (part) return evaluateNode(part, { alert, lets, element: null });
  const cut = TEST_SURVEY.cuts!.find((one) => `cut.${one.name}` === known);
  if (cut) return evaluateReference(parse(cut.expression) as Whole, alert);
  const found = alert[known]!;
  return Array.isArray(found) ? found.length > 0 : present(found as Value);
}

function present(value: Value): Value {
  return typeof value === "number" && Number.isNaN(value) ? null : value;
}

function compare(sign: string, a: Value, b: Value): boolean {
  if (a === null || b === null) return false;
  const order = orderOf(a, b);
  switch (sign) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    default:
      return order >= 0;
  }
}

/**
 * Whole numbers beyond 2^53 stay exact, for they may be compared with ids. Two of them written out would compare as ids
 * too, which is wrong, but nobody writes that.
 */
function number(text: string): number | bigint {
  const float = Number(text);
  return /^\d+$/.test(text) && !Number.isSafeInteger(float) ? BigInt(text) : float;
}

function orderOf(left: Exclude<Value, null>, right: Exclude<Value, null>): number {
  // Beside a number, what is written out is a 64-bit float; an id there is beside a small one, and far from it or exact.
  const mixed = typeof left === "number" || typeof right === "number";
  const [a, b] = mixed ? [Number(left), Number(right)] : [left, right];
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function arithmetic(args: readonly Value[], compute: (...numbers: number[]) => number): number | null {
  if (args.includes(null)) return null;
  const result = compute(...args.map(Number));
  return Number.isNaN(result) ? null : result;
}

function call(name: string, args: readonly Node[], value: (n: Node) => Value, holds: (n: Node) => boolean): Value {
  if (name === "if") return holds(args[0]!) ? value(args[1]!) : value(args[2]!);
  const values = args.map(value);
  if (name === "startsWith" || name === "contains") {
    const [text, part] = values;
    if (typeof text !== "string" || typeof part !== "string") return null;
    return name === "contains" ? text.includes(part) : text.startsWith(part);
  }
  if (name === "coalesce") return values.find((v) => v !== null) ?? null;
  return arithmetic(values, (...numbers) => {
    const [a, b, c, d] = numbers as [number, number, number, number];
    switch (name) {
      case "abs":
        return Math.abs(a);
      case "sqrt":
        return Math.sqrt(a);
      case "exp":
        return Math.exp(a);
      case "ln":
        return Math.log(a);
      case "log10":
        return Math.log10(a);
      case "pow":
        return power(a, b);
      case "floor":
        return Math.floor(a);
      case "ceil":
        return Math.ceil(a);
      case "round":
        return round(a, numbers.length > 1 ? b : 0);
      case "least":
        return Math.min(...numbers);
      case "greatest":
        return Math.max(...numbers);
      case "magnitudeOf":
        return a > 0 ? 31.4 - 2.5 * Math.log10(a) : Number.NaN;
      case "fluxOf":
        return 10 ** ((31.4 - a) / 2.5);
      case "separation":
        return haversine(a, b, c, d);
      default:
        throw new Error(`no function ${name}`);
    }
  });
}

/** IEEE 754 pow, where JavaScript's differs: pow(1, inf) and pow(-1, inf) are 1. */
function power(base: number, exponent: number): number {
  return Math.abs(base) === 1 && Math.abs(exponent) === Number.POSITIVE_INFINITY ? 1 : base ** exponent;
}

function round(x: number, digits: number): number {
  const scale = 10 ** Math.abs(digits);
  return digits >= 0 ? toEven(x * scale) / scale : toEven(x / scale) * scale;
}

function toEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** Another formula than the compiler's: good but near the antipodes. */
function haversine(ra1: number, dec1: number, ra2: number, dec2: number): number {
  const [d1, d2] = [(dec1 * Math.PI) / 180, (dec2 * Math.PI) / 180];
  const dl = ((ra2 - ra1) * Math.PI) / 180;
  const h = Math.sin((d2 - d1) / 2) ** 2 + Math.cos(d1) * Math.cos(d2) * Math.sin(dl / 2) ** 2;
  return (2 * Math.asin(Math.min(1, Math.sqrt(h))) * 180 * 3600) / Math.PI;
}
