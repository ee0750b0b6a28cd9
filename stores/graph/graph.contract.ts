// What every Graph must do, and the stores on it. Run on Grafeo by grafeo.contract.test.ts, on Neo4j by
// neo4j.servers.test.ts.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Hit } from "../../domain/filter.js";
import type { Viewer } from "../../domain/viewer.js";
import { filterStoreContract } from "../filters.contract.js";
import { leaseContract } from "../lease.contract.js";
import { linkStoreContract } from "../links.contract.js";
import { type ObjectKey, objectKey } from "../links.store.js";
import { sourceLinkContract } from "../sources.contract.js";
import { createFilterStore } from "./filters.js";
import { type Graph, statement } from "./graph.js";
import { createLease } from "./lease.js";
import { createLinkStore } from "./links.js";
import { createGraphStores, type GraphStores } from "./stores.js";

const COUNT = statement<Record<never, never>, { nodes: number }>("MATCH (n) RETURN count(n) AS nodes");
const PUT = statement<{ id: string | null }>("MERGE (f:Filter {id: $id})");
const PUT_ROWS = statement<{ rows: readonly { id: string | null }[] }>("UNWIND $rows AS r MERGE (f:Filter {id: r.id})");
const NEW = statement<{ id: string }>("CREATE (f:Filter {id: $id})");
const DROP = statement<{ id: string }>("MATCH (f:Filter {id: $id}) DELETE f");
const FIND = statement<{ id: string }, { id: string }>("MATCH (f:Filter {id: $id}) RETURN f.id AS id");
const LIST = statement<{ list: readonly number[] }, { n: number }>("UNWIND $list AS x RETURN count(x) AS n");
const ECHO = statement<{ whole: number; part: number; none: null; text: string; list: readonly number[] }>(
  "RETURN $whole AS whole, $whole / 4 AS quarter, $part AS part, $none AS none, $text AS text, $list AS list, {a: 1} AS map",
);

const OWNER: Viewer = { scope: "owner", mayChange: true, programids: new Map([["ZTF", "all"]]) };

/**
 * `open` gives one graph as several processes have it open (the same one twice where only one may). The suite closes
 * them; what else is in the graph must not matter.
 */
