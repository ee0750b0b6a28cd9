// Catalogs on a real engine: the contract, and what the engine makes of it.
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { blockFor } from "../../test/batches.js";
import { testCatalog } from "../../test/catalogs.js";
import { catalogContract } from "../catalogs.contract.js";
import { strings } from "./blocks.js";
import { ArchiveCatalogs } from "./catalogs.js";
import { tableOf } from "./catalogs.table.js";
import { up } from "./migrations/0010-catalogs.js";

let archive: TestArchive;

beforeAll(async () => {
  archive = await startTestArchive();
  await up(archive.client);
}, 60_000);
afterAll(() => archive?.stop());

const reopen = () => ArchiveCatalogs.open(archive.client);
catalogContract(reopen, reopen);

it("uses its key for many positions, whatever the radius; a table that is gone is a catalog that is", async () => {
  const store = await reopen();
  const begun = await store.begin(testCatalog("gone"), []);
  const fields = [{ name: "id", type: "String", nullable: false } as const, ...POSITION];
  const progress = { ...begun.progress, rowsRead: 1 };
  await store.append(begun, blockFor(fields, [{ id: "a", ra: 5, dec: 5 }]), progress);
  const active = await store.activate(begun, progress);
  const text = `EXPLAIN indexes = 1 SELECT id FROM ${tableOf(active)} WHERE intDiv(cell, 64) IN (SELECT toUInt64(7))
    SETTINGS enable_analyzer = 0`;
  const plan = await archive.client.query(text);
  expect(strings(plan, "explain").join("\n")).toMatch(/Keys:\s+cell/);
  await archive.client.command(`DROP TABLE ${tableOf(active)}`);
  const cone = { ra: 5, dec: 5, radiusArcsec: 1 };
  await expect(store.cone(active, cone, 10, null)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

it("knows a catalog as active, and tells of it, as soon as it lists it as such", async () => {
  const [loading, other] = [await reopen(), await reopen()];
  const told: string[][] = [];
  other.onChange(() => told.push(other.active().map(({ name }) => name)));
  const begun = await loading.begin(testCatalog("heard_of"), []);
  const stateAt = async () => (await other.list()).find(({ name }) => name === "heard_of")?.state;
  expect(await stateAt()).toBe("loading");
  expect(told).toEqual([]);
  await loading.activate(begun, begun.progress);
  expect(await stateAt()).toBe("active");
  expect(told).toEqual([other.active().map(({ name }) => name)]);
  expect(told[0]).toContain("heard_of");
});

const POSITION = [
  { name: "ra", type: "Float64", nullable: false },
  { name: "dec", type: "Float64", nullable: false },
] as const;
