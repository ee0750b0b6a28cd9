// Matches on a real engine.
import { afterAll, beforeAll } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { matchContract } from "../matches.contract.js";
import { createArchiveStores } from "./stores.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

matchContract((surveys) => createArchiveStores(archive.client, surveys));
