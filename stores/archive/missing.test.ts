// What batches lack, on a real engine.
import { afterAll, beforeAll } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { missingContract } from "../missing.contract.js";
import { createArchiveStores } from "./stores.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

missingContract((surveys) => createArchiveStores(archive.client, surveys));
