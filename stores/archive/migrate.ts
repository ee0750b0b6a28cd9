// Brings the archive's database up to date: numbered migrations, each once, in order. Called by stores.ts and `migrate`.
import { TocsinError } from "../../domain/errors.js";
import { blockOf, strings, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { createTables, everywhere, nodesOf, onEachNode, type TableDefinition } from "./layout.js";
import * as alerts from "./migrations/0001-alerts.js";
import * as photometry from "./migrations/0002-photometry.js";
import * as hits from "./migrations/0003-hits.js";
import * as journal from "./migrations/0004-journal.js";
import * as keys from "./migrations/0005-keys.js";
import * as sequence from "./migrations/0006-sequence.js";
import * as packets from "./migrations/0007-packets.js";
import * as receipts from "./migrations/0008-receipts.js";
import * as tellings from "./migrations/0009-tellings.js";
import * as catalogs from "./migrations/0010-catalogs.js";
import * as matches from "./migrations/0011-matches.js";
import * as corrections from "./migrations/0012-corrections.js";
import * as scores from "./migrations/0013-scores.js";
import * as marks from "./migrations/0014-marks.js";
import * as correctionOrder from "./migrations/0015-corrections.js";
import * as archival from "./migrations/0016-archival.js";
import * as missing from "./migrations/0018-missing.js";
import * as distances from "./migrations/0019-distances.js";
import * as mergedHits from "./migrations/0020-hits.js";
import * as matchesBefore from "./migrations/0021-matches.js";

/** Never renamed, never reordered: the database remembers them by these names. */
const MIGRATIONS: readonly (readonly [string, (client: ArchiveClient) => Promise<void>])[] = [
  ["0001-alerts", alerts.up],
  ["0002-photometry", photometry.up],
  ["0003-hits", hits.up],
  ["0004-journal", journal.up],
  ["0005-keys", keys.up],
  ["0006-sequence", sequence.up],
  ["0007-packets", packets.up],
  ["0008-receipts", receipts.up],
  ["0009-tellings", tellings.up],
  ["0010-catalogs", catalogs.up],
  ["0011-matches", matches.up],
  ["0012-corrections", corrections.up],
  ["0013-scores", scores.up],
  ["0014-marks", marks.up],
  ["0015-corrections", correctionOrder.up],
  ["0016-archival", archival.up],
  ["0018-missing", missing.up],
  ["0019-distances", distances.up],
  ["0020-hits", mergedHits.up],
  ["0021-matches", matchesBefore.up],
];

/**
 * Create the database and run the migrations that it has not had; returns the names of those. A migration that died
 * half-way runs again: each is written so that this is harmless.
 */
export async function migrate(client: ArchiveClient): Promise<string[]> {
  await createDatabase(client);
  await createTables(client, [EXECUTED]);
  const executed = new Set(strings(await client.query("SELECT DISTINCT name FROM migrations"), "name"));
  const pending = MIGRATIONS.filter(([name]) => !executed.has(name));
  for (const [name, up] of pending) {
    await up(client);
    await client.insert("migrations", blockOf(1, { name: texts([name]) }));
  }
  return pending.map(([name]) => name);
}

const EXECUTED: TableDefinition = {
  name: "migrations",
  columns: "name String, executedAt DateTime DEFAULT now()",
  engine: "MergeTree",
  orderBy: "name",
  shardBy: null,
};

/** Only where it is missing: a user may be good for everything within it and yet not be allowed to make it. */
export async function createDatabase(client: ArchiveClient): Promise<void> {
  const { answers, failure } = await onEachNode(nodesOf(client), hasDatabase);
  if (answers.every((present) => present)) return;
  if (failure !== null) throw failure;
  const name = quoted(client.database);
  await everywhere(client, (onCluster) => `CREATE DATABASE IF NOT EXISTS ${name}${onCluster} ENGINE = Atomic`);
}

/** ClickHouse's code for a request that names a database which is not there. */
const UNKNOWN_DATABASE = 81;

async function hasDatabase(node: ArchiveClient): Promise<boolean> {
  try {
    await node.query("SELECT 1");
    return true;
  } catch (error) {
    if (error instanceof TocsinError && error.details.engineCode === UNKNOWN_DATABASE) return false;
    throw error;
  }
}
