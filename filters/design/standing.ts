// How the clauses of a condition stand to one another, by reasoning alone: what repeats, contradicts or contains another.
// Called by design.ts.
import { checkCondition } from "../check.js";
import type { FieldTable } from "../fields.js";
import type { Finding } from "../language.js";
import { parse, type Whole } from "../parser.js";
import type { Node } from "../syntax.js";
import type { Typed } from "../typed.js";
import { type Bound, both, boundOf, isEmpty, isWithin, keyOf, type Range } from "./intervals.js";

interface Clause {
  readonly node: Node;
  readonly typed: Typed;
  /** As written, on one line. */
  readonly shown: string;
}

/** In the order of the text. Nothing is said of what is not certain. */
export function standingOf(where: string, fields: FieldTable): Finding[] {
  const { typed } = checkCondition(where, fields);
  if (typed === null) return [];
  const { tree } = parse(where) as Whole;
  // A condition of one clause is a conjunction too.
  const findings = tree.kind === "and" ? [] : contradictions(flattened(tree, typed, "and", where));
  junctions(tree, typed, where, (clauses, op) => {
    findings.push(...repeated(clauses, op), ...(op === "and" ? contradictions(clauses) : []));
  });
  return findings.sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Each `and` and `or` of the text with its parts; those of a part that `let` named are told once, where they stand. */
function junctions(
  node: Node,
  typed: Typed,
  where: string,
  visit: (clauses: readonly Clause[], op: "and" | "or") => void,
): void {
  if ((node.kind === "and" || node.kind === "or") && typed.op === node.kind) {
    const clauses = flattened(node, typed, node.kind, where);
    visit(clauses, node.kind);
    for (const clause of clauses) junctions(clause.node, clause.typed, where, visit);
  } else if (node.kind === "not" && typed.op === "not") {
    junctions(node.operand, typed.operand, where, visit);
  }
}

function flattened(node: Node, typed: Typed, op: "and" | "or", where: string): Clause[] {
  if (node.kind === op && typed.op === op) {
    return node.operands.flatMap((operand, n) => flattened(operand, typed.operands[n]!, op, where));
  }
  const text = where.slice(node.start, node.end).replace(/\s+/g, " ");
  return [{ node, typed, shown: text.length > 60 ? `${text.slice(0, 57)}...` : text }];
}

function repeated(clauses: readonly Clause[], op: "and" | "or"): Finding[] {
  const seen = new Map<string, Clause>();
  return clauses.flatMap((clause) => {
    const key = keyOf(clause.typed);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, clause);
    return first === undefined
      ? []
      : [finding(clause, `${clause.shown} stands in this ${op} already, in ${placeOf(first)}`)];
  });
}

/** Of comparisons of one value: those that leave nothing together, and those that another one makes idle. */
function contradictions(clauses: readonly Clause[]): Finding[] {
  const findings: Finding[] = [];
  const about = new Map<string, { clause: Clause; bound: Bound }[]>();
  for (const clause of clauses) {
    const bound = boundOf(clause.typed);
    if (isEmpty(bound.range)) {
      findings.push(finding(clause, `${clause.shown} is never true`));
      continue;
    }
    const others = about.get(bound.about) ?? [];
    about.set(bound.about, others);
    findings.push(...against(clause, bound.range, others));
    others.push({ clause, bound });
  }
  return findings;
}

function against(clause: Clause, range: Range, others: readonly { clause: Clause; bound: Bound }[]): Finding[] {
  for (const { clause: other, bound } of others) {
    if (isEmpty(both(range, bound.range))) {
      const message = `${clause.shown} and ${other.shown} (${placeOf(other)}) are never true together`;
      return [finding(clause, message)];
    }
    if (keyOf(clause.typed) === keyOf(other.typed)) continue;
    if (isWithin(bound.range, range)) {
      return [finding(clause, `${clause.shown} removes nothing that ${other.shown} (${placeOf(other)}) leaves`)];
    }
    if (isWithin(range, bound.range)) {
      return [finding(other, `${other.shown} removes nothing that ${clause.shown} (${placeOf(clause)}) leaves`)];
    }
  }
  return [];
}

const placeOf = ({ node }: Clause): string => `line ${node.line}, column ${node.column}`;
const finding = ({ node }: Clause, message: string): Finding => ({ message, line: node.line, column: node.column });
