// Which columns of a file become what of a catalog. Called by load.ts with the first file's columns.
import { type CatalogColumn, type CatalogDescription, SOURCE_COLUMNS } from "../../domain/catalog.js";
import type { ElementType } from "../../domain/columns.js";
import { provenanceOf } from "../provenance.js";
import { type CatalogDefinition, type ColumnDefinition, ruleColumns } from "./definition.js";
import { badCatalog, listed, type TableColumn } from "./table.js";

export interface PlannedColumn {
  /** Column of the file. */
  readonly from: string;
  readonly to: CatalogColumn;
  readonly missing: readonly number[];
}

export interface Plan {
  readonly description: CatalogDescription;
  readonly ra: string;
  readonly dec: string;
  readonly raUnit: "deg" | "hours" | "rad" | "text";
  readonly decUnit: "deg" | "rad";
  /** Whether nobody said that right ascension is in degrees. */
  readonly raUnitAssumed: boolean;
  /** Null: rows are numbered. */
  readonly id: string | null;
  /** `masRa`, `masDec`: what a year's motion is to be multiplied with to be in mas. */
  readonly motion: {
    readonly pmRa: string;
    readonly pmDec: string;
    readonly masRa: number;
    readonly masDec: number;
    readonly years: number;
  } | null;
  readonly columns: readonly PlannedColumn[];
  /** Columns of the definition that the file does not have. */
  readonly leftOut: readonly string[];
}

const RA_NAMES = [
  "ra",
  "raj2000",
  "ra_icrs",
  "_raj2000",
  "ra_j2000",
  "radeg",
  "ra_deg",
  "ramean",
  "raicrs",
  "alpha",
  "alpha_j2000",
  "objra",
];
const DEC_NAMES = [
  "dec",
  "dej2000",
  "de_icrs",
  "_dej2000",
  "dec_j2000",
  "decj2000",
  "dedeg",
  "dec_deg",
  "decmean",
  "deicrs",
  "decl",
  "delta",
  "delta_j2000",
  "objdec",
];
const ID_NAMES = [
  "id",
  "source_id",
  "objid",
  "obj_id",
  "objectid",
  "object_id",
  "main_id",
  "designation",
  "name",
  "source_name",
];
/** What the elements of match.<catalog> have beside the catalog's own columns. */
const TAKEN = new Set<string>([...SOURCE_COLUMNS, "separationArcsec", "distanceKpc", "radiusArcsec"]);
/** Positions with proper motion are brought to this epoch where nothing else is said: the middle of ZTF's and Rubin's years. */
const TARGET_EPOCH = 2025;

const plain = (name: string): string => name.toLowerCase();

/** `wanted` columns (null: those of the definition, else all) must all be there. */
export function planOf(
  definition: CatalogDefinition,
  columns: readonly TableColumn[],
  wanted: readonly string[] | null,
  file: string,
): Plan {
  const find = (names: readonly string[]): TableColumn | undefined =>
    names.map((name) => columns.find((one) => one.name === name)).find((one) => one !== undefined) ??
    names.map((name) => columns.find((one) => plain(one.name) === plain(name))).find((one) => one !== undefined);
  const need = (what: string, told: readonly string[] | undefined, usual: readonly string[]): TableColumn => {
    const found = find(told ?? usual);
    if (found !== undefined && found.type !== null) return found;
    const searched = told === undefined ? "" : ` named ${told.join(" or ")}`;
    throw badCatalog(
      `it has no column${searched} for ${what}; there are ${listed(columns)}.${proposal(told?.[0] ?? usual[0]!, columns)}`,
      { file },
      `Name it: --${what} COLUMN.`,
    );
  };
  const ra = need("ra", definition.ra, RA_NAMES);
  const dec = need("dec", definition.dec, DEC_NAMES);
  const id = definition.id === undefined ? find(ID_NAMES) : need("id", definition.id, []);
  const motion = motionOf(definition, find, file, columns);
  const used = new Set([ra, dec, id].map((one) => one?.name));
  const { kept, leftOut } = keptColumns(definition, columns, wanted, used, find, file);
  const { unit, assumed } = raUnitOf(definition, ra, file);
  const decUnit = decUnitOf(dec, unit, file);
  return {
    description: {
      ...provenanceOf(definition),
      radiusArcsec: definition.radius,
      rule: ruleOf(definition, kept, file),
      limit: definition.limit ?? null,
      idType: definition.idType ?? idTypeOf(id, file),
      columns: kept.map(({ to }) => to),
      epoch: motion === null ? (definition.epoch ?? null) : definition.epoch! + motion.years,
      epochGiven: motion === null ? null : definition.epoch!,
    },
    ra: ra.name,
    dec: dec.name,
    raUnit: unit,
    decUnit,
    raUnitAssumed: assumed,
    id: id?.name ?? null,
    motion,
    columns: kept,
    leftOut,
  };
}

