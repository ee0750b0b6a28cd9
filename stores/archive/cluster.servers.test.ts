// The contract suites of the archive's stores on a cluster of two shards with two replicas each, all of them real servers.
import { randomUUID } from "node:crypto";
import { afterAll } from "vitest";
import type { SurveyDescription } from "../../domain/survey.js";
import { servers } from "../../test/servers.js";
import { alertContract } from "../alerts.contract.js";
import { backtestContract } from "../backtest.contract.js";
import { hitContract } from "../hits.contract.js";
import { journalContract } from "../journal.contract.js";
import { objectContract } from "../objects.contract.js";
import { photometryContract } from "../photometry.contract.js";
import { strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { openArchiveServers } from "./servers.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

let client: ArchiveClient;
let opened: readonly SurveyDescription[] = [];

afterAll(() => client?.close());

async function open(surveys: readonly SurveyDescription[]): Promise<ArchiveStores> {
  await client?.close();
  const { settings } = await servers.cluster();
  client = await openArchiveServers({
    urls: settings.CLICKHOUSE_URL!.split(","),
    user: settings.CLICKHOUSE_USER!,
    password: settings.CLICKHOUSE_PASSWORD!,
    database: `contract_${randomUUID().slice(0, 8)}`,
    cluster: settings.CLICKHOUSE_CLUSTER!,
    storagePolicy: null,
  });
  opened = surveys;
  return reopen();
}

const reopen = (): Promise<ArchiveStores> => createArchiveStores(client, opened);

/** Merge all parts of every table on every node into one: what merges will do some day. */
async function settle(): Promise<void> {
  for (const node of client.cluster!.nodes) {
    const tables = await node.query(
      "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'",
      { database: client.database },
    );
    for (const name of strings(tables, "name")) await node.command(`OPTIMIZE TABLE ${name} FINAL`);
  }
}

alertContract(open, settle);
objectContract(open, settle);
photometryContract(open, settle);
hitContract(open, reopen);
journalContract(open);
backtestContract(open);
