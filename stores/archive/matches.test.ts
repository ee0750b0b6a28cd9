// Matches on a real engine.
import { afterAll, beforeAll } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { matchContract } from "../matches.contract.js";
import { bigints } from "./blocks.js";
import { createArchiveStores } from "./stores.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

matchContract(
  (surveys) => createArchiveStores(archive.client, surveys),
  () => ({
    async merge() {
      for (const table of ["matches", "matches_before", "matches_since"]) {
        await archive.client.command(`OPTIMIZE TABLE ${table} FINAL`);
      }
    },
    async keptBefore(catalog) {
      const rows = "SELECT count() AS count FROM matches_before FINAL WHERE catalog = {catalog:String}";
      return Number(bigints(await archive.client.query(rows, { catalog }), "count")[0]);
    },
  }),
);
