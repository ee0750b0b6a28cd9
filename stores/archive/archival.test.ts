// Archives of light curves on a real engine: the contract, and what the engine makes of it.
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { archivalContract } from "../archival.contract.js";
import { ArchiveArchival } from "./archival.js";
import { SETTINGS } from "./archival.near.js";
import { numbers, strings } from "./blocks.js";
import { up } from "./migrations/0016-archival.js";

let archive: TestArchive;

beforeAll(async () => {
  archive = await startTestArchive();
  await up(archive.client);
}, 60_000);
afterAll(() => archive?.stop());
afterEach(() => {
  vi.useRealTimers();
});

archivalContract(async () => new ArchiveArchival(archive.client));

const explained = async (sql: string) =>
  strings(await archive.client.query(`EXPLAIN indexes = 1 ${sql} ${SETTINGS}`), "explain").join("\n");

it("reads one load's partition and the cells that are asked for", async () => {
  const sources = await explained(
    "SELECT id FROM archival_sources FINAL WHERE load IN [toUInt64(1), toUInt64(2)] AND intDiv(cell, 64) IN (SELECT toUInt64(7))",
  );
  expect(sources).toMatch(/Partition\s+Keys:\s+load[\s\S]*PrimaryKey\s+Keys:\s+cell/);
  const points = await explained(
    "SELECT time FROM archival_points FINAL WHERE load IN [toUInt64(1), toUInt64(2)] AND (cell, source) IN (SELECT toUInt64(7), toUInt64(8))",
  );
  expect(points).toMatch(/Partition\s+Keys:\s+load[\s\S]*PrimaryKey\s+Keys:\s+cell\s+source/);
});

it("drops the rows of what was removed, two minutes later and not before", async () => {
  const store = new ArchiveArchival(archive.client);
  const parts = async () => {
    const text = "SELECT toFloat64(count()) AS n FROM system.parts WHERE active AND table LIKE 'archival_s%'";
    return numbers(await archive.client.query(`${text} AND database = 'tocsin'`), "n")[0];
  };
  const before = await parts();
  expect(before).toBeGreaterThan(0);
  await store.sweep();
  expect(await parts()).toBe(before);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 121_000 });
  await store.sweep();
  expect(await parts()).toBe(0);
  await store.sweep();
});
