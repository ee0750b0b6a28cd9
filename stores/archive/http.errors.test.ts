// Whose fault a lack of memory is, on the real engine: it decides whether a batch waits or a statement is refused.
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(() => archive?.stop());

/** Asks for some 5 GB, of which the engine hands out no more than it may have. */
const GREEDY = "SELECT length(groupArray(number)) AS n FROM numbers(600000000) SETTINGS max_threads = 1";

test("a query beyond its own bound is too large, however often it is asked", async () => {
  await expect(archive.client.query(GREEDY)).rejects.toMatchObject({ code: "QUERY_TOO_LARGE" });
});

test("a query that meets the bound of all queries together may be asked again later", async () => {
  await expect(archive.client.query(`${GREEDY}, max_memory_usage = 0`)).rejects.toMatchObject({
    code: "ENGINE_UNAVAILABLE",
  });
});
