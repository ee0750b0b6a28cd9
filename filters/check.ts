// Text -> typed tree, or everything that is wrong with it. Called by run.ts (stored filters) and editing.ts (new ones).
import { fits } from "./compile.js";
import type { FieldTable, FilterField, Kind } from "./fields.js";
import { nearestName } from "./fields.js";
import { isScalar, laterFunction, laterName, MAX_ROUND_DIGITS, SCALARS, type Signature } from "./functions.js";
import { parse } from "./parser.js";
import { type Place, type Problem, problemAt, quoteForMessage } from "./problem.js";
import type { Node } from "./syntax.js";
import type { Typed } from "./typed.js";

export interface Checked {
  /** null where there are problems. */
  readonly typed: Typed | null;
  /** In the order of the text. */
  readonly problems: readonly Problem[];
  /** Unlike units added or compared: allowed, seldom meant. */
  readonly warnings: readonly Problem[];
  /** Names of the fields that the expression reads, in the order of their first use. */
  readonly fieldsRead: readonly string[];
}

/** An expression of any kind: an annotation. */
export function checkExpression(text: string, fields: FieldTable): Checked {
  return check(text, fields, false);
}

/** An expression that must be a truth value: a filter's `where`. */
export function checkCondition(text: string, fields: FieldTable): Checked {
  return check(text, fields, true);
}

function check(text: string, fields: FieldTable, mustBeTruth: boolean): Checked {
  const parsed = parse(text);
  if ("problem" in parsed) {
    return { typed: null, problems: [parsed.problem], warnings: [], fieldsRead: [] };
  }
  const checker = new Checker(fields);
  const part = checker.part(parsed.tree);
  if (part && mustBeTruth && part.typed.kind !== "truth") {
    checker.problem(
      parsed.tree,
      `${part.shown} is ${A_KIND[part.typed.kind]}; a filter needs a condition such as drb > 0.8`,
    );
  }
  if (part && checker.problems.length === 0 && !fits(part.typed)) {
    const remedy = "nest if, coalesce, least, greatest, pow and between less deeply";
    checker.problem(parsed.tree, `the expression grows too large when it is compiled; ${remedy}`);
  }
  const problems = checker.problems.toSorted((a, b) => a.start - b.start);
  const fieldsRead = [...checker.fieldsRead];
  return { typed: part && problems.length === 0 ? part.typed : null, problems, warnings: checker.warnings, fieldsRead };
}

const A_KIND: Readonly<Record<Kind, string>> = {
  number: "a number",
  text: "text",
  truth: "a truth value",
  id: "a 64-bit id",
};

/** A checked part of the expression. */
interface Part {
  readonly typed: Typed;
  readonly node: Node;
  /** Unit of a number, null where none is known. */
  readonly unit: string | null;
  /** Value of a whole number written out, exact beyond 2^53: it becomes an id beside an id. */
  readonly whole: bigint | null;
  /** How messages call it. */
  readonly shown: string;
}

const MIN_ID = -(2n ** 63n);
const MAX_ID = 2n ** 64n - 1n;

class Checker {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly fieldsRead = new Set<string>();

  constructor(private readonly fields: FieldTable) {}

  problem(place: Place, message: string): null {
    this.problems.push(problemAt(place, message));
    return null;
  }

  /** null where the part has problems, which are then noted. */
  part(node: Node): Part | null {
    switch (node.kind) {
      case "number":
        return this.number(node, node.text);
      case "text":
        return made(node, { op: "text", kind: "text", value: node.value }, `the text '${quoteForMessage(node.value)}'`);
      case "truth":
        return made(node, { op: "truth", kind: "truth", value: node.value }, String(node.value));
      case "name":
        return this.name(node, node.name);
      case "call":
        return this.call(node);
      case "or":
      case "and": {
        const operands = node.operands.map((operand) => this.ofKind(operand, "truth", node.kind));
        return all(operands) ? made(node, { op: node.kind, kind: "truth", operands: typedOf(operands) }) : null;
      }
      case "not": {
        const operand = this.ofKind(node.operand, "truth", "not");
        return operand && made(node, { op: "not", kind: "truth", operand: operand.typed });
      }
      case "negate":
        return this.negate(node);
      case "arithmetic":
        return this.arithmetic(node);
      case "compare": {
        const pair = this.alike([node.left, node.right], node.sign, node);
        const [left, right] = pair ?? [];
        return left && right ? made(node, { op: "compare", kind: "truth", sign: node.sign, left, right }) : null;
      }
      case "between": {
        const [value, low, high] = this.alike([node.value, node.low, node.high], "between", node) ?? [];
        const negated = node.negated;
        return value && low && high ? made(node, { op: "between", kind: "truth", negated, value, low, high }) : null;
      }
      case "in": {
        const [value, ...list] = this.alike([node.value, ...node.list], "in", node) ?? [];
        return value ? made(node, { op: "in", kind: "truth", negated: node.negated, value, list }) : null;
      }
      case "isNull": {
        const value = this.part(node.value);
        return value && made(node, { op: "isMissing", kind: "truth", negated: node.negated, value: value.typed });
      }
    }
  }

