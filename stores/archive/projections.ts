// Projections that cost an insert nothing. Called by alerts.orders.ts and by migrations.
import type { ArchiveClient } from "./client.js";
import { sqlText } from "./http.form.js";
import { nodesOf, onEachNode } from "./layout.js";

export type TableSettings = Readonly<Record<string, number | string>>;

/**
 * Settings by which merges make a table's projections, and inserts do not: in a part that has none yet the table itself is
 * searched. None where a server cannot; then inserts make them.
 */
export async function madeByMerges(client: ArchiveClient): Promise<TableSettings> {
  const lazy = { materialize_projections_on_insert: 0, materialize_projections_on_merge: 1 };
  const { answers } = await onEachNode(nodesOf(client), (node) =>
    node.query("SELECT name FROM system.merge_tree_settings WHERE name IN {names:Array(String)}", {
      names: Object.keys(lazy),
    }),
  );
  return answers.every(({ rows }) => rows === Object.keys(lazy).length) ? lazy : {};
}

/** As they stand after MODIFY SETTING. */
export const settingsText = (settings: TableSettings): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} = ${typeof value === "number" ? value : sqlText(value)}`)
    .join(", ");
