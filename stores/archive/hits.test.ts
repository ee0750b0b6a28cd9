// Hits when the engine's answer is lost: whether or not the rows were stored, each hit has one seq and becomes readable
// in order. A client between the store and the real engine loses the answers.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FoundHit } from "../../domain/filter.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import type { ArchiveClient } from "./client.js";
import { ArchiveHits } from "./hits.js";
import { migrate } from "./migrate.js";
import { ArchiveSequence } from "./sequence.js";

let engine: TestArchive;
beforeAll(async () => {
  engine = await startTestArchive();
  await migrate(engine.client);
});
afterAll(() => engine?.stop());

type Loss = "none" | "request" | "answer";

/** Loses inserts of hits as told, one after the other. */
function losing(client: ArchiveClient, losses: Loss[]): ArchiveClient {
  return {
    database: client.database,
    query: (...rest) => client.query(...rest),
    command: (...rest) => client.command(...rest),
    close: () => client.close(),
    insert: async (table, block, options) => {
      const loss = (table === "hits" && losses.shift()) || "none";
      if (loss !== "request") await client.insert(table, block, options);
      if (loss !== "none") throw new Error(`lost ${loss}`);
    },
  };
}

const found = (...candids: bigint[]) => ({
  pairs: [],
  areNew: true,
  hits: candids.map(
    (candid): FoundHit => ({
      ...{ filterId: "f", filterVersion: 1, survey: "ZTF", candid, objectId: "o", jd: 2459000.5, programid: 1 },
      annotations: null,
      passedAt: 1,
    }),
  ),
});

it("stores hits of a lost insert before any later ones, once each", async () => {
  const losses: Loss[] = ["none", "request", "answer", "none"];
  const sequence = new ArchiveSequence(losing(engine.client, losses));
  const hits = new ArchiveHits(engine.client);
  const number = (batch: bigint, ...candids: bigint[]) =>
    sequence.number([batch], new Map([[batch, found(...candids)]]));
  await sequence.begin(0);
  await number(1n, 1n);
  await expect(number(2n, 2n, 3n)).rejects.toThrow("lost request");
  await expect(number(3n, 4n)).rejects.toThrow("lost answer");
  // Another batch comes first; what was lost goes with it, so that no reader passes over it.
  expect(await number(4n, 5n)).toMatchObject([{ seq: 2n }, { seq: 3n }, { seq: 4n }]);
  const stored = await hits.since(0n, 100);
  expect(stored.map(({ seq, candid }) => [seq, candid])).toEqual([1n, 2n, 3n, 5n].map((n, at) => [BigInt(at + 1), n]));
  expect(await number(2n, 2n, 3n)).toEqual([]);
  expect(await number(3n, 4n)).toMatchObject([{ seq: 5n, candid: 4n }]);
  // The rows that stand twice do not show, neither by seq nor by filter, nor in a small page.
  const owner = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };
  expect(await hits.page(owner, ["f"], 3, 1n, null)).toEqual(stored.slice(1, 4));
});

it("looks for the seqs that it may have given to new hits before it began another epoch", async () => {
  const sequence = new ArchiveSequence(losing(engine.client, ["answer"]));
  const hits = new ArchiveHits(engine.client);
  const known = new Map([[9n, found(90n, 91n)]]);
  await sequence.begin(0);
  await expect(sequence.number([9n], known)).rejects.toThrow("lost answer");
  const stored = await hits.since(0n, 100);
  await sequence.begin(0);
  expect(await sequence.number([9n], known)).toEqual([]);
  expect(await hits.since(0n, 100)).toEqual(stored);
  expect(stored.filter(({ candid }) => candid === 90n)).toHaveLength(1);
});
