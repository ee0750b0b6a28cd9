// Which of a file's columns hold what: a definition brought together with a file. Called by load.ts.
import type { ArchivalDescription } from "../../domain/archival.js";
import type { ElementType } from "../../domain/columns.js";
import { badCatalog, listed, type TableColumn } from "../catalogs/table.js";
import { provenanceOf } from "../provenance.js";
import type { ArchivalDefinition } from "./definition.js";

/** Columns by what they hold; null where the file has none. */
export interface ArchivalPlan {
  readonly description: ArchivalDescription;
  /** Whether a row is a source with lists of points, or a point. */
  readonly layout: "lists" | "points";
  readonly id: string;
  readonly ra: string;
  readonly dec: string;
  readonly band: string | null;
  readonly bandOf: (value: string) => string | null;
  readonly fields: readonly string[];
  readonly time: string;
  /** Days added to the column. */
  readonly offset: number;
  readonly magnitude: string;
  readonly magnitudeError: string | null;
  readonly colorCoefficient: string | null;
  readonly flags: string | null;
}

const DECIMAL = new Set<ElementType | null | undefined>(["Float32", "Float64"]);

/** @throws TocsinError BAD_CATALOG that names the column that is missing or holds something else. */
export function archivalPlan(
  definition: ArchivalDefinition,
  columns: readonly TableColumn[],
  file: string,
): ArchivalPlan {
  const find = (names: readonly string[]): TableColumn | undefined =>
    names
      .map((name) => columns.find((column) => column.name.toLowerCase() === name.toLowerCase()))
      .find((column) => column !== undefined);
  const need = (what: string, names: readonly string[]): TableColumn => {
    const found = find(names);
    if (found !== undefined) return found;
    throw badCatalog(
      `it has no column named ${names.join(" or ")} for ${what}; there are ${listed(columns)}.`,
      { file },
      "Take a definition that fits the file (docs/lightcurves.md), or the file that fits the definition.",
    );
  };
  const time = need("the time", definition.time.column);
  const layout = time.items === undefined ? "points" : "lists";
  const wrong = (column: TableColumn, should: string) =>
    badCatalog(`it must hold ${should}.`, { file, column: column.name }, "Correct the definition's column.");
  const ofPoint = (column: TableColumn | undefined, isDecimal: boolean): string | null => {
    if (column === undefined) return null;
    const type = layout === "lists" ? column.items : column.type;
    const should = `${layout === "lists" ? "a list of numbers in each row, as the times do" : "a number"}`;
    if (type == null || type === "String") throw wrong(column, should);
    if (!isDecimal && DECIMAL.has(type) && layout === "lists") throw wrong(column, "whole numbers");
    return column.name;
  };
  const ofSource = (column: TableColumn): string => {
    if (column.type === null) throw wrong(column, "one value in each row");
    return column.name;
  };
  const inDegrees = (column: TableColumn): string => {
    if (/^(deg|$)/i.test(column.unit?.trim() ?? "")) return ofSource(column);
    const remedy = "Convert right ascension and declination to degrees.";
    throw badCatalog(`it is in "${column.unit}", not in degrees.`, { file, column: column.name }, remedy);
  };
  const id = need("the id of a source", definition.id);
  if (id.type !== null && DECIMAL.has(id.type)) throw wrong(id, "text or whole numbers, whose digits a fraction loses");
  const magnitude = ofPoint(need("the magnitude", definition.magnitude), true)!;
  const optional = (names: readonly string[] | undefined) => (names === undefined ? undefined : find(names));
  const band = definition.band === undefined ? null : ofSource(need("the band", definition.band));
  const fields = (definition.fields ?? []).flatMap((name) => find([name]) ?? []);
  return {
    description: {
      ...provenanceOf(definition),
      timeKind: definition.time.kind,
      timeNote: definition.time.note ?? null,
      badFlags: definition.badFlags ?? 0,
      fields: fields.map(({ name }) => name),
    },
    layout,
    id: ofSource(id),
    ra: inDegrees(need("right ascension", definition.ra)),
    dec: inDegrees(need("declination", definition.dec)),
    band,
    bandOf: bandsOf(definition),
    fields: fields.map(ofSource),
    time: ofPoint(time, true)!,
    offset: definition.time.offset ?? 0,
    magnitude,
    magnitudeError: ofPoint(optional(definition.magnitudeError), true),
    colorCoefficient: ofPoint(optional(definition.colorCoefficient), true),
    flags: ofPoint(optional(definition.flags), false),
  };
}

/** Null where a value means no band. */
function bandsOf({ bands, oneBand }: ArchivalDefinition): (value: string) => string | null {
  if (oneBand !== undefined) return () => oneBand;
  if (bands === undefined) return (value) => (value !== "" && value.length <= 20 ? value : null);
  return (value) => bands[value] ?? null;
}
