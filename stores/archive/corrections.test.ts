// Corrections on a real engine.
import { afterAll, beforeAll } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { correctionContract } from "../corrections.contract.js";
import { createArchiveStores } from "./stores.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

correctionContract((surveys) => createArchiveStores(archive.client, surveys));
