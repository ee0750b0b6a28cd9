// The table of what packets told of points, `tellings`, and its columns that not every survey fills. Called by stores.ts at
// every start and by migrations/0009-tellings.ts.
import { PHOTOMETRY_FIELDS } from "../../domain/alert.js";
import type { Column, ElementType } from "../../domain/columns.js";
import type { PointColumn, SurveyDescription } from "../../domain/survey.js";
import { strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { alterTable, nodesOf, onEachNode, type TableDefinition } from "./layout.js";

/**
 * A row is a distinct telling of a point: the values, by their hash, and the precedences of the first and the last packet
 * that told them. Points of an object lie together, a point's tellings beside each other. Parts are compact whatever
 * their size, in granules of 256 rows: an object is some 50 rows, and all columns of a granule lie beside each other.
 * 1,000 scattered objects take a third less CPU to read than from a file per column. What a write costs is the number of
 * streams in each granule, so that no column is Nullable: of numbers -inf is missing, which max leaves to any other; of texts
 * the empty one; of programid 0.
 */
export const TELLINGS: TableDefinition = {
  name: "tellings",
  columns: `
  survey LowCardinality(String),
  objectId String,
  kind UInt8,
  pointId Int64,
  valuesHash UInt64,
  jd Float64,
  band LowCardinality(String),
  magnitude Float64 DEFAULT -inf,
  magnitudeError Float64 DEFAULT -inf,
  flux Float64 DEFAULT -inf,
  fluxError Float64 DEFAULT -inf,
  limitingMagnitude Float64 DEFAULT -inf,
  zeroPoint Float64 DEFAULT -inf,
  isPositive Bool,
  programid Int32,
  ra SimpleAggregateFunction(max, Float64) DEFAULT -inf,
  dec SimpleAggregateFunction(max, Float64) DEFAULT -inf,
  firstTold SimpleAggregateFunction(min, UInt128),
  lastTold SimpleAggregateFunction(max, UInt128)`,
  engine: "AggregatingMergeTree",
  partitionBy: "survey",
  orderBy: "(survey, objectId, kind, pointId, valuesHash)",
  settings: {
    index_granularity: 256,
    min_bytes_for_wide_part: 1_000_000_000_000,
    min_rows_for_wide_part: 1_000_000_000_000,
  },
  shardBy: "objectId",
};

const SHARED = PHOTOMETRY_FIELDS.map(({ name }) => name).filter((name) => !name.startsWith("toldBy"));

/** Columns of points that a survey's batches fill. */
export interface PointTable {
  readonly columns: readonly string[];
  /** Those that are no part of what is told, with their types. */
  readonly fixed: ReadonlyMap<string, ElementType>;
}

export function pointTable({ pointColumns }: Pick<SurveyDescription, "pointColumns">): PointTable {
  return {
    columns: [...SHARED, ...pointColumns.map(({ name }) => name)],
    fixed: new Map(pointColumns.filter(({ isFixed }) => isFixed).map(({ name, type }) => [name, type])),
  };
}

/** Add the columns that surveys have gained. */
export async function syncPointColumns(client: ArchiveClient, surveys: readonly SurveyDescription[]): Promise<void> {
  const { answers } = await onEachNode(nodesOf(client), columnsOf);
  const wanted = surveys.flatMap(({ pointColumns }) => pointColumns);
  const added = wanted.filter(({ name }) => answers.some((present) => !present.has(name)));
  if (added.length === 0) return;
  const columns = added.map((column) => `ADD COLUMN IF NOT EXISTS ${columnOf(column)}`);
  await alterTable(client, TELLINGS.name, columns.join(", "), "columns");
}

async function columnsOf(client: ArchiveClient): Promise<Set<string>> {
  const block = await client.query(
    "SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String}",
    { database: client.database, table: TELLINGS.name },
  );
  return new Set(strings(block, "name"));
}

function columnOf({ name, type, isFixed }: PointColumn): string {
  const kept = isFixed ? `SimpleAggregateFunction(max, ${type})` : type;
  return `${quoted(name)} ${kept}${type === "String" ? "" : " DEFAULT -inf"}`;
}

/** A column without missing values, as the table has it. */
export function plain({ type, values, nulls }: Column): Column {
  if (nulls === null || type === "String") return { type, values, nulls: null } as Column;
  const missing = type === "Float64" || type === "Float32" ? Number.NEGATIVE_INFINITY : 0;
  const filled = values.slice() as Float64Array;
  for (let row = 0; row < nulls.length; row++) if (nulls[row] === 1) filled[row] = missing;
  return { type, values: filled, nulls: null } as Column;
}
