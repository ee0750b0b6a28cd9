// Counterparts at their times on a real engine.
import { afterAll, beforeAll } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { counterpartContract } from "../nearest.contract.js";
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

counterpartContract(
  async (surveys) => {
    const { url, user, password } = engine;
    clients.push(connectArchive({ url, user, password, database: `counterparts${clients.length}` }));
    return createArchiveStores(clients.at(-1)!, surveys);
  },
  async () => {
    for (const table of ["positions", "tellings"]) await clients.at(-1)!.command(`OPTIMIZE TABLE ${table} FINAL`);
  },
);
