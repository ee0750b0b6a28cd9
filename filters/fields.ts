// The names that expressions over a survey's alerts may read. Called by check.ts, editing.ts (filterFields) and run.ts.
import { COMMON_FIELDS } from "../domain/alert.js";
import type { ElementType } from "../domain/columns.js";
import { TocsinError } from "../domain/errors.js";
import type { Survey, SurveyDescription } from "../domain/survey.js";

/**
 * number: 64-bit float (32-bit fields and small integers widened exactly). id: 64-bit integer, compared exactly, never
 * calculated with. text, truth: as they say.
 */
export type Kind = "number" | "text" | "truth" | "id";

export interface FilterField {
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string | null;
  readonly description: string;
  /** Column of the survey's alert table and of its batches. */
  readonly column: string;
  readonly columnType: ElementType;
  readonly nullable: boolean;
  /** True where the column may hold NaN, which counts as missing. */
  readonly mayBeNaN: boolean;
}

export interface FieldTable {
  readonly survey: Survey;
  /** Common fields first, then the survey's own in its order. */
  readonly fields: readonly FilterField[];
  get(name: string): FilterField | undefined;
  /** The known name that is fewest edits away, or null where none is near. */
  nearest(name: string): string | null;
}

export type FieldsOf = (survey: Survey) => FieldTable;

/** Throws UNKNOWN_SURVEY for a survey that is not among the descriptions. */
export function fieldsOfSurveys(surveys: readonly SurveyDescription[]): FieldsOf {
  const tables = new Map(surveys.map((survey) => [survey.id, fieldTable(survey)]));
  return (survey) => {
    const table = tables.get(survey);
    if (!table) {
      throw new TocsinError("UNKNOWN_SURVEY", `There is no survey ${JSON.stringify(survey)}.`, {
        remedy: `Choose one of ${[...tables.keys()].join(", ")}.`,
      });
    }
    return table;
  };
}

function fieldTable(survey: SurveyDescription): FieldTable {
  const byName = new Map<string, FilterField>();
  for (const { name, type, nullable, unit, description } of COMMON_FIELDS) {
    // A common column that is never missing is never NaN either: such packets go to the dead letters.
    const mayBeNaN = nullable && isFloat(type);
    byName.set(name, {
      name,
      kind: kindOf(type),
      unit,
      description,
      column: name,
      columnType: type,
      nullable,
      mayBeNaN,
    });
  }
  for (const { name, type, nullable, unit, description } of survey.fields) {
    if (!byName.has(name)) {
      const mayBeNaN = isFloat(type);
      byName.set(name, {
        name,
        kind: kindOf(type),
        unit,
        description,
        column: name,
        columnType: type,
        nullable,
        mayBeNaN,
      });
    }
  }
  return {
    survey: survey.id,
    fields: [...byName.values()],
    get: (name) => byName.get(name),
    nearest: (name) => nearestName(name, byName.keys()),
  };
}

function isFloat(type: ElementType): boolean {
  return type === "Float32" || type === "Float64";
}

function kindOf(type: ElementType): Kind {
  switch (type) {
    case "Bool":
      return "truth";
    case "String":
      return "text";
    case "Int64":
    case "UInt64":
      return "id";
    default:
      return "number";
  }
}

/** Also used for function names. Case counts as half an edit, so that MAGPSF finds magpsf. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1.5, name.length / 2);
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) <= bestDistance) {
      const distance = name.toLowerCase() === candidate.toLowerCase() ? 0.5 : editDistance(name, candidate);
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
