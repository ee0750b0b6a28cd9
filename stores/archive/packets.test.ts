// The packet store of servers on a real engine: the contract, damage on disk, and packets that are dropped by age.
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { packet, packetContract, schemas } from "../packets.contract.js";
import { blockOf, counts, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { connectArchive } from "./http.js";
import { migrate } from "./migrate.js";
import { openArchivePackets } from "./packets.js";
import { applyStorage } from "./storage.js";

const DAY_MS = 86_400_000;

let engine: TestArchive;
let client: ArchiveClient;
let databases = 0;

beforeAll(async () => {
  engine = await startTestArchive();
});
afterAll(async () => {
  await client?.close();
  await engine?.stop();
});

async function open() {
  await client?.close();
  const { url, user, password } = engine;
  client = connectArchive({ url, user, password, database: `packets${++databases}` });
  await migrate(client);
  return openArchivePackets(client);
}

packetContract(open, async () => openArchivePackets(client));

/** A packet as if it had been put in so many days ago. */
async function putIn(days: number, n: number) {
  const offset = (Date.now() - days * DAY_MS) * 4096;
  const { bytes, schema } = packet(n, 100);
  await client.insert("packets", {
    ...blockOf(1, {
      offset: unsigned(BigUint64Array.of(BigInt(offset))),
      segment: counts(Uint32Array.of(n)),
      schema: texts([schema.fingerprint]),
      checksum: counts(Uint32Array.of(0)),
    }),
    bytes: new Map([["bytes", { values: [bytes] }]]),
  });
  return { segment: n, offset, length: 100, schema: schema.fingerprint };
}

it("says so when the bytes are not those that were put in", async () => {
  const store = await open();
  // Its checksum is another one's.
  await expect(store.read(await putIn(0, 1))).rejects.toMatchObject({ code: "DATA_DAMAGED" });
});

it("reads packets that wait together by one question", async () => {
  const store = await open();
  const locations = await store.append(Array.from({ length: 300 }, (_, n) => packet(n)));
  const query = vi.spyOn(client, "query");
  const read = await Promise.all(locations.map((location) => store.read(location)));
  expect(query).toHaveBeenCalledTimes(1);
  expect(read.map(({ bytes }) => bytes)).toEqual(locations.map((_, n) => packet(n).bytes));
  query.mockRestore();
});

it("drops packets by age, says so of those, and keeps the rest", async () => {
  const store = await open();
  const [old, young] = [await putIn(40, 1), (await store.append([packet(2)]))[0]!];
  await putIn(100, 5);
  await applyStorage(client, { keepDays: 30 });
  const left = async () => (await client.query("SELECT count() AS n FROM packets")).columns.get("n")!.values[0];
  await client.command("OPTIMIZE TABLE packets FINAL");
  await vi.waitFor(async () => expect(await left()).toBe(1n), { timeout: 20_000, interval: 100 });
  const keeping = openArchivePackets(client, { keepDays: 30 });
  await expect(keeping.read(old)).rejects.toMatchObject({ code: "PACKET_EXPIRED" });
  // Nothing as old is left: then it has been dropped, whatever the setting says today.
  await expect(store.read(old)).rejects.toMatchObject({ code: "PACKET_EXPIRED" });
  await expect(keeping.read({ ...young, segment: 9 })).rejects.toMatchObject({ code: "DATA_DAMAGED" });
  expect((await keeping.read(young)).bytes).toEqual(packet(2).bytes);
});

it("changes the ages where they differ, and only there", async () => {
  await open();
  const command = vi.spyOn(client, "command");
  await applyStorage(client, {});
  expect(command).toHaveBeenCalledTimes(0);
  await applyStorage(client, { keepDays: 30 });
  await applyStorage(client, { keepDays: 30, coldDays: null });
  expect(command).toHaveBeenCalledTimes(1);
  await applyStorage(client, { keepDays: 60 });
  await applyStorage(client, { keepDays: null });
  expect(command.mock.calls.map(([sql]) => /MODIFY TTL|REMOVE TTL/.exec(sql)![0])).toEqual([
    ...["MODIFY TTL", "MODIFY TTL", "REMOVE TTL"],
  ]);
  command.mockRestore();
  await expect(applyStorage(client, { coldDays: 7 })).rejects.toMatchObject({ code: "BAD_SETTING" });
});

it("asks for a schema that another process has kept", async () => {
  const [location] = await (await open()).append([packet(1)]);
  expect((await openArchivePackets(client).read(location!)).schema).toEqual(schemas[1]);
  await client.command("TRUNCATE TABLE packet_schemas");
  await expect(openArchivePackets(client).read(location!)).rejects.toMatchObject({ code: "DATA_DAMAGED" });
});
