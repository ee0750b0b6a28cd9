// What a user says of a catalog on top of its definition, or in place of one. Called by cli/catalog.ts and by the API.
import type { ElementType } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { type CatalogDefinition, checkedDefinition, columnType, definitionOf } from "./definition.js";

/** Columns by their names in the file. Everything is checked by describedBy. */
export interface CatalogOptions {
  readonly definition?: string | undefined;
  readonly radius?: number | undefined;
  readonly ra?: string | undefined;
  readonly dec?: string | undefined;
  readonly id?: string | undefined;
  readonly raUnit?: string | undefined;
  readonly epoch?: number | undefined;
  readonly pmRa?: string | undefined;
  readonly pmDec?: string | undefined;
  readonly toEpoch?: number | undefined;
  readonly limit?: number | undefined;
  /** radius, redshift:COLUMN, Mpc:COLUMN. */
  readonly rule?: string | undefined;
  readonly kpc?: number | undefined;
  readonly near?: number | undefined;
  /** none, AXIS:RATIO:ANGLE:ARCSEC. */
  readonly ellipse?: string | undefined;
  readonly title?: string | undefined;
  readonly version?: string | undefined;
  readonly date?: string | undefined;
  readonly licence?: string | undefined;
  readonly citation?: string | undefined;
  readonly url?: string | undefined;
}

/**
 * The definition of the catalog `name` with these options.
 * @throws TocsinError NOT_FOUND for an unknown definition, BAD_CATALOG for options that cannot be used.
 */
export function describedBy(name: string, options: CatalogOptions): CatalogDefinition {
  const known = definitionOf(options.definition ?? name);
  if (known === null && options.definition !== undefined) {
    throw new TocsinError("NOT_FOUND", `No catalog ${options.definition} is known.`, {
      remedy: "`catalog definitions` lists those that are.",
    });
  }
  if (known === null && options.radius === undefined) {
    throw new TocsinError("BAD_CATALOG", `No catalog ${name} is known, so its radius must be told.`, {
      remedy:
        "Say within how many arcsec its sources match: --radius; or take a known one's name (`catalog definitions`).",
    });
  }
  const column = (own: string | undefined, before: readonly string[] | undefined) =>
    own === undefined ? before : [own];
  const merged = {
    ...known,
    name,
    title: options.title ?? known?.title ?? name,
    radius: options.radius ?? known?.radius,
    limit: options.limit ?? known?.limit,
    source: options.url ?? known?.source,
    version: options.version ?? known?.version,
    date: options.date ?? known?.date,
    licence: options.licence ?? known?.licence,
    citation: options.citation ?? known?.citation,
    ra: column(options.ra, known?.ra),
    dec: column(options.dec, known?.dec),
    id: column(options.id, known?.id),
    idType: options.id === undefined ? known?.idType : undefined,
    raUnit: options.raUnit ?? known?.raUnit,
    epoch: options.epoch ?? known?.epoch,
    targetEpoch: options.toEpoch ?? known?.targetEpoch,
    pmRa: column(options.pmRa, known?.pmRa),
    pmDec: column(options.pmDec, known?.pmDec),
    rule: ruleOf(options, known),
  };
  const told = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
  return checkedDefinition(told, `The description of ${name}`);
}

/** "COLUMN=TYPE" of columns of text files, by column. Throws BAD_CATALOG. */
export function toldTypes(texts: readonly string[]): Record<string, ElementType> {
  return Object.fromEntries(
    texts.map((text) => {
      const end = text.lastIndexOf("=");
      const type = columnType.safeParse(text.slice(end + 1).trim());
      const name = text.slice(0, Math.max(0, end)).trim();
      if (name !== "" && type.success) return [name, type.data];
      throw new TocsinError("BAD_CATALOG", `${JSON.stringify(text.slice(0, 100))} is no type of a column.`, {
        remedy: `Write COLUMN=TYPE, with one of ${columnType.options.join(", ")}.`,
      });
    }),
  );
}

function ruleOf({ rule, kpc, near, ellipse }: CatalogOptions, known: CatalogDefinition | null) {
  if (rule === "radius") return undefined;
  const before = known?.rule;
  const parts = rule === undefined ? null : /^(redshift|Mpc):(.+)$/.exec(rule);
  if (rule !== undefined && parts === null) {
    throw new TocsinError("BAD_CATALOG", `"${rule}" is no rule.`, {
      remedy: "Write radius, redshift:COLUMN or Mpc:COLUMN.",
    });
  }
  if (parts === null && before === undefined) {
    if (ellipse === undefined || ellipse === "none") return undefined;
    throw new TocsinError("BAD_CATALOG", "An ellipse belongs to a distance rule.", {
      remedy: "Say by which column too: --rule redshift:COLUMN or Mpc:COLUMN.",
    });
  }
  const own = parts === null ? before! : { by: parts[1]!, column: parts[2]! };
  const extent = ellipse === undefined ? before?.ellipse : ellipseOf(ellipse);
  return {
    ...{ by: own.by, column: own.column, kpc: kpc ?? before?.kpc ?? 30, near: near ?? before?.near ?? 300 },
    ...(extent !== undefined && { ellipse: extent }),
  };
}

function ellipseOf(told: string) {
  if (told === "none") return undefined;
  const parts = /^(.+):(.+):(.+):([\d.]+)$/.exec(told);
  if (parts === null) {
    throw new TocsinError("BAD_CATALOG", `"${told}" is no ellipse.`, {
      remedy:
        "Write AXIS:RATIO:ANGLE:ARCSEC, three columns and the arcsec of half the axis in one of its units; or none.",
    });
  }
  return { axis: parts[1]!, ratio: parts[2]!, angle: parts[3]!, arcsec: Number(parts[4]) };
}
