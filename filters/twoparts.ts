// A condition in two: what reads single values decides most alerts, and lists are looked at for the rest. Called by
// compiled.ts.
import { type CompiledExpression, compileCondition } from "./compile.js";
import type { Typed } from "./typed.js";

/** The condition holds where both hold. One of them may be missing, never both. */
export interface TwoParts {
  /** Reads no list. */
  readonly quick: CompiledExpression | null;
  readonly slow: CompiledExpression | null;
}

/** The clauses between the condition's outermost `and`s, by whether they read lists. Each is true or false, never missing. */
export function compileInTwo(condition: Typed): TwoParts {
  const clauses = conjuncts(condition);
  const part = (operands: Typed[]): CompiledExpression | null => {
    const [first] = operands;
    if (!first) return null;
    return compileCondition(operands.length === 1 ? first : { op: "and", kind: "truth", operands });
  };
  return {
    quick: part(clauses.filter((clause) => !readsList(clause))),
    slow: part(clauses.filter(readsList)),
  };
}

function conjuncts(typed: Typed): Typed[] {
  return typed.op === "and" ? typed.operands.flatMap(conjuncts) : [typed];
}

function readsList(typed: Typed): boolean {
  return typed.op === "list" || inner(typed).some(readsList);
}

function inner(typed: Typed): readonly Typed[] {
  switch (typed.op) {
    case "and":
    case "or":
      return typed.operands;
    case "not":
    case "negate":
      return [typed.operand];
    case "arithmetic":
    case "compare":
      return [typed.left, typed.right];
    case "between":
      return [typed.value, typed.low, typed.high];
    case "in":
      return [typed.value, ...typed.list];
    case "isMissing":
      return [typed.value];
    case "call":
      return typed.args;
    default:
      return [];
  }
}
