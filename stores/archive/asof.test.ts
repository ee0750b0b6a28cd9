// What is asked as of a time, on a real engine.
import { afterAll, beforeAll } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { asOfContract } from "../asof.contract.js";
import { createArchiveStores } from "./stores.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

asOfContract((surveys) => createArchiveStores(archive.client, surveys));
