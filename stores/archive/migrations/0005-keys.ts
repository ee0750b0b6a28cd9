// Secrets that belong to the archive, so that all who work on it agree. Read by ../hits.ts.
import { randomBytes } from "node:crypto";
import { texts } from "../blocks.js";
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/** `value` is base64: columns of text carry text. The oldest row of a name counts: two processes may start at once. */
const KEYS: TableDefinition = {
  name: "keys",
  columns: `
  name String,
  value String,
  createdAt DateTime64(6) DEFAULT now64(6)`,
  engine: "MergeTree",
  orderBy: "(name, createdAt, value)",
  shardBy: null,
};

/** 16 bytes: the key of hits' cursors. A new one would make every cursor that somebody keeps a wrong one. */
export const HIT_CURSOR_KEY = "hit cursors";

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [KEYS]);
  const { rows } = await client.query("SELECT name FROM keys WHERE name = {name:String}", { name: HIT_CURSOR_KEY });
  if (rows > 0) return;
  const columns = { name: texts([HIT_CURSOR_KEY]), value: texts([randomBytes(16).toString("base64")]) };
  // Whoever starts at the same moment may have been first.
  const onlyIf = "(SELECT count() FROM keys WHERE name = {name:String}) = 0";
  const options = { onlyIf, parameters: { name: HIT_CURSOR_KEY } };
  await client.insert("keys", { rows: 1, columns: new Map(Object.entries(columns)) }, options);
}
