// On which disks the archive lies, when packets move to cheaper ones and when they go: settings that hold from the next
// start on. Called by cli/; packets.ts asks which may be gone.
import { TocsinError } from "../../domain/errors.js";
import { bigints, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { sqlText } from "./http.form.js";
import { alterTable, localName, nodesOf, onEachNode } from "./layout.js";

const DAY_MS = 86_400_000;

/** Days since a packet was put in; absent or null: never. */
export interface Ages {
  /** Then it moves to the volume `cold` of the archive's storage policy. */
  readonly coldDays?: number | null;
  /** Then it goes; parts of the table go whole, up to a week later. */
  readonly keepDays?: number | null;
}

/**
 * Give all tables the client's storage policy, and packets these ages, where they have others. The archive must have
 * been migrated.
 * @throws TocsinError BAD_SETTING where the servers do not know the policy, or a table cannot change to it.
 */
export async function applyStorage(client: ArchiveClient, ages: Ages): Promise<void> {
  const policy = client.storagePolicy ?? null;
  if (policy !== null) {
    const { answers } = await onEachNode(nodesOf(client), (node) => tablesWithout(node, policy));
    const suffix = localName(client.cluster ?? null, "");
    const tables = new Set(answers.flat().map((name) => name.slice(0, name.length - suffix.length)));
    for (const table of tables) await changePolicy(client, table, policy);
  }
  await applyPacketAges(client, ages);
}

async function tablesWithout(node: ArchiveClient, policy: string): Promise<readonly string[]> {
  const block = await node.query(
    `SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'
      AND storage_policy != {policy:String} ORDER BY name`,
    { database: node.database, policy },
  );
  return strings(block, "name");
}

async function changePolicy(client: ArchiveClient, table: string, policy: string): Promise<void> {
  try {
    await alterTable(client, table, `MODIFY SETTING storage_policy = ${sqlText(policy)}`, "rows");
  } catch (error) {
    if (!(error instanceof TocsinError) || error.code !== "INTERNAL") throw error;
    throw new TocsinError("BAD_SETTING", `The archive's table ${table} cannot change to the policy "${policy}".`, {
      remedy: "A policy must have every volume, by its name, of the one before; or restore a backup under the new one.",
      cause: error,
    });
  }
}

/**
 * Give the table of packets these ages where it has others.
 * @throws TocsinError BAD_SETTING where the storage policy has no volume `cold`.
 */
async function applyPacketAges(client: ArchiveClient, ages: Ages): Promise<void> {
  const wanted = { coldDays: ages.coldDays ?? null, keepDays: ages.keepDays ?? null };
  const { answers } = await onEachNode(nodesOf(client), (node) =>
    agesOf(node, localName(client.cluster ?? null, TABLE)),
  );
  const same = answers.every((has) => has.coldDays === wanted.coldDays && has.keepDays === wanted.keepDays);
  if (same) return;
  const clauses = [
    ...(wanted.coldDays === null ? [] : [`${PUT_IN} + toIntervalDay(${wanted.coldDays}) TO VOLUME 'cold'`]),
    ...(wanted.keepDays === null ? [] : [`${PUT_IN} + toIntervalDay(${wanted.keepDays}) DELETE`]),
  ];
  const change = clauses.length === 0 ? "REMOVE TTL" : `MODIFY TTL ${clauses.join(", ")}`;
  await alterTable(client, TABLE, change, "rows").catch((error: unknown) => {
    if (wanted.coldDays === null || !/storage policy|such volume|No volume/i.test(causeOf(error))) throw error;
    throw new TocsinError("BAD_SETTING", "PACKETS_COLD_DAYS needs a storage policy with a volume named cold.", {
      remedy:
        "Name one by CLICKHOUSE_STORAGE_POLICY before the archive is first used; docs/clickhouse.md has an example.",
      cause: error,
    });
  });
}

const TABLE = "packets";
const PUT_IN = "toDateTime(intDiv(offset, 4096000), 'UTC')";

const causeOf = (error: unknown): string => (error instanceof Error ? String(error.cause ?? error.message) : "");

async function agesOf(node: ArchiveClient, table: string): Promise<Required<Ages>> {
  const block = await node.query(
    "SELECT create_table_query AS text FROM system.tables WHERE database = {database:String} AND name = {table:String}",
    { database: node.database, table },
  );
  const text = strings(block, "text")[0] ?? "";
  const days = (pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? null : Number(found);
  };
  return {
    coldDays: days(/toIntervalDay\((\d+)\) TO VOLUME/),
    keepDays: days(/toIntervalDay\((\d+)\)(?! TO VOLUME)/),
  };
}

/** Whether a packet that is missing is so because of its age: beyond `keepDays`, or older than all that are there. */
export async function wasDropped(
  client: ArchiveClient,
  keptAtMs: number,
  offset: number,
  { keepDays = null }: Ages,
): Promise<boolean> {
  if (keepDays !== null && Date.now() - keptAtMs > keepDays * DAY_MS) return true;
  const oldest = await client.query("SELECT `offset` FROM packets ORDER BY `offset` LIMIT 1");
  return oldest.rows > 0 && Number(bigints(oldest, "offset")[0]) > offset;
}
