// The contract suites over both engines: Grafeo always, Neo4j where NEO4J_URL names an empty database to test with.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filterStoreContract } from "../filters.contract.js";
import { linkStoreContract } from "../links.contract.js";
import { openGrafeo } from "./grafeo.js";
import { type Graph, statement } from "./graph.js";
import { openNeo4j } from "./neo4j.js";
import { createGraphStores, type GraphStores } from "./stores.js";

const { NEO4J_URL: url, NEO4J_USER: user = "neo4j", NEO4J_PASSWORD: password = "" } = process.env;
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

function suite(open: () => Promise<Graph>, close: (graph: Graph) => Promise<void>): void {
  let graph: Graph;
  let stores: GraphStores;
  beforeAll(async () => {
    graph = await open();
    stores = await createGraphStores(graph);
  });
  afterAll(() => close(graph));

  filterStoreContract(
    async () => stores.filters,
    async () => (await createGraphStores(graph)).filters,
  );
  linkStoreContract(async () => stores);

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

describe("grafeo", () => {
  let dir: string;
  suite(
    async () => {
      dir = mkdtempSync(join(tmpdir(), "tocsin-graph-"));
      return openGrafeo(join(dir, "graph"), { shuffleUnordered: true });
    },
    async (graph) => {
      await graph.close();
      rmSync(dir, { recursive: true });
    },
  );
});

describe.skipIf(!url)(`neo4j (${url ?? "skipped: set NEO4J_URL to an empty database"})`, () => {
  const EMPTY = statement("MATCH (n) DETACH DELETE n");
  suite(
    async () => {
      const graph = openNeo4j({ url: url!, user, password });
      const [row] = await graph.read(COUNT, {});
      if (row!.nodes > 0) throw new Error("NEO4J_URL must name an empty database: the tests empty it when they end.");
      return graph;
    },
    async (graph) => {
      await graph.write((tx) => tx.run(EMPTY, {}));
      await graph.close();
    },
  );

  it("says so when the server is gone", async () => {
    const gone = openNeo4j({ url: "bolt://127.0.0.1:1", user, password });
    await expect(gone.read(COUNT, {})).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await gone.close();
    await expect(gone.read(COUNT, {})).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringContaining("closed") as string,
    });
  });
});
