// A condition taken apart at its top-level `and`s: what each clause says, and the values by which it decides. For
// explanations and funnels.
import { TocsinError } from "../domain/errors.js";
import { checkCondition } from "./check.js";
import { Checker } from "./checker.js";
import { type CompiledExpression, compileCondition, compileValue } from "./compile.js";
import type { FieldTable } from "./fields.js";
import { parse, type Whole } from "./parser.js";
import type { Problem } from "./problem.js";
import type { Node } from "./syntax.js";
import type { Typed } from "./typed.js";

export interface Clause {
  /** As written, comments and all. */
  readonly text: string;
  /** Place in the whole text, from 1. */
  readonly line: number;
  readonly column: number;
  readonly condition: CompiledExpression;
  /** The alert's fields, named parts and list functions that the clause reads, each once, as written: jd, count(detections). */
  readonly values: readonly ClauseValue[];
}

export interface ClauseValue {
  readonly name: string;
  readonly kind: Typed["kind"];
  readonly value: CompiledExpression;
}

/** All clauses hold where the condition holds. Throws BAD_EXPRESSION where the text is no valid condition. */
export function clausesOf(fields: FieldTable, where: string): Clause[] {
  const [problem] = checkCondition(where, fields).problems;
  if (problem) throw invalid(problem);
  const { lets, tree } = parse(where) as Whole;
  return conjuncts(tree).map((node) => {
    const checker = new Checker(fields);
    checker.define(lets);
    const { typed: condition } = checker.part(node)!;
    const values = new Map<string, ClauseValue>();
    for (const { node: read, typed } of checker.scope.readings) {
      const name = where.slice(read.start, read.end);
      values.set(name, { name, kind: typed.kind, value: compileValue(typed) });
    }
    const { line, column, start, end } = node;
    return {
      text: where.slice(start, end),
      line,
      column,
      condition: compileCondition(condition),
      values: [...values.values()],
    };
  });
}

function conjuncts(node: Node): Node[] {
  return node.kind === "and" ? node.operands.flatMap(conjuncts) : [node];
}

function invalid({ line, column, message }: Problem): TocsinError {
  return new TocsinError("BAD_EXPRESSION", `where, line ${line}, column ${column}: ${message}.`);
}
