// Whose queries take which way to the archive, and with which settings: looked at in the engine's own process list.
import { setMaxListeners } from "node:events";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { outsideRequests, withinLiveRequest, withinRequest } from "../request.js";
import { strings } from "./blocks.js";
import { type DividedArchive, dividedArchive } from "./divided.js";
import { connectArchive } from "./http.js";

let archive: TestArchive;
let divided: DividedArchive;
beforeAll(async () => {
  archive = await startTestArchive();
  const { url, user, password } = archive;
  divided = await dividedArchive((share) => connectArchive({ ...share, url, user, password, database: "tocsin" }));
});
afterAll(async () => {
  await divided?.close();
  await archive?.stop();
});

const settings = async () =>
  strings(
    await divided.query("SELECT concat(getSetting('priority')::String, ' ', getSetting('max_threads')::String) AS own"),
    "own",
  )[0];

it("answers to queries wait for ingest and live hits", async () => {
  const { signal } = new AbortController();
  expect(await withinRequest(signal, settings)).toBe("10 1");
  expect(await settings()).toMatch(/^1 /);
  expect(await withinLiveRequest(signal, () => withinRequest(signal, settings))).toMatch(/^1 /);
  expect(await withinRequest(signal, () => outsideRequests(settings))).toMatch(/^1 /);
});

it("a query of the service goes first, though readers fill all their connections", async () => {
  const leave = new AbortController();
  setMaxListeners(0, leave.signal);
  const slow = "SELECT count() AS x FROM system.numbers WHERE sipHash64(number) = 2";
  const readers = Array.from({ length: 40 }, () => withinRequest(leave.signal, () => divided.query(slow)));
  for (const reader of readers) reader.catch(() => {});
  const running = async () =>
    strings(
      await divided.query(
        "SELECT toString(count()) AS n FROM system.processes WHERE query LIKE '%= 2%' AND query NOT LIKE '%processes%'",
      ),
      "n",
    )[0];
  // As many as the readers have connections; the others wait for one, and end with their request all the same.
  await vi.waitFor(async () => expect(await running()).toBe("8"), { timeout: 10_000 });
  leave.abort("enough");
  await vi.waitFor(async () => expect(await running()).toBe("0"), { timeout: 2_000 });
  expect((await Promise.allSettled(readers)).every(({ status }) => status === "rejected")).toBe(true);
});

it("tells that ingest is at work after an insert", async () => {
  expect(divided.writing()).toBe(false);
  await divided.command("CREATE TABLE t (n Int64) ENGINE = MergeTree ORDER BY n");
  expect(divided.writing()).toBe(false);
  const n = { type: "Int64", values: BigInt64Array.of(1n), nulls: null } as const;
  await divided.insert("t", { rows: 1, columns: new Map([["n", n]]) });
  expect(divided.writing()).toBe(true);
});
