// What people need to design a filter: its texts compiled for the archive, its clauses, and what can be said about them
// without looking at an alert. Made by cli/ for resolvers/.

import { TocsinError } from "../../domain/errors.js";
import type { Annotation } from "../../domain/filter.js";
import type { Survey } from "../../domain/survey.js";
import { checkCondition, checkExpression } from "../check.js";
import { type Clause, clausesOf } from "../clauses.js";
import { type CompiledExpression, compileCondition, compileValue } from "../compile.js";
import { examplesOf, type FilterExample } from "../examples.js";
import type { FieldsOf, Kind } from "../fields.js";
import type { Finding } from "../language.js";
import { MEDIAN_FILTERS } from "./median.js";
import { standingOf } from "./standing.js";

export interface DesignAnnotation {
  readonly name: string;
  readonly kind: Kind;
  readonly value: CompiledExpression;
}

export interface FilterDesign {
  /** Throws BAD_EXPRESSION where the text is no valid condition. */
  condition(survey: Survey, where: string): CompiledExpression;
  /** The same in parts that must all hold. */
  parts(survey: Survey, where: string): readonly CompiledExpression[];
  /** Valid ones only: FilterLanguage.validate comes first. */
  annotations(survey: Survey, annotations: readonly Annotation[]): readonly DesignAnnotation[];
  /** What is joined by `and` at the top. Throws BAD_EXPRESSION. */
  clauses(survey: Survey, where: string): readonly Clause[];
  /** Clauses that repeat, contradict or contain one another. Empty for a text that is not valid. */
  standing(survey: Survey, where: string): readonly Finding[];
  /** Filters of ordinary cost, of which none shares anything with another: what costs are told in. */
  readonly median: (survey: Survey) => readonly CompiledExpression[];
  /** The library of examples, by name. */
  examples(survey: Survey): readonly FilterExample[];
}

export function createFilterDesign(fieldsOf: FieldsOf): FilterDesign {
  const condition = (survey: Survey, where: string) => {
    const { typed, problems } = checkCondition(where, fieldsOf(survey));
    if (typed === null) throw notValid(problems[0]!);
    return compileCondition(typed);
  };
  const examples = new Map<Survey, readonly FilterExample[]>();
  return {
    examples(survey) {
      const known = examples.get(survey) ?? examplesOf(survey);
      examples.set(survey, known);
      return known;
    },
    condition,
    annotations: (survey, annotations) =>
      annotations.map(({ name, expression }) => {
        const { typed, problems } = checkExpression(expression, fieldsOf(survey));
        if (typed === null) throw notValid(problems[0]!);
        return { name, kind: typed.kind, value: compileValue(typed) };
      }),
    parts: (survey, where) => clausesOf(fieldsOf(survey), where).map((clause) => clause.condition),
    clauses: (survey, where) => clausesOf(fieldsOf(survey), where),
    standing: (survey, where) => standingOf(where, fieldsOf(survey)),
    median: (survey) => MEDIAN_FILTERS.map((where) => condition(survey, where)),
  };
}

type Archived = Pick<CompiledExpression, "sql" | "columns">;

/** Parts of what passes the one and not the other, which is told whole. */
export const but = (parts: readonly Archived[], other: Archived): readonly Archived[] => [
  ...parts,
  { sql: `NOT (${other.sql})`, columns: other.columns },
];

function notValid({ line, column, message }: Finding): TocsinError {
  return new TocsinError("BAD_EXPRESSION", `line ${line}, column ${column}: ${message}.`, {
    details: { line, column },
  });
}
