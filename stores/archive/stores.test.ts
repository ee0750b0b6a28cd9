// The contract suites of the archive's stores on a real engine.
import { afterAll, beforeAll } from "vitest";
import type { SurveyDescription } from "../../domain/survey.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { alertContract } from "../alerts.contract.js";
import { hitContract } from "../hits.contract.js";
import { journalContract } from "../journal.contract.js";
import { objectContract } from "../objects.contract.js";
import { photometryContract } from "../photometry.contract.js";
import { strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { connectArchive } from "./http.js";
import { type ArchiveStores, createArchiveStores } from "./stores.js";

let engine: TestArchive;
let client: ArchiveClient;
let databases = 0;
let opened: readonly SurveyDescription[] = [];

beforeAll(async () => {
  engine = await startTestArchive();
});
afterAll(async () => {
  await client?.close();
  await engine?.stop();
});

/** Stores over a database of their own. */
async function open(surveys: readonly SurveyDescription[]): Promise<ArchiveStores> {
  await client?.close();
  const { url, user, password } = engine;
  databases += 1;
  client = connectArchive({ url, user, password, database: `contract${databases}` });
  opened = surveys;
  return reopen();
}

/** As a new process would, over what is there. */
const reopen = (): Promise<ArchiveStores> => createArchiveStores(client, opened);

/** Merge all parts of every table into one: what merges will do some day. */
async function settle(): Promise<void> {
  const tables = await client.query(
    "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'",
    { database: client.database },
  );
  for (const name of strings(tables, "name")) await client.command(`OPTIMIZE TABLE ${name} FINAL`);
}

alertContract(open, settle);
objectContract(open, settle);
photometryContract(open, settle);
hitContract(open, reopen);
journalContract(open);
