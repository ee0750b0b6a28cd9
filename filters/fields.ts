// The names that expressions over a survey's alerts may read: its fields, and what enrichment adds to them. Called by
// the checker, language.ts (filterFields) and active.ts.
import { COMMON_FIELDS } from "../domain/alert.js";
import type { ElementType } from "../domain/columns.js";
import { TocsinError } from "../domain/errors.js";
import type { Operand, OperandList, OperandSource } from "../domain/operand.js";
import type { Cut, Survey, SurveyDescription } from "../domain/survey.js";

/**
 * number: 64-bit float (32-bit fields and small integers widened exactly). id: 64-bit integer, compared exactly, never
 * calculated with. text, truth: as they say.
 */
export type Kind = "number" | "text" | "truth" | "id";

export interface FilterField {
  /** Of a list's field: its own name, without the list's. */
  readonly name: string;
  readonly kind: Kind;
  readonly unit: string | null;
  readonly description: string;
  /** Column of the survey's alert table and of its batches; of a list's field the list column, detections.magpsf. */
  readonly column: string;
  readonly columnType: ElementType;
  /** Of a list's field: whether its elements may be NULL. */
  readonly nullable: boolean;
  /** True where the column may hold NaN, which counts as missing. */
  readonly mayBeNaN: boolean;
  /** Where it comes from: the alert itself, or enrichment, which may have failed: then it is missing or an empty list. */
  readonly origin: "alert" | "enrichment" | "list";
}

export interface FilterList {
  readonly name: string;
  readonly description: string;
  readonly order: OperandList["order"];
  /** At least one. */
  readonly fields: readonly FilterField[];
  /** The field by which elements are counted where no other is read. */
  readonly counted: FilterField;
  get(name: string): FilterField | undefined;
}

export interface FieldTable {
  readonly survey: Survey;
  /** Common fields first, then the survey's own in its order, then what enrichment adds. */
  readonly fields: readonly FilterField[];
  readonly lists: readonly FilterList[];
  /** By their whole names: cut.star. */
  readonly cuts: ReadonlyMap<string, Cut>;
  get(name: string): FilterField | undefined;
  list(name: string): FilterList | undefined;
  /** Names that messages may tell. Unless toldBut says whom: a private watch list must not be found by misspelling it. */
  readonly toldNames: readonly string[];
}

export interface FieldsOf {
  /** The same table until something changes. Throws UNKNOWN_SURVEY for a survey that is not among the descriptions. */
  (survey: Survey): FieldTable;
  /** The listener is called after each change of what there is to read; the function ends it. */
  onChange(listener: () => void): () => void;
}

/** Where two sources tell of one name, the first holds. */
export function fieldsOfSurveys(
  surveys: readonly SurveyDescription[],
  sources: readonly OperandSource[] = [],
): FieldsOf {
  const descriptions = new Map(surveys.map((survey) => [survey.id, survey]));
  const tables = new Map<Survey, FieldTable>();
  const listeners = new Set<() => void>();
  for (const source of sources) {
    source.onChange(() => {
      tables.clear();
      for (const listener of listeners) listener();
    });
  }
  const fieldsOf = (survey: Survey) => {
    const made = tables.get(survey);
    if (made) return made;
    const description = descriptions.get(survey);
    if (!description) {
      throw new TocsinError("UNKNOWN_SURVEY", `There is no survey ${JSON.stringify(survey)}.`, {
        remedy: `Choose one of ${[...descriptions.keys()].join(", ")}.`,
      });
    }
    const table = fieldTable(description, sources);
    tables.set(survey, table);
    return table;
  };
  return Object.assign(fieldsOf, {
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
}

/** What users bring, some of it for themselves only. */
const USERS_OWN = /^(watch|area|skymap)\./;

function fieldTable(survey: SurveyDescription, sources: readonly OperandSource[]): FieldTable {
  const fields = new Map<string, FilterField>();
  const lists = new Map<string, FilterList>();
  const add = (field: FilterField) => {
    if (!fields.has(field.name)) fields.set(field.name, field);
  };
  // A common column that is never missing is never NaN either: such packets go to the dead letters.
  for (const field of COMMON_FIELDS) add(fieldOf(field, "alert", field.nullable));
  for (const field of survey.fields) add(fieldOf(field, "alert", true));
  for (const { values, lists: told } of sources.map((source) => source.operands(survey.id))) {
    // A step that fails leaves out its columns, whatever it says of them.
    for (const value of values) add(fieldOf({ ...value, nullable: true }, "enrichment", true));
    for (const list of told) {
      if (list.fields.length > 0 && !lists.has(list.name)) lists.set(list.name, listOf(list));
    }
  }
  const cuts = new Map(survey.cuts?.map((cut) => [`cut.${cut.name}`, cut]));
  return {
    survey: survey.id,
    fields: [...fields.values()],
    lists: [...lists.values()],
    cuts,
    get: (name) => fields.get(name),
    list: (name) => lists.get(name),
    toldNames: [...fields.keys(), ...lists.keys(), ...cuts.keys()].filter((name) => !USERS_OWN.test(name)),
  };
}

/** The table for somebody who may be told of everything but what is hidden. */
export function toldBut(table: FieldTable, isHidden: (name: string) => boolean): FieldTable {
  const all = [...table.fields, ...table.lists].map(({ name }) => name);
  return { ...table, toldNames: [...all, ...table.cuts.keys()].filter((name) => !isHidden(name)) };
}

const NEVER_NAN = new Set(COMMON_FIELDS.filter((field) => !field.nullable).map((field) => field.name));

function listOf({ name, description, order, fields: told }: OperandList): FilterList {
  const fields = told.map((field) => {
    const mayBeNaN = field.nullable || !NEVER_NAN.has(field.name);
    return { ...fieldOf(field, "list", mayBeNaN), column: `${name}.${field.name}` };
  });
  const byName = new Map(fields.map((field) => [field.name, field]));
  const counted = fields.find((field) => field.kind !== "text") ?? fields[0]!;
  return { name, description, order, fields, counted, get: (own) => byName.get(own) };
}

function fieldOf(told: Operand, origin: FilterField["origin"], floatsMayBeNaN: boolean): FilterField {
  const { name, type, nullable, unit, description } = told;
  const isFloat = type === "Float32" || type === "Float64";
  return {
    name,
    kind: kindOf(type),
    unit,
    description,
    column: name,
    columnType: type,
    nullable,
    mayBeNaN: floatsMayBeNaN && isFloat,
    origin,
  };
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
