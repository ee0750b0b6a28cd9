// A survey's wide alert table: the common columns and the survey's own fields. Called by stores.ts at every start.
import { COMMON_FIELDS, INTERNAL_FIELDS } from "../../domain/alert.js";
import { TocsinError } from "../../domain/errors.js";
import type { OwnField, Survey, SurveyDescription } from "../../domain/survey.js";
import { ORDERS, orderSettings, syncOrders } from "./alerts.orders.js";
import { strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { alterTable, createTables, nodesOf, onEachNode, type TableDefinition } from "./layout.js";
import { type PointTable, pointTable } from "./photometry.table.js";

type Field = Pick<OwnField, "name" | "type" | "nullable">;

const SHARED: readonly Field[] = [...COMMON_FIELDS, ...INTERNAL_FIELDS];
/** Text of few values: a byte a row instead of the text. Reads of values that follow from it must make it text again. */
export const FEW_VALUES = new Set(["band", "class"]);

export interface AlertTable {
  readonly survey: Survey;
  readonly name: string;
  /** Columns that a batch may fill, and what a read may ask for. */
  readonly columns: ReadonlySet<string>;
  /** What the survey's batches tell of points. */
  readonly points: PointTable;
}

export const alertTableName = (survey: Survey): string => `alerts_${survey.toLowerCase()}`;

export function alertTable(survey: SurveyDescription): AlertTable {
  if (!/^[A-Za-z]\w{0,30}$/.test(survey.id)) {
    throw new TocsinError("BAD_SETTING", `"${survey.id}" cannot be a survey's id: letters, digits and _ only.`);
  }
  const columns = new Set(allFields(survey).map(({ name }) => name));
  return { survey: survey.id, name: alertTableName(survey.id), columns, points: pointTable(survey) };
}

/** Create the survey's table, and add the columns of fields that it has gained. */
export async function syncAlertTable(client: ArchiveClient, survey: SurveyDescription): Promise<AlertTable> {
  const table = alertTable(survey);
  const settings = await orderSettings(client);
  await createTables(client, [definition(table.name, allFields(survey), settings)]);
  const added = await missingColumns(client, table.name, allFields(survey));
  if (added.length > 0) {
    // Alerts of before have no such field: it is missing there, whatever later packets say.
    const columns = added.map((field) => `ADD COLUMN IF NOT EXISTS ${columnOf({ ...field, nullable: true })}`);
    await alterTable(client, table.name, columns.join(", "), "columns");
  }
  await syncOrders(client, table.name, settings);
  return table;
}

/** Those of the columns that the table does not have, on some node at least. */
export async function missingColumns<T extends { readonly name: string }>(
  client: ArchiveClient,
  table: string,
  columns: readonly T[],
): Promise<T[]> {
  const { answers } = await onEachNode(nodesOf(client), (node) => columnsOf(node, table));
  return columns.filter(({ name }) => answers.some((present) => !present.has(name)));
}

async function columnsOf(client: ArchiveClient, table: string): Promise<Set<string>> {
  const block = await client.query(
    "SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String}",
    { database: client.database, table },
  );
  return new Set(strings(block, "name"));
}

const allFields = (survey: SurveyDescription): Field[] => {
  const shared = new Set(SHARED.map(({ name }) => name));
  return [...SHARED, ...survey.fields.filter(({ name }) => !shared.has(name))];
};

function columnOf({ name, type, nullable }: Field): string {
  const whole = nullable ? `Nullable(${type})` : type;
  return `${quoted(name)} ${FEW_VALUES.has(name) ? `LowCardinality(${whole})` : whole}`;
}

/**
 * Ordered by time: pages go newest first, backtests oldest first, and (jd, candid) finds one alert. Partitions are
 * years within 1995 to 2064 and one for every other time, so that garbage times cannot make many of them: at most 71,
 * fewer than one insert may touch. The two indices are for parts that have no projections yet.
 */
const definition = (
  name: string,
  fields: readonly Field[],
  settings: NonNullable<TableDefinition["settings"]>,
): TableDefinition => ({
  name,
  columns: `
  ${fields.map(columnOf).join(",\n  ")},
  batch UInt64,
  INDEX by_class class TYPE set(8) GRANULARITY 1,
  INDEX by_solar_system_name solarSystemName TYPE bloom_filter GRANULARITY 1,
  ${ORDERS}`,
  engine: "ReplacingMergeTree",
  version: "batch",
  partitionBy: "if(jd >= 2449718.5 AND jd < 2475268.5, toUInt8((jd - 2449718.5) / 365), 255)",
  orderBy: "(jd, candid)",
  settings: { index_granularity: 1024, min_compress_block_size: 8192, max_compress_block_size: 16_384, ...settings },
  shardBy: "objectId",
});