  private number(node: Node, text: string): Part | null {
    const value = Number(text);
    if (!Number.isFinite(value)) {
      return this.problem(node, `${quoteForMessage(text)} is too large for a 64-bit float; at most 1.797e308`);
    }
    const whole = /^-?\d+$/.test(text) ? BigInt(text) : null;
    return { ...made(node, { op: "number", kind: "number", value }, quoteForMessage(text)), whole };
  }

  private name(node: Node, name: string): Part | null {
    const field = this.fields.get(name);
    if (field) {
      this.fieldsRead.add(name);
      return { ...made(node, { op: "field", kind: field.kind, field }, name), unit: field.unit };
    }
    const later = laterName(name);
    if (later) {
      return this.problem(node, later);
    }
    const nearest = this.fields.nearest(name);
    const remedy = nearest ? `did you mean ${nearest}?` : "filterFields lists the names that it has";
    return this.problem(node, `${this.fields.survey} has no field ${quoteForMessage(name)}; ${remedy}`);
  }

  private negate(node: Node & { kind: "negate" }): Part | null {
    if (node.operand.kind === "number") {
      return this.number(node, `-${node.operand.text}`);
    }
    const operand = this.ofKind(node.operand, "number", "-");
    return operand && { ...made(node, { op: "negate", kind: "number", operand: operand.typed }), unit: operand.unit };
  }

  private arithmetic(node: Node & { kind: "arithmetic" }): Part | null {
    const { sign } = node;
    const left = this.ofKind(node.left, "number", sign);
    const right = this.ofKind(node.right, "number", sign);
    if (!left || !right) {
      return null;
    }
    const part = made(node, { op: "arithmetic", kind: "number", sign, left: left.typed, right: right.typed });
    if (sign === "+" || sign === "-") {
      return { ...part, unit: this.commonUnit([left, right], sign, node) };
    }
    // Scaling by a number written out keeps the unit; every other product has one that is not followed here.
    const kept = right.typed.op === "number" ? left : left.typed.op === "number" && sign === "*" ? right : null;
    return { ...part, unit: kept?.unit ?? null };
  }

  private call(node: Node & { kind: "call" }): Part | null {
    const { name } = node;
    const nameOnly = { ...node, end: node.nameEnd };
    if (!isScalar(name)) {
      const nearest = nearestName(name, Object.keys(SCALARS));
      const remedy = nearest ? `did you mean ${nearest}?` : `there are ${Object.keys(SCALARS).join(", ")}`;
      const unknown = `there is no function ${quoteForMessage(name)}; ${remedy}`;
      return this.problem(nameOnly, laterFunction(name) ?? laterName(name) ?? unknown);
    }
    const signature = SCALARS[name];
    const count = node.args.length;
    if (count < signature.least || count > signature.most) {
      return this.problem(
        node,
        `${name} was given ${count} argument${count === 1 ? "" : "s"}; write ${signature.usage}`,
      );
    }
    const args = this.arguments(node, signature);
    if (!args) {
      return null;
    }
    if (name === "round" && !this.goodDigits(args[1])) {
      return null;
    }
    const values = name === "if" ? args.slice(1) : args;
    if (name === "separation") {
      this.expectDegrees(args);
    }
    const unit =
      signature.unit === "kept" ? this.commonUnit(name === "round" ? [args[0]!] : values, name, node) : signature.unit;
    const kind = signature.args.at(-1) === "same" ? kindOfAll(values) : "number";
    const typedArgs = name === "if" || name === "coalesce" ? asKind(values, kind) : typedOf(args);
    const typed = name === "if" ? [args[0]!.typed, ...typedArgs] : typedArgs;
    return { ...made(node, { op: "call", kind, name, args: typed }), unit };
  }

  private arguments(node: Node & { kind: "call" }, signature: Signature): readonly Part[] | null {
    const same: Part[] = [];
    const parts = node.args.map((arg, i) => {
      const kind = signature.args[Math.min(i, signature.args.length - 1)]!;
      const part = kind === "same" ? this.part(arg) : this.ofKind(arg, kind, node.name);
      if (part && kind === "same") {
        same.push(part);
      }
      return part;
    });
    return all(parts) && (same.length === 0 || this.oneKind(same, node.name)) ? parts : null;
  }

