// Alerts by class and by name of the solar-system object, each in the order of time: projections of a survey's alert table.
// Called by alerts.table.ts and alerts.page.ts.
import { ALERT_COLUMNS } from "./alerts.rows.js";
import { strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { alterTable, localName, nodesOf, onEachNode } from "./layout.js";
import { IN_TIME, STOP_WHEN_FULL } from "./pages.js";
import { madeByMerges, settingsText, type TableSettings } from "./projections.js";

/** Columns whose alerts lie together, the most telling first. */
const ORDERED_BY = ["solarSystemName", "class"] as const;

/**
 * A page's rows stand beside each other there, with all that the API shows of an alert: they are read where the table
 * itself would be searched, and each of its granules read for one alert.
 */
const projection = (column: string): string =>
  `${quoted(`${column}_by_time`)} (SELECT ${ALERT_COLUMNS}, batch ORDER BY ${quoted(column)}, jd, candid)`;

/** As they stand between the parentheses of CREATE TABLE. */
export const ORDERS = ORDERED_BY.map((column) => `PROJECTION ${projection(column)}`).join(",\n  ");

/** What a page goes on with after ORDER BY, newest first, with the settings that make the engine read no more than that. */
export function newestPage(where: Partial<Record<(typeof ORDERED_BY)[number], unknown>>): string {
  const column = ORDERED_BY.find((name) => where[name] !== undefined);
  // NULLS FIRST: read backwards, NaN comes first. Without it no order of the table can be used and all is sorted.
  const page = "jd DESC NULLS FIRST, candid DESC LIMIT {limit:UInt32}";
  return column === undefined ? `${page} ${IN_TIME}` : `${column} DESC NULLS FIRST, ${page} ${STOP_WHEN_FULL}`;
}

/** Settings of a table with these projections. */
export async function orderSettings(client: ArchiveClient): Promise<TableSettings> {
  return { deduplicate_merge_projection_mode: "rebuild", allow_nullable_key: 1, ...(await madeByMerges(client)) };
}

/** Add those that a table of before has not; what it holds already is put in order by the server, in its own time. */
export async function syncOrders(client: ArchiveClient, table: string, settings: TableSettings): Promise<void> {
  const { answers } = await onEachNode(nodesOf(client), (node) => projectionsOf(node, table, client));
  const missing = ORDERED_BY.filter((column) => answers.some((present) => !present.has(`${column}_by_time`)));
  if (missing.length === 0) return;
  await alterTable(client, table, `MODIFY SETTING ${settingsText(settings)}`, "rows");
  for (const column of missing) {
    await alterTable(client, table, `ADD PROJECTION IF NOT EXISTS ${projection(column)}`, "rows");
    await alterTable(client, table, `MATERIALIZE PROJECTION ${quoted(`${column}_by_time`)}`, "rows");
  }
}

async function projectionsOf(node: ArchiveClient, table: string, { cluster }: ArchiveClient): Promise<Set<string>> {
  const block = await node.query(
    "SELECT name FROM system.projections WHERE database = {database:String} AND table = {table:String}",
    { database: node.database, table: localName(cluster ?? null, table) },
  );
  return new Set(strings(block, "name"));
}
