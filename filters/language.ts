// The filter language as the API offers it: what may be read, whether a text is valid. Made by cli/ for resolvers/.
import { TocsinError } from "../domain/errors.js";
import type { Annotation } from "../domain/filter.js";
import type { Cut, Survey } from "../domain/survey.js";
import { checkCondition, checkExpression } from "./check.js";
import { type FieldsOf, type FieldTable, type FilterField, type FilterList, type Kind, toldBut } from "./fields.js";
import type { Problem } from "./problem.js";

const MAX_ANNOTATIONS = 20;
const MAX_ANNOTATION_NAME = 50;

/** Line and column from 1. */
export interface Finding {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export interface ExpressionCheck {
  readonly ok: boolean;
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** Names, in the order of their first use. */
  readonly fieldsRead: readonly string[];
}

/** Of a list: `detections` with type list, then its fields as `detections.magpsf`. */
export interface ShownField {
  readonly name: string;
  readonly type: Kind | "list";
  readonly unit: string | null;
  readonly description: string;
}

export interface FilterLanguage {
  /** `type` is number, text, truth, id or list. The same array until something changes. */
  fields(survey: Survey): readonly ShownField[];
  /** Never throws for a bad text; UNKNOWN_SURVEY for an unknown survey. Messages tell no name that is hidden. */
  check(survey: Survey, where: string, isHidden?: IsHidden): ExpressionCheck;
  /** Throws BAD_EXPRESSION with all errors of the condition and the annotations, BAD_ARGUMENT for bad names. */
  validate(survey: Survey, where: string, annotations: readonly Annotation[], isHidden?: IsHidden): void;
}

/** Of names as filters write them, parts of lists too: watch.mine, watch.mine.name. */
export type IsHidden = (name: string) => boolean;

const nothing: IsHidden = () => false;

export function createFilterLanguage(fieldsOf: FieldsOf): FilterLanguage {
  const shown = new WeakMap<FieldTable, readonly ShownField[]>();
  return {
    fields(survey) {
      const table = fieldsOf(survey);
      const fields = shown.get(table) ?? [
        ...table.fields.map(shownField),
        ...table.lists.flatMap(shownList),
        ...[...table.cuts].map(shownCut),
      ];
      shown.set(table, fields);
      return fields;
    },
    check: (survey, where, isHidden = nothing) => {
      const checked = checkCondition(where, toldBut(fieldsOf(survey), isHidden));
      const errors = checked.problems.map(finding);
      return {
        ok: errors.length === 0,
        errors,
        warnings: checked.warnings.map(finding),
        fieldsRead: checked.fieldsRead,
      };
    },
    validate: (survey, where, annotations, isHidden = nothing) => {
      checkNames(annotations);
      const fields = toldBut(fieldsOf(survey), isHidden);
      const errors: (Finding & { readonly part: string })[] = checkCondition(where, fields).problems.map(
        inPart("where"),
      );
      for (const { name, expression } of annotations) {
        errors.push(...checkExpression(expression, fields).problems.map(inPart(`annotation ${name}`)));
      }
      if (errors.length > 0) {
        const { part, message, line, column } = errors[0]!;
        const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
        throw new TocsinError("BAD_EXPRESSION", `${part}, line ${line}, column ${column}: ${message}${more}.`, {
          details: { part, line, column, errors },
        });
      }
    },
  };
}

function shownField({ column: name, kind: type, unit, description }: FilterField): ShownField {
  return { name, type, unit, description };
}

function shownList({ name, description, fields }: FilterList): ShownField[] {
  return [{ name, type: "list", unit: null, description }, ...fields.map(shownField)];
}

function shownCut([name, { expression, description }]: [string, Cut]): ShownField {
  return { name, type: "truth", unit: null, description: `${description} Short for: ${expression}` };
}

function finding({ message, line, column }: Problem): Finding {
  return { message, line, column };
}

function inPart(part: string): (problem: Problem) => Finding & { readonly part: string } {
  return (problem) => ({ part, ...finding(problem) });
}

function checkNames(annotations: readonly Annotation[]): void {
  if (annotations.length > MAX_ANNOTATIONS) {
    throw badAnnotations(`A filter has at most ${MAX_ANNOTATIONS} annotations, not ${annotations.length}.`);
  }
  const names = new Set<string>();
  for (const { name } of annotations) {
    if (name.length > MAX_ANNOTATION_NAME || !/^[A-Za-z_]\w*$/.test(name)) {
      const rule = `a letter, then letters, digits or _, at most ${MAX_ANNOTATION_NAME} in all`;
      throw badAnnotations(`${JSON.stringify(name.slice(0, 60))} cannot name an annotation: ${rule}.`);
    }
    if (names.has(name)) {
      throw badAnnotations(`Two annotations are called ${name}; each needs a name of its own.`);
    }
    names.add(name);
  }
}

function badAnnotations(message: string): TocsinError {
  return new TocsinError("BAD_ARGUMENT", message, {
    remedy: "Change the annotations and send the filter again.",
    details: { argument: "annotations" },
  });
}
