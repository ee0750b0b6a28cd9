// Runs compiled filters over alerts that are not stored: the block travels with the query. Called by cli/ for ingest.
import type { Block } from "../../domain/columns.js";
import type { CompiledColumn, InFlightQuery } from "../inflight.store.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";

/** Compiled texts read the block's columns by their names; the table's own name is `batch`. */
export function createInFlightQuery(client: ArchiveClient): InFlightQuery {
  return {
    async select(block: Block, columns: readonly CompiledColumn[], where: string | null): Promise<Block> {
      if (block.rows === 0 || columns.length === 0) return { rows: 0, columns: new Map() };
      const list = columns.map(({ sql, alias }) => `${sql} AS ${quoted(alias)}`).join(",\n");
      const condition = where === null ? "" : `\nWHERE ${where}`;
      // One thread keeps the order of the rows; aliases must not hide the block's own columns from other expressions.
      const sql = `SELECT ${list}\nFROM batch${condition}\nSETTINGS max_threads = 1, prefer_column_name_to_alias = 1`;
      return client.query(sql, {}, { external: [{ name: "batch", block }] });
    },
  };
}
