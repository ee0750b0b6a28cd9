// Marks on a real engine.
import { afterAll, beforeAll } from "vitest";
import type { SurveyDescription } from "../../domain/survey.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { markContract } from "../marks.contract.js";
import { createArchiveStores } from "./stores.js";

let archive: TestArchive;
let opened: readonly SurveyDescription[];
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

const reopen = () => createArchiveStores(archive.client, opened);
markContract((surveys) => {
  opened = surveys;
  return reopen();
}, reopen);
