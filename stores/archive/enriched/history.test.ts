// Histories on a real engine.
import { afterAll, beforeAll } from "vitest";
import type { SurveyDescription } from "../../../domain/survey.js";
import { startTestArchive, type TestArchive } from "../../../test/archive.js";
import { historyContract } from "../../history.contract.js";
import type { ArchiveClient } from "../client.js";
import { connectArchive } from "../http.js";
import { type ArchiveStores, createArchiveStores } from "../stores.js";

let engine: TestArchive;
const clients: ArchiveClient[] = [];
beforeAll(async () => {
  engine = await startTestArchive();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await engine?.stop();
});

/** A database of its own each time. */
async function open(surveys: readonly SurveyDescription[]): Promise<ArchiveStores> {
  const { url, user, password } = engine;
  clients.push(connectArchive({ url, user, password, database: `history${clients.length}` }));
  return createArchiveStores(clients.at(-1)!, surveys);
}

historyContract(open, () => clients.at(-1)!.command("OPTIMIZE TABLE tellings FINAL"));