type Find = (names: readonly string[]) => TableColumn | undefined;

function motionOf(
  { pmRa, pmDec, epoch, targetEpoch = TARGET_EPOCH }: CatalogDefinition,
  find: Find,
  file: string,
  columns: readonly TableColumn[],
) {
  if (pmRa === undefined || pmDec === undefined || epoch === undefined || targetEpoch === epoch) return null;
  const found = [find(pmRa), find(pmDec)];
  if (found.includes(undefined)) {
    throw badCatalog(
      `it has no columns ${pmRa[0]} and ${pmDec[0]} of proper motion; there are ${listed(columns)}.`,
      { file },
      "Fetch them too, or leave positions where they are: --to-epoch with the catalog's own epoch.",
    );
  }
  const [east, north] = [found[0]!, found[1]!];
  return {
    pmRa: east.name,
    pmDec: north.name,
    masRa: masOf(east, file),
    masDec: masOf(north, file),
    years: targetEpoch - epoch,
  };
}

/** A unit of proper motion in mas/yr, which it is where the file tells none. */
function masOf({ name, unit }: TableColumn, file: string): number {
  const plain = (unit ?? "mas/yr").replaceAll(/\s/g, "").toLowerCase();
  const parts = /^(mas|milliarcsec|marcsec|arcsec|deg)[a-z]*(?:\/|\.)?(?:yr|year|a)s?(?:\^?-1|\*\*-1)?$/.exec(plain);
  if (parts !== null) return parts[1] === "deg" ? 3_600_000 : parts[1] === "arcsec" ? 1_000 : 1;
  throw badCatalog(
    `proper motion is in "${unit}".`,
    { file, column: name },
    "Convert it to mas/yr, or leave positions where they are: --to-epoch with the catalog's own epoch.",
  );
}

function keptColumns(
  definition: CatalogDefinition,
  columns: readonly TableColumn[],
  wanted: readonly string[] | null,
  used: ReadonlySet<string | undefined>,
  find: Find,
  file: string,
): { kept: PlannedColumn[]; leftOut: string[] } {
  const kept: PlannedColumn[] = [];
  const leftOut: string[] = [];
  const names = new Set<string>();
  const keep = (column: TableColumn, name: string, of: ColumnDefinition) => {
    const to = freeName(name, names);
    names.add(to);
    kept.push({
      from: column.name,
      to: {
        name: to,
        // What has a unit holds numbers that may have fractions, even where the first rows have none.
        type: of.type ?? (column.isOpen && of.unit !== undefined ? "Float64" : column.type!),
        unit: column.unit ?? of.unit ?? null,
        description: of.description ?? column.description,
      },
      missing: of.missing ?? [],
    });
  };
  if (wanted !== null) {
    for (const name of wanted) {
      const known = definition.columns?.[name];
      const column = find([name, ...(known?.from ?? [])]);
      if (column === undefined || column.type === null) {
        const why = column === undefined ? "there is no such column" : "it holds lists or complex numbers";
        throw badCatalog(
          `${why}; there are ${listed(columns)}.${proposal(name, columns)}`,
          { file, column: name },
          "Correct --columns.",
        );
      }
      keep(column, name, known ?? {});
    }
  } else if (definition.columns !== undefined) {
    for (const [name, of] of Object.entries(definition.columns)) {
      const column = find([name, ...(of.from ?? [])]);
      if (column === undefined || column.type === null) leftOut.push(name);
      else keep(column, name, of);
    }
  } else {
    for (const column of columns) if (column.type !== null && !used.has(column.name)) keep(column, column.name, {});
  }
  return { kept, leftOut };
}

