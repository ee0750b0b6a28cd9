// The archive's database as backups that its servers write and read, one per server. Called by cli/backup.ts.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { TocsinError } from "../../domain/errors.js";
import { bigints, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted, sqlText } from "./http.form.js";
import { localName, nodesOf } from "./layout.js";
import { createDatabase } from "./migrate.js";

const POLL_MS = 100;

/** Where a server writes: a file or folder below its backups.allowed_path, or on one of its backup disks. */
export interface BackupPlace {
  readonly path: string;
  readonly disk: string | null;
}

/**
 * Write the database, or each server's share of it, to these places.
 * @throws TocsinError BAD_SETTING where a server may not write there, or copies rows by itself (Replicated tables).
 */
export async function backUpDatabase(client: ArchiveClient, places: readonly BackupPlace[]): Promise<void> {
  refuseReplicated(client);
  await onEach(client, places, (node, place) =>
    done(node, `BACKUP DATABASE ${quoted(node.database)} TO ${placeText(place)}`, "BACKUP_CREATED"),
  );
}

/**
 * Read it back. The servers must have no table of that database.
 * @throws TocsinError TARGET_NOT_EMPTY; BAD_BACKUP where there is none at these places or it cannot be read.
 */
export async function restoreDatabase(client: ArchiveClient, places: readonly BackupPlace[]): Promise<void> {
  refuseReplicated(client);
  await createDatabase(client);
  for (const node of nodesOf(client)) await refuseTables(node);
  await onEach(client, places, (node, place) =>
    done(node, `RESTORE DATABASE ${quoted(node.database)} FROM ${placeText(place)}`, "RESTORED"),
  );
}

/** Distinct rows of each table; tables whose rows go by age are left out. */
export async function rowsOfTables(client: ArchiveClient): Promise<Record<string, number>> {
  const block = await client.query(
    `SELECT name, engine FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'
      AND create_table_query NOT LIKE '% TTL %' ORDER BY name`,
    { database: client.database },
  );
  const engines = strings(block, "engine");
  const rows: Record<string, number> = {};
  const suffix = localName(client.cluster ?? null, "").length;
  for (const [row, local] of strings(block, "name").entries()) {
    const name = local.slice(0, local.length - suffix);
    const final = engines[row]!.includes("Replacing") ? "FINAL" : "";
    const counted = await client.query(`SELECT count() AS n FROM ${quoted(name)} ${final}`, {}, { timeoutMs: 600_000 });
    rows[name] = Number(bigints(counted, "n")[0] ?? 0);
  }
  return rows;
}

async function onEach(
  client: ArchiveClient,
  places: readonly BackupPlace[],
  work: (node: ArchiveClient, place: BackupPlace) => Promise<void>,
): Promise<void> {
  const nodes = nodesOf(client);
  if (nodes.length !== places.length) {
    const message = `The backup is of ${places.length} servers, the archive has ${nodes.length}.`;
    throw new TocsinError("BAD_BACKUP", message, { remedy: "Restore into a cluster of the same form." });
  }
  for (const [n, node] of nodes.entries()) await work(node, places[n]!);
}

function placeText({ path, disk }: BackupPlace): string {
  return disk === null ? `File(${sqlText(path)})` : `Disk(${sqlText(disk)}, ${sqlText(path)})`;
}

/** Begin, and wait for the end however long it takes: no request is open that long. */
async function done(node: ArchiveClient, statement: string, end: "BACKUP_CREATED" | "RESTORED"): Promise<void> {
  const id = randomUUID();
  await node.command(`${statement} SETTINGS id = ${sqlText(id)} ASYNC`).catch((error: unknown) => {
    throw meant(error, error instanceof TocsinError ? String(error.cause) : "");
  });
  for (;;) {
    const block = await node.query(
      "SELECT toString(status) AS status, error FROM system.backups WHERE id = {id:String}",
      {
        id,
      },
    );
    const [status] = strings(block, "status");
    if (status === end) return;
    if (status === undefined || status.endsWith("FAILED") || status.endsWith("CANCELLED")) {
      const text = strings(block, "error")[0] ?? "";
      throw meant(new TocsinError("INTERNAL", "The archive's backup did not end well.", { cause: text }), text);
    }
    await delay(POLL_MS);
  }
}

/** What the server said as what its owner can do about it. */
function meant(error: unknown, text: string): unknown {
  if (/allowed_path|allowed_disk|is not allowed/.test(text)) {
    return new TocsinError("BAD_SETTING", "The archive's server may not write backups there.", {
      remedy:
        "Set <backups><allowed_path> in its configuration, or <allowed_disk> and name that disk by --server-disk.",
      cause: text,
    });
  }
  if (/BACKUP_NOT_FOUND|BACKUP_DAMAGED|BACKUP_VERSION_NOT_SUPPORTED|BACKUP_ENTRY_NOT_FOUND/.test(text)) {
    return new TocsinError("BAD_BACKUP", "The archive's server finds no whole backup there.", { cause: text });
  }
  if (/No space left/.test(text))
    return new TocsinError("DISK_FULL", "The disk of the backup is full.", { cause: text });
  return error;
}

async function refuseTables(node: ArchiveClient): Promise<void> {
  const block = await node.query("SELECT count() AS n FROM system.tables WHERE database = {database:String}", {
    database: node.database,
  });
  if (Number(bigints(block, "n")[0] ?? 0) === 0) return;
  throw new TocsinError("TARGET_NOT_EMPTY", `The archive has a database ${node.database} with tables.`);
}

function refuseReplicated(client: ArchiveClient): void {
  if (client.cluster?.replicated !== true) return;
  throw new TocsinError("BAD_SETTING", "Servers that copy rows themselves are not backed up from here.", {
    remedy: "Use BACKUP … ON CLUSTER to storage that all of them reach; docs/clickhouse.md.",
  });
}
