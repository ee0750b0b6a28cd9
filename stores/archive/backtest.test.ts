// The contract of backtests on a real engine.
import { afterAll, beforeAll } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { backtestContract } from "../backtest.contract.js";
import type { ArchiveClient } from "./client.js";
import { connectArchive } from "./http.js";
import { createArchiveStores } from "./stores.js";

let engine: TestArchive;
const clients: ArchiveClient[] = [];

beforeAll(async () => {
  engine = await startTestArchive();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await engine?.stop();
});

backtestContract(async (surveys) => {
  const { url, user, password } = engine;
  const client = connectArchive({ url, user, password, database: `backtest${clients.length}` });
  clients.push(client);
  return createArchiveStores(client, surveys);
});