  private goodDigits(digits: Part | undefined): boolean {
    if (!digits || (digits.whole !== null && digits.whole >= -MAX_ROUND_DIGITS && digits.whole <= MAX_ROUND_DIGITS)) {
      return true;
    }
    const bounds = `from -${MAX_ROUND_DIGITS} to ${MAX_ROUND_DIGITS}`;
    this.problem(
      digits.node,
      `${digits.shown} is not a number of digits; round needs a whole number ${bounds} written out`,
    );
    return false;
  }

  private expectDegrees(args: readonly Part[]): void {
    for (const { unit, shown, node } of args) {
      if (unit !== null && unit !== "deg") {
        this.warnings.push(problemAt(node, `separation takes degrees, ${shown} is in ${unit}`));
      }
    }
  }

  private ofKind(node: Node, kind: Kind, user: string): Part | null {
    const part = this.part(node);
    if (!part || part.typed.kind === kind) {
      return part;
    }
    const found = `${part.shown} is ${A_KIND[part.typed.kind]}`;
    if (part.typed.kind === "id") {
      return this.problem(node, `${found}; ids can be compared, not calculated with or used as a condition`);
    }
    const remedy = kind === "truth" ? "compare it with something" : `${user} needs ${A_KIND[kind]}`;
    return this.problem(node, `${found} where ${user} needs ${A_KIND[kind]}${kind === "truth" ? `; ${remedy}` : ""}`);
  }

  /** The nodes as parts that compare with one another, or null and problems noted. */
  private alike(nodes: readonly Node[], user: string, place: Place): Typed[] | null {
    const parts = nodes.map((node) => this.part(node));
    if (!all(parts) || !this.oneKind(parts, user)) {
      return null;
    }
    const kind = kindOfAll(parts);
    if (kind === "truth" && user !== "=" && user !== "!=") {
      this.problem(place, `truth values have no order; compare them by = or != instead of ${user}`);
      return null;
    }
    this.commonUnit(parts, user, place);
    return asKind(parts, kind);
  }

  private oneKind(parts: readonly Part[], user: string): boolean {
    const kind = kindOfAll(parts);
    const first = parts.find((part) => part.typed.kind === kind);
    for (const part of parts) {
      if (part.typed.kind !== kind && !(kind === "id" && isWhole(part))) {
        this.problem(part.node, mismatch(first!, part, user));
        return false;
      }
      if (kind === "id" && part.whole !== null && (part.whole < MIN_ID || part.whole > MAX_ID)) {
        this.problem(part.node, `${part.shown} does not fit into 64 bits; no id is like this`);
        return false;
      }
    }
    return true;
  }

  private commonUnit(parts: readonly Part[], user: string, place: Place): string | null {
    const known = parts.filter((part) => part.unit !== null);
    const first = known[0];
    const other = known.find((part) => part.unit !== first?.unit);
    if (first && other) {
      const message = `${user} mixes ${first.unit} (${first.shown}) with ${other.unit} (${other.shown})`;
      this.warnings.push(problemAt(place, message));
    }
    return first?.unit ?? null;
  }
}

function mismatch(first: Part, other: Part, user: string): string {
  const found = `${user} between ${first.shown} (${A_KIND[first.typed.kind]}) and ${other.shown} (${A_KIND[other.typed.kind]})`;
  const kinds = new Set([first.typed.kind, other.typed.kind]);
  if (kinds.has("id")) {
    return `${found}; an id compares with ids and whole numbers, written without quotes, point or exponent`;
  }
  if (kinds.has("truth")) {
    const truth = first.typed.kind === "truth" ? first : other;
    return `${found}; a truth value stands alone: ${truth.shown}, or not ${truth.shown}`;
  }
  const [number, text] = first.typed.kind === "number" ? [first, other] : [other, first];
  return number.typed.op === "number" && text.typed.op === "field"
    ? `${found}; text compares with text in single quotes: '${number.shown}'`
    : `${found}; both must be of one kind`;
}

/** The kind that decides for all: an id where there is one, else the first part's. */
function kindOfAll(parts: readonly Part[]): Kind {
  return parts.some((part) => part.typed.kind === "id") ? "id" : parts[0]!.typed.kind;
}

function isWhole(part: Part): boolean {
  return part.whole !== null || (part.typed.op === "field" && isWholeColumn(part.typed.field));
}

function isWholeColumn(field: FilterField): boolean {
  return field.kind === "number" && !field.columnType.startsWith("Float");
}

function asKind(parts: readonly Part[], kind: Kind): Typed[] {
  return parts.map(({ typed, whole }) =>
    kind === "id" && whole !== null ? { op: "id", kind: "id", value: whole } : typed,
  );
}

function typedOf(parts: readonly Part[]): Typed[] {
  return parts.map((part) => part.typed);
}

function all(parts: readonly (Part | null)[]): parts is readonly Part[] {
  return parts.every((part) => part !== null);
}

function made(node: Node, typed: Typed, shown?: string): Part {
  return { node, typed, unit: null, whole: null, shown: shown ?? "this" };
}