export function graphContract(open: () => Promise<readonly [Graph, Graph]>): void {
  let graphs: readonly [Graph, Graph];
  let graph: Graph;
  let stores: GraphStores;
  beforeAll(async () => {
    graphs = await open();
    graph = graphs[0];
    stores = await createGraphStores(graph);
  });
  afterAll(async () => {
    for (const opened of new Set(graphs)) await opened.close();
  });

  filterStoreContract(
    async () => stores.filters,
    async () => createFilterStore(graphs[1]),
  );
  linkStoreContract(async () => stores);
  sourceLinkContract(async () => stores.sources);
  leaseContract(() => graphs.map((opened) => (name, options) => createLease(opened, name, options)), 50);

  describe("two processes at once", () => {
    const run = randomUUID();
    const links = () => graphs.map(createLinkStore);
    const object = (i: number): ObjectKey => ({ survey: "ZTF", objectId: `${run}-${i}` });
    const hit = (filterId: string, i: number, seq: number): Hit => ({
      ...object(i),
      filterId,
      filterVersion: 1,
      candid: BigInt(seq),
      jd: 2_460_000.5 + seq,
      programid: 1,
      annotations: null,
      seq: BigInt(seq),
      passedAt: 1_790_000_000_000,
    });
    const newFilter = async () =>
      (await stores.filters.create({ name: run, survey: "ZTF", where: "a", annotations: [], active: true })).id;

    it("link the same hits, in any order, as one would", async () => {
      const filters = [await newFilter(), await newFilter()];
      const hits = Array.from({ length: 600 }, (_, i) => hit(filters[i % 2]!, i % 150, i + 1));
      const [one, other] = links();
      const upwards = Array.from({ length: 6 }, (_, k) => one!.linkHits(hits.slice(k * 100, (k + 1) * 100)));
      const downwards = Array.from({ length: 6 }, (_, k) =>
        other!.linkHits(hits.slice(k * 100, (k + 1) * 100).toReversed()),
      );
      await Promise.all([...upwards, ...downwards]);
      for (let i = 0; i < 150; i += 1) {
        const passed = (await stores.links.passedFilters(OWNER, [object(i)])).get(objectKey(object(i)));
        // Hit k is of object k mod 150 and of filter k mod 2: always the same filter.
        expect(passed?.map(({ filterId, first, last }) => [filterId, first.seq, last.seq])).toEqual([
          [filters[i % 2], BigInt(i + 1), BigInt(i + 451)],
        ]);
      }
    });

    it("widen one edge without losing an end", async () => {
      const filterId = await newFilter();
      const [one, other] = links();
      for (let round = 0; round < 40; round += 1) {
        const o = object(1000 + round);
        const at = (seq: number) => [hit(filterId, 1000 + round, seq)];
        await one!.linkHits(at(50));
        await Promise.all([
          one!.linkHits(at(7)),
          other!.linkHits(at(20)),
          one!.linkHits(at(90)),
          other!.linkHits(at(70)),
        ]);
        const [edge] = (await stores.links.passedFilters(OWNER, [o])).get(objectKey(o))!;
        expect([edge!.first, edge!.last].map(({ seq, jd }) => [seq, jd])).toEqual([
          [7n, 2_460_007.5],
          [90n, 2_460_090.5],
        ]);
      }
    });

    it("link the same counterparts once", async () => {
      const pairs = Array.from({ length: 200 }, (_, i) => ({
        a: object(i),
        b: { survey: "LSST" as const, objectId: `${run}-${i % 20}` },
        separationArcsec: 0.5,
      }));
      await Promise.all(
        links().flatMap((store) => [store.linkCounterparts(pairs), store.linkCounterparts(pairs.toReversed())]),
      );
      const found = await stores.links.counterparts(pairs.map(({ a }) => a));
      expect([...found.values()].map((list) => list.length)).toEqual(pairs.map(() => 1));
    });

    it("migrate", async () => {
      await Promise.all(graphs.map((opened) => opened.migrate()));
    });
  });

  describe("port", () => {
    it("migrates a second time without change", async () => {
      const [before] = await graph.read(COUNT, {});
      await graph.migrate();
      expect(await graph.read(COUNT, {})).toEqual([before]);
    });

    it("gives values back as they went in, whole numbers as integers", async () => {
      const params = { whole: 1_790_000_000_003, part: 0.1, none: null, text: "9223372036854775807", list: [1, 2] };
      expect(await graph.read(ECHO, params)).toEqual([{ ...params, quarter: 447_500_000_000, map: { a: 1 } }]);
    });

    it("takes undefined as null", async () => {
      const params = { whole: 4, part: 0.5, none: undefined as unknown as null, text: "", list: [] };
      expect(await graph.read(ECHO, params)).toMatchObject([{ none: null }]);
    });

    it("stores all of a transaction or nothing", async () => {
      const id = "port-rollback";
      const fault = new Error("fault");
      const failing = graph.write(async (tx) => {
        await tx.run(NEW, { id });
        expect(await tx.run(FIND, { id })).toEqual([{ id }]);
        throw fault;
      });
      await expect(failing).rejects.toBe(fault);
      expect(await graph.read(FIND, { id })).toEqual([]);
    });

    it("names a duplicate key and stores nothing of that transaction", async () => {
      const id = "port-duplicate";
      const create = (other: string) =>
        graph.write(async (tx) => {
          await tx.run(NEW, { id: other });
          await tx.run(NEW, { id });
        });
      await create("port-one");
      await expect(create("port-two")).rejects.toMatchObject({ code: "DUPLICATE_KEY" });
      expect(await graph.read(FIND, { id: "port-two" })).toEqual([]);
      for (const old of [id, "port-one"]) await graph.write((tx) => tx.run(DROP, { id: old }));
    });

    it.each<[string, () => Promise<unknown>]>([
      ["null as a key", () => graph.write((tx) => tx.run(PUT, { id: null }))],
      ["null as a key in a row", () => graph.write((tx) => tx.run(PUT_ROWS, { rows: [{ id: "a" }, { id: null }] }))],
      ["a list with null", () => graph.read(LIST, { list: [1, null] as number[] })],
      ["a mixed list", () => graph.read(LIST, { list: [1, "a"] as number[] })],
      ["a nested list", () => graph.read(LIST, { list: [[1]] as unknown as number[] })],
      ["a bigint", () => graph.read(LIST, { list: [1n] as unknown as number[] })],
      ["a number past 2^53", () => graph.read(LIST, { list: [2 ** 53] })],
      ["NaN", () => graph.read(LIST, { list: [Number.NaN] })],
      ["a date", () => graph.read(FIND, { id: new Date() as unknown as string })],
      ["a map in a row", () => graph.write((tx) => tx.run(PUT_ROWS, { rows: [{ id: {} as string }] }))],
    ])("refuses %s", async (_what, call) => {
      await expect(call()).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    });
  });
}