/** A name that queries can write and nothing else has: the column's own wherever that will do. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const written = name.trim().replaceAll(/\W+/g, "_").replace(/^(\d)/, "_$1").slice(0, 100) || "_";
  let free = written;
  for (let n = 1; taken.has(free) || TAKEN.has(free); n++) free = n === 1 ? `${written}_` : `${written}_${n}`;
  return free;
}

function ruleOf({ rule }: CatalogDefinition, kept: readonly PlannedColumn[], file: string): CatalogDescription["rule"] {
  if (rule === undefined) return { kind: "radius" };
  for (const name of ruleColumns(rule)) {
    const column = kept.find(({ to }) => to.name === name);
    if (column !== undefined && !["String", "Bool"].includes(column.to.type)) continue;
    throw badCatalog(
      "the distance rule needs this column, with numbers.",
      { file, column: name },
      name === rule.column
        ? "Keep the column, or match by radius alone: --rule radius."
        : "Keep the column, or match without it: --ellipse none.",
    );
  }
  const { by, column, kpc, near, ellipse } = rule;
  return { kind: "distance", by, column, kpc, nearArcsec: near, ...(ellipse !== undefined && { ellipse }) };
}

function idTypeOf(id: TableColumn | undefined, file: string): "String" | "Int64" | "UInt64" {
  if (id === undefined) return "UInt64";
  const wide: Partial<Record<ElementType, "String" | "Int64" | "UInt64">> = { String: "String", UInt64: "UInt64" };
  if (id.type === "Float32") {
    throw badCatalog(
      "ids are written as 32-bit numbers with a fraction: their digits are lost.",
      { file, column: id.name },
      "Take another column: --id COLUMN.",
    );
  }
  return wide[id.type!] ?? "Int64";
}

function raUnitOf(
  { raUnit }: CatalogDefinition,
  ra: TableColumn,
  file: string,
): { unit: Plan["raUnit"]; assumed: boolean } {
  if (ra.type === "String") return { unit: "text", assumed: raUnit === undefined };
  if (raUnit !== undefined) return { unit: raUnit, assumed: false };
  const unit = ra.unit?.trim().toLowerCase() ?? "";
  if (unit === "") return { unit: "deg", assumed: true };
  if (/^deg/.test(unit)) return { unit: "deg", assumed: false };
  if (/^(h|hr|hrs|hour|hours|hourangle)$/.test(unit)) return { unit: "hours", assumed: false };
  if (/^rad/.test(unit)) return { unit: "rad", assumed: false };
  throw badCatalog(
    `right ascension is in "${ra.unit}".`,
    { file, column: ra.name },
    "Say what it is: --ra-unit deg, hours or rad.",
  );
}

/** Declination's own unit, else right ascension's. */
function decUnitOf(dec: TableColumn, raUnit: Plan["raUnit"], file: string): Plan["decUnit"] {
  const unit = dec.unit?.trim().toLowerCase() ?? "";
  if (dec.type === "String" || unit === "") return raUnit === "rad" ? "rad" : "deg";
  if (/^deg/.test(unit)) return "deg";
  if (/^rad/.test(unit)) return "rad";
  throw badCatalog(`declination is in "${dec.unit}".`, { file, column: dec.name }, "Convert it to degrees.");
}

/** " Did you mean …?" */
function proposal(name: string, columns: readonly TableColumn[]): string {
  const near = columns
    .map((one) => ({ name: one.name, distance: distance(plain(name), plain(one.name)) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= Math.max(1, name.length / 3) ? ` Did you mean ${near.name}?` : "";
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
