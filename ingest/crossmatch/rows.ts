// Matches as what the stream carries: list columns that filters read, and rows of the table `matches`. Called by
// ingest/enrich/crossmatch.ts and rematch.ts.
import type { Catalog } from "../../domain/catalog.js";
import type { BigColumn, Block, Column, ListColumn, NumberColumn, StringColumn } from "../../domain/columns.js";
import { isKeptAsText, matchFields } from "../../domain/match.js";
import type { Operand } from "../../domain/operand.js";
import { takeRows } from "../rows.js";
import type { CatalogMatches } from "./matches.js";

/** One list column for each of matchFields, by the name `match.<catalog>.<field>`. */
export function matchLists(catalog: Catalog, matches: CatalogMatches): Map<string, ListColumn> {
  return new Map(
    matchFields(catalog).map((field) => {
      const items = itemsOf(field, matches);
      return [`match.${catalog.name}.${field.name}`, { ends: matches.ends, items }];
    }),
  );
}

function itemsOf({ name, nullable }: Operand, { separationArcsec, distanceKpc, rows }: CatalogMatches): Column {
  if (name === "separationArcsec") return { type: "Float64", values: separationArcsec, nulls: null };
  if (name === "distanceKpc" && distanceKpc !== null) {
    return {
      type: "Float64",
      values: distanceKpc,
      nulls: Uint8Array.from(distanceKpc, (kpc) => Number(Number.isNaN(kpc))),
    };
  }
  const column = rows.columns.get(name)!;
  if (!nullable) return { ...column, nulls: null };
  // The type of a column is the same in every batch, whether anything is missing in this one or not.
  return { ...column, nulls: column.nulls ?? new Uint8Array(rows.rows) };
}

/** Alerts that are matched: as their batch or the archive has them. */
export interface MatchedAlerts {
  /** objectId, jd, candid. */
  readonly alerts: Block;
  readonly matches: CatalogMatches;
  readonly catalog: Catalog;
  /** Of the step. */
  readonly version: string;
}

/**
 * Rows of `matches`: one for each alert that has some, and for each of `emptied`, rows of alerts that had some before. A
 * match's values stand in `numbers` and `texts` (text and 64-bit integers), one field after the other, each over all matches.
 */
export function matchRows(
  { alerts, matches, catalog, version }: MatchedAlerts,
  emptied: readonly number[] = [],
): Block {
  const { ends } = matches;
  const countOf = (row: number) => ends[row]! - (row === 0 ? 0 : ends[row - 1]!);
  const rows = Uint32Array.from({ length: alerts.rows }, (_, row) => row).filter((row) => countOf(row) > 0);
  // Rows without matches have nothing in the lists, wherever they stand.
  const taken = Uint32Array.from([...rows, ...emptied.filter((row) => countOf(row) === 0)]);
  const kept = ["objectId", "jd", "candid"].map((name) => [name, alerts.columns.get(name)!] as const);
  const { columns } = takeRows({ rows: alerts.rows, columns: new Map(kept) }, taken);
  const counts = Uint32Array.from(taken, countOf);
  const fields = matchFields(catalog).slice(4);
  const numeric = fields.filter(({ type }) => !isKeptAsText(type));
  const textual = fields.filter(({ type }) => isKeptAsText(type));
  const once = endsOf(counts, 1);
  return {
    rows: taken.length,
    columns: new Map<string, Column>([
      ...columns,
      ["catalog", repeated(taken.length, catalog.name)],
      ["version", repeated(taken.length, version)],
      [
        "revision",
        { type: "UInt64", values: new BigUint64Array(taken.length).fill(BigInt(catalog.revision)), nulls: null },
      ],
    ]),
    lists: new Map<string, ListColumn>([
      [
        "id",
        {
          ends: once,
          items: { type: "String", values: Array.from(matches.rows.columns.get("id")!.values, String), nulls: null },
        },
      ],
      ["separationArcsec", { ends: once, items: { type: "Float64", values: matches.separationArcsec, nulls: null } }],
      ["ra", { ends: once, items: matches.rows.columns.get("ra")! }],
      ["dec", { ends: once, items: matches.rows.columns.get("dec")! }],
      ["numberNames", namesOf(numeric, taken.length)],
      ["numbers", { ends: endsOf(counts, numeric.length), items: numbers(numeric, matches, counts) }],
      ["textNames", namesOf(textual, taken.length)],
      ["texts", { ends: endsOf(counts, textual.length), items: texts(textual, matches, counts) }],
    ]),
  };
}

const repeated = (rows: number, text: string): StringColumn => {
  return { type: "String", values: new Array<string>(rows).fill(text), nulls: null };
};

function endsOf(counts: Uint32Array, times: number): Uint32Array {
  let end = 0;
  return counts.map((count) => (end += count * times));
}

const namesOf = (fields: readonly Operand[], rows: number): ListColumn => ({
  ends: Uint32Array.from({ length: rows }, (_, row) => (row + 1) * fields.length),
  items: {
    type: "String",
    values: Array.from({ length: rows }, () => fields.map(({ name }) => name)).flat(),
    nulls: null,
  },
});

/** NaN is a missing number. */
function numbers(fields: readonly Operand[], matches: CatalogMatches, counts: Uint32Array): NumberColumn {
  const columns = fields.map((field) => itemsOf(field, matches) as NumberColumn);
  const values = new Float64Array(matches.separationArcsec.length * fields.length);
  each(counts, columns, (to, { values: from, nulls }, at) => {
    values[to] = nulls?.[at] ? Number.NaN : from[at]!;
  });
  return { type: "Float64", values, nulls: null };
}

function texts(fields: readonly Operand[], matches: CatalogMatches, counts: Uint32Array): StringColumn {
  const columns = fields.map((field) => itemsOf(field, matches) as StringColumn | BigColumn);
  const length = matches.separationArcsec.length * fields.length;
  const values = new Array<string>(length);
  const missing = new Uint8Array(length);
  each(counts, columns, (to, { values: from, nulls }, at) => {
    values[to] = String(from[at]);
    missing[to] = nulls?.[at] ?? 0;
  });
  return { type: "String", values, nulls: missing };
}

/** Alert by alert, field by field, match by match: where a value goes, and where it stands in its column. */
function each<C>(counts: Uint32Array, columns: readonly C[], put: (to: number, column: C, at: number) => void): void {
  let to = 0;
  let start = 0;
  for (const count of counts) {
    for (const column of columns) for (let n = 0; n < count; n++) put(to++, column, start + n);
    start += count;
  }
}
