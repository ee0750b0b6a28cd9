// Checks a tree node by node: names, kinds, units, numbers of arguments. Called by check.ts and clauses.ts.
import type { FieldTable, FilterList, Kind } from "./fields.js";
import { FUNCTION_NAMES, isScalar, MAX_ROUND_DIGITS, SCALARS, type Signature } from "./functions.js";
import { checkListCall, isListCall } from "./listcalls.js";
import { nearestName } from "./nearest.js";
import { parse, type Whole } from "./parser.js";
import {
  A_KIND,
  type Apart,
  all,
  asKind,
  type Checking,
  commonUnit,
  kindOfAll,
  made,
  oneKind,
  type Part,
  typedOf,
} from "./part.js";
import { type Place, type Problem, problemAt, quoteForMessage } from "./problem.js";
import { Scope } from "./scope.js";
import type { LetPart, Node } from "./syntax.js";
import type { Typed } from "./typed.js";

export class Checker implements Checking {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly scope: Scope;

  constructor(private readonly fields: FieldTable) {
    this.scope = new Scope(fields, this);
  }

  /** An expression after the parts that it names. */
  whole({ lets, tree }: Whole): Part | null {
    this.define(lets);
    return this.part(tree);
  }

  define(lets: readonly LetPart[]): void {
    for (const letPart of lets) {
      this.scope.define(letPart);
    }
  }

  warning(place: Place, message: string): void {
    this.warnings.push(problemAt(place, message));
  }

  apart(text: string): Apart {
    const checker = new Checker(this.fields);
    const parsed = parse(text);
    const part = "problem" in parsed ? null : checker.whole(parsed);
    const problem = "problem" in parsed ? parsed.problem : checker.problems[0];
    const { fieldsRead, deepest: depth } = checker.scope;
    return { part, problem: problem?.message ?? null, fieldsRead, depth };
  }

  inside<T>(list: FilterList, check: () => T): T {
    return this.scope.inside(list, check);
  }

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
        return this.scope.name(node);
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
      return { ...part, unit: commonUnit(this, [left, right], sign, node) };
    }
    // Scaling by a number written out keeps the unit; every other product has one that is not followed here.
    const kept = right.typed.op === "number" ? left : left.typed.op === "number" && sign === "*" ? right : null;
    return { ...part, unit: kept?.unit ?? null };
  }

  private call(node: Node & { kind: "call" }): Part | null {
    const { name } = node;
    if (isListCall(node)) {
      return checkListCall(node, this, this.scope);
    }
    if (!isScalar(name)) {
      const nearest = nearestName(name, FUNCTION_NAMES);
      const remedy = nearest ? `did you mean ${nearest}?` : `there are ${FUNCTION_NAMES.join(", ")}`;
      return this.problem({ ...node, end: node.nameEnd }, `there is no function ${quoteForMessage(name)}; ${remedy}`);
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
    if (signature.takes) {
      this.expectUnit(args, signature.takes, name);
    }
    const unit =
      signature.unit === "kept" ? commonUnit(this, name === "round" ? [args[0]!] : values, name, node) : signature.unit;
    const kind = signature.result === "same" ? kindOfAll(values) : signature.result;
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
    return all(parts) && (same.length === 0 || oneKind(this, same, node.name)) ? parts : null;
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

  private expectUnit(args: readonly Part[], right: string, user: string): void {
    const word = right === "deg" ? "degrees" : right;
    for (const { unit, shown, node } of args) {
      if (unit !== null && unit !== right) {
        this.warning(node, `${user} takes ${word}, ${shown} is in ${unit}`);
      }
    }
  }

  ofKind(node: Node, kind: Kind, user: string): Part | null {
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
    if (!all(parts) || !oneKind(this, parts, user)) {
      return null;
    }
    const kind = kindOfAll(parts);
    if (kind === "truth" && user !== "=" && user !== "!=") {
      this.problem(place, `truth values have no order; compare them by = or != instead of ${user}`);
      return null;
    }
    commonUnit(this, parts, user, place);
    if (user === "=" || user === "!=" || user === "in") {
      this.expectExact(parts);
    }
    return asKind(parts, kind);
  }

  /** A field of 32-bit floats is never 0.1, which is another number with 64 bits. */
  private expectExact(parts: readonly Part[]): void {
    const narrow = parts.find(({ typed }) => "field" in typed && typed.field.columnType === "Float32");
    if (!narrow) {
      return;
    }
    for (const { typed, node, shown } of parts) {
      if (typed.op === "number" && Math.fround(typed.value) !== typed.value) {
        const remedy = "compare by < and >, or round it";
        this.warning(node, `${narrow.shown} is a 32-bit float and never exactly ${shown}; ${remedy}`);
      }
    }
  }
}
