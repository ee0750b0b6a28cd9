// Text -> typed tree, or everything that is wrong with it. Called by compiled.ts (stored filters) and language.ts (new ones).
import { Checker } from "./checker.js";
import { fits } from "./compile.js";
import type { FieldTable } from "./fields.js";
import { parse, type Whole } from "./parser.js";
import { A_KIND } from "./part.js";
import { type Problem, problemAt } from "./problem.js";
import type { Typed } from "./typed.js";

export interface Checked {
  /** null where there are problems. */
  readonly typed: Typed | null;
  /** In the order of the text. */
  readonly problems: readonly Problem[];
  /** Unlike units added or compared, parts that nothing reads: allowed, seldom meant. */
  readonly warnings: readonly Problem[];
  /** Names of what the expression reads, in the order of their first use: drb, detections.magpsf, detections. */
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
  const part = checker.whole(parsed);
  if (part && mustBeTruth && part.typed.kind !== "truth") {
    checker.problem(
      parsed.tree,
      `${part.shown} is ${A_KIND[part.typed.kind]}; a filter needs a condition such as drb > 0.8`,
    );
  }
  if (part && checker.problems.length === 0 && !fits(part.typed)) {
    const remedy = "nest if, coalesce, least, greatest, pow, between and the parts that let names less deeply";
    checker.problem(parsed.tree, `the expression grows too large when it is compiled; ${remedy}`);
  }
  const problems = checker.problems.toSorted(byPlace);
  return {
    typed: part && problems.length === 0 ? part.typed : null,
    problems,
    warnings: [...checker.warnings, ...unusedParts(parsed, checker)].toSorted(byPlace),
    fieldsRead: [...checker.scope.fieldsRead],
  };
}

function unusedParts({ lets }: Whole, checker: Checker): Problem[] {
  const unused = new Set(checker.scope.unused());
  return lets.filter(({ name }) => unused.has(name)).map((part) => problemAt(part, `nothing reads ${part.name}`));
}

const byPlace = (a: Problem, b: Problem) => a.start - b.start;
