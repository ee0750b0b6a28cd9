// Hits when the engine's answer is lost: whether or not the rows were stored, each hit has one seq and becomes readable
// in order. A client between the store and the real engine loses the answers.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { NewHit } from "../../domain/filter.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import type { ArchiveClient } from "./client.js";
import { ArchiveHits } from "./hits.js";
import { migrate } from "./migrate.js";

let engine: TestArchive;
beforeAll(async () => {
  engine = await startTestArchive();
  await migrate(engine.client);
});
afterAll(() => engine?.stop());

type Loss = "none" | "request" | "answer";

function losing(client: ArchiveClient, losses: Loss[]): ArchiveClient {
  return {
    database: client.database,
    query: (...rest) => client.query(...rest),
    command: (...rest) => client.command(...rest),
    close: () => client.close(),
    insert: async (table, block) => {
      const loss = losses.shift() ?? "none";
      if (loss !== "request") await client.insert(table, block);
      if (loss !== "none") throw new Error(`lost ${loss}`);
    },
  };
}

const hit = (candid: bigint): NewHit => ({
  ...{ filterId: "f", filterVersion: 1, survey: "ZTF", candid, objectId: "o", jd: 2459000.5, programid: 1 },
  annotations: null,
});

it("stores hits of a lost insert before any later ones, once each", async () => {
  const losses: Loss[] = ["none", "request", "answer", "none"];
  const hits = await ArchiveHits.start(losing(engine.client, losses));
  await hits.append(1n, [hit(1n)]);
  await expect(hits.append(2n, [hit(2n), hit(3n)])).rejects.toThrow("lost request");
  await expect(hits.append(3n, [hit(4n)])).rejects.toThrow("lost answer");
  // Another batch comes first; what was lost goes with it, so that no reader passes over it.
  expect(await hits.append(4n, [hit(5n)])).toMatchObject([{ seq: 5n }]);
  const stored = await hits.since(0n, 100);
  expect(stored.map(({ seq, candid }) => [seq, candid])).toEqual([1n, 2n, 3n, 4n, 5n].map((n) => [n, n]));
  expect(await hits.append(2n, [hit(2n), hit(3n)])).toEqual(stored.slice(1, 3));
  expect(await hits.append(3n, [hit(4n)])).toEqual(stored.slice(3, 4));
  // The rows that stand twice do not show, neither by seq nor by filter, nor in a small page.
  const owner = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };
  expect(await hits.page(owner, ["f"], 3, 1n, null)).toEqual(stored.slice(1, 4));
  const next = await ArchiveHits.start(engine.client);
  expect(await next.append(9n, [hit(4n), hit(6n)])).toMatchObject([stored[3], { seq: 6n }]);
});
