// What is known of a catalog before its files are read: where its columns are, what they mean, how it matches. Definitions
// of known catalogs are YAML files in definitions/. Called by plan.ts, cli/catalog.ts and the API.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { TocsinError } from "../../domain/errors.js";
import { provenance, text } from "../provenance.js";

const TYPES = [
  "Bool",
  "UInt8",
  "Int8",
  "Int16",
  "Int32",
  "UInt32",
  "Int64",
  "UInt64",
  "Float32",
  "Float64",
  "String",
] as const;
export const columnType = z.enum(TYPES);

/** A column that is kept. */
const column = z.strictObject({
  unit: z.string().max(40).optional(),
  description: z.string().max(500).optional(),
  /** Other names under which files have it. Upper and lower case do not matter. */
  from: z.array(text).max(20).optional(),
  /** Where the file's own type is not wanted, or a file of text would not tell it. */
  type: columnType.optional(),
  /** Numbers that stand for a missing value. */
  missing: z.array(z.number()).max(10).optional(),
});
export type ColumnDefinition = z.infer<typeof column>;

const year = z.number().min(1800).max(2200);
const RA_UNITS = ["deg", "hours", "rad"] as const;

const definitionSchema = z
  .strictObject({
    ...provenance,
    /** arcsec; of a distance rule the widest that is searched. */
    radius: z.number().gt(0).max(3_600),
    limit: z.number().int().min(1).max(1_000).optional(),
    rule: z
      .strictObject({
        by: z.enum(["redshift", "Mpc"]),
        column: text,
        kpc: z.number().gt(0).max(1_000),
        near: z.number().gt(0).max(3_600),
        /** How sources extend: `arcsec` is half of the major axis for each unit of its column (30: a diameter in arcmin). */
        ellipse: z
          .strictObject({ axis: text, arcsec: z.number().gt(0).max(3_600), ratio: text, angle: text })
          .optional(),
      })
      .optional(),
    /** Columns of the file, each with the names that it may have. */
    id: z.array(text).min(1).max(20).optional(),
    /** Where the first rows of a text file would mislead. */
    idType: z.enum(["String", "Int64", "UInt64"]).optional(),
    ra: z.array(text).min(1).max(20).optional(),
    dec: z.array(text).min(1).max(20).optional(),
    /** Where the file does not tell. Sexagesimal texts are known as such. */
    raUnit: z.enum(RA_UNITS).optional(),
    /** Julian year of the file's positions. */
    epoch: year.optional(),
    /** With these (mas/yr, along right ascension times cos(dec)) positions are brought to `targetEpoch`. */
    pmRa: z.array(text).min(1).max(20).optional(),
    pmDec: z.array(text).min(1).max(20).optional(),
    targetEpoch: year.optional(),
    /** Kept columns; absent: all that the file has. */
    columns: z.record(z.string().regex(/^[A-Za-z_]\w{0,99}$/), column).optional(),
    /** How to fetch it, for people. */
    fetch: text.optional(),
  })
  .refine(
    ({ pmRa, pmDec, epoch }) =>
      (pmRa === undefined) === (pmDec === undefined) && (pmRa === undefined || epoch !== undefined),
    {
      message: "proper motion needs both of its columns and an epoch",
    },
  )
  .refine(({ rule, columns }) => columns === undefined || ruleColumns(rule).every((name) => name in columns), {
    message: "the rule's columns must be among the columns",
  });
export type CatalogDefinition = z.infer<typeof definitionSchema>;

interface RuleColumns {
  readonly column: string;
  readonly ellipse?: { readonly axis: string; readonly ratio: string; readonly angle: string } | undefined;
}

/** Columns that a rule reads. */
export function ruleColumns(rule: RuleColumns | undefined): string[] {
  if (rule === undefined) return [];
  const { column, ellipse } = rule;
  return ellipse === undefined ? [column] : [column, ellipse.axis, ellipse.ratio, ellipse.angle];
}

/** The definition, or BAD_CATALOG that names what is wrong with it. */
export function checkedDefinition(value: unknown, where: string): CatalogDefinition {
  const result = definitionSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const place = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new TocsinError("BAD_CATALOG", `${where}: ${place}${issue.message}.`, {
    remedy: "Correct it; docs/catalogs.md says what a catalog's description may hold.",
  });
}

/** Beside the sources; from dist/ these lie in the project's own folder. */
const FOLDERS = ["definitions", "../../../ingest/catalogs/definitions"].map((path) => join(import.meta.dirname, path));

function folder(): string {
  const found = FOLDERS.find((path) => existsSync(path));
  if (found === undefined) throw new TocsinError("NOT_FOUND", "The definitions of known catalogs are not installed.");
  return found;
}

/** Names of the known catalogs, in order. */
export const definitionNames = (): string[] =>
  readdirSync(folder())
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => file.slice(0, -".yaml".length))
    .sort();

/** Null where no catalog of this name is known. */
export function definitionOf(name: string): CatalogDefinition | null {
  if (!definitionNames().includes(name)) return null;
  const file = `${name}.yaml`;
  return checkedDefinition(parse(readFileSync(join(folder(), file), "utf8")), file);
}

export const allDefinitions = (): CatalogDefinition[] => definitionNames().map((name) => definitionOf(name)!);
