// The contract suites of the archive's stores on a cluster of two shards with two replicas each, all of them real servers.
import { randomUUID } from "node:crypto";
import { afterAll } from "vitest";
import type { SurveyDescription } from "../../domain/survey.js";
import { servers } from "../../test/servers.js";
import { alertContract } from "../alerts.contract.js";
import { archivalContract } from "../archival.contract.js";
import { asOfContract } from "../asof.contract.js";
import { backtestContract } from "../backtest.contract.js";
import { catalogContract } from "../catalogs.contract.js";
import { correctionContract } from "../corrections.contract.js";
import { featureContract } from "../features.contract.js";
import { historyContract } from "../history.contract.js";
import { hitContract } from "../hits.contract.js";
import { journalContract } from "../journal.contract.js";
import { markContract } from "../marks.contract.js";
import { matchContract } from "../matches.contract.js";
import { missingContract } from "../missing.contract.js";
import { counterpartContract } from "../nearest.contract.js";
import { objectContract } from "../objects.contract.js";
import { photometryContract } from "../photometry.contract.js";
import { scoreContract } from "../scores.contract.js";
import { strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { openArchiveServers } from "./servers.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

let client: ArchiveClient;
let opened: readonly SurveyDescription[] = [];

afterAll(() => client?.close());

/** To empty a database is quicker than to make all tables on four servers. */
let shared: { readonly database: string; surveys: string } | null = null;
/** What migrations put into tables stays there. */
const KEPT = ["migrations_local", "keys_local"];

async function open(surveys: readonly SurveyDescription[]): Promise<ArchiveStores> {
  const wanted = JSON.stringify(surveys);
  if (shared === null) {
    const stores = await openNew(surveys);
    shared = { database: client.database, surveys: wanted };
    return stores;
  }
  await connect(shared.database);
  if (wanted !== shared.surveys) await dropSurveys();
  await eachTable((name) => (KEPT.includes(name) ? null : `TRUNCATE TABLE ${name}`));
  shared.surveys = wanted;
  opened = surveys;
  return reopen();
}

/** The tables of a survey have the columns that its description says: others, others. */
async function dropSurveys(): Promise<void> {
  const work = client.cluster!.nodes.map(async (node) => {
    const tables = await node.query(
      `SELECT name FROM system.tables WHERE database = {database:String} AND match(name, '^(alerts|features)_')`,
      { database: client.database },
    );
    for (const name of strings(tables, "name")) await node.command(`DROP TABLE ${name} SYNC`);
  });
  await Promise.all(work);
}

async function openNew(surveys: readonly SurveyDescription[]): Promise<ArchiveStores> {
  await connect(`contract_${randomUUID().slice(0, 8)}`);
  opened = surveys;
  return reopen();
}

async function connect(database: string): Promise<void> {
  await client?.close();
  const { settings } = await servers.cluster();
  client = await openArchiveServers({
    urls: settings.CLICKHOUSE_URL!.split(","),
    user: settings.CLICKHOUSE_USER!,
    password: settings.CLICKHOUSE_PASSWORD!,
    database,
    cluster: settings.CLICKHOUSE_CLUSTER!,
    storagePolicy: null,
  });
}

/** A statement for each table of rows, on every node that has rows in it. */
async function eachTable(statement: (name: string) => string | null): Promise<void> {
  const work = client.cluster!.nodes.map(async (node) => {
    const tables = await node.query(
      `SELECT name FROM system.tables
      WHERE database = {database:String} AND engine LIKE '%MergeTree' AND total_rows > 0`,
      { database: client.database },
    );
    for (const sql of strings(tables, "name").map(statement)) if (sql !== null) await node.command(sql);
  });
  await Promise.all(work);
}

const reopen = (): Promise<ArchiveStores> => createArchiveStores(client, opened);

/** Merge all parts of every table on every node into one: what merges will do some day. */
const settle = (): Promise<void> => eachTable((name) => `OPTIMIZE TABLE ${name} FINAL`);

alertContract(open, settle);
objectContract(open, settle);
photometryContract(open, settle);
hitContract(open, reopen, openNew);
journalContract(open);
backtestContract(open);
historyContract(open, settle);
asOfContract(open);
catalogContract(
  async () => (await open([])).catalogs,
  async () => (await reopen()).catalogs,
);
archivalContract(async () => (await open([])).archival);
matchContract(open);
featureContract(open, settle);
scoreContract(open);
markContract(open, reopen);
missingContract(open);
correctionContract(open);
counterpartContract(open, settle);
