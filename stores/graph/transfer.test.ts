// Export and import of a whole graph on the embedded engine: the trip, and everything that may be wrong with a file.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exportGraph } from "./export.js";
import { openGrafeo } from "./grafeo.js";
import { type Graph, statement } from "./graph.js";
import { importGraph } from "./import.js";
import { createGraphStores } from "./stores.js";
import { fillWorld, linesOf, OBJECTS } from "./transfer.world.js";

const COUNT = statement<Record<never, never>, { nodes: number }>("MATCH (n:Object) RETURN count(n) AS nodes");

const opener = (lines: readonly string[]) =>
  async function* () {
    yield* lines;
  };
/** The same lines with a footer that fits them. */
function sealed(body: readonly string[]): string[] {
  const relationships = body.filter((line) => line.includes('"type"')).length;
  const sha256 = createHash("sha256")
    .update(body.map((line) => `${line}\n`).join(""))
    .digest("hex");
  return [...body, JSON.stringify({ nodes: body.length - 1 - relationships, relationships, sha256 })];
}

describe("export and import", () => {
  let dir: string;
  let source: Graph;
  let target: Graph;
  let lines: string[];
  let opened = 0;
  const open = async (): Promise<Graph> => {
    opened += 1;
    const graph = openGrafeo(join(dir, `graph${opened}`), { shuffleUnordered: true });
    await graph.migrate();
    return graph;
  };
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-transfer-"));
    source = await open();
    await fillWorld(source);
    lines = await linesOf(source);
  });
  beforeEach(async () => {
    await target?.close();
    target = await open();
  });
  afterAll(async () => {
    await source.close();
    await target.close();
    rmSync(dir, { recursive: true });
  });
  const nodes = async () => (await target.read(COUNT, {}))[0]!.nodes;

  it("brings everything over, the same line by line, and tells how far it is", async () => {
    const told: number[] = [];
    const counts = await importGraph(target, opener(lines), (done, total) => told.push(done / total));
    expect(await linesOf(target)).toEqual(lines);
    expect(lines.length).toBeGreaterThan(3 * OBJECTS);
    expect(counts).toEqual({
      nodes: lines.filter((line) => line.startsWith('{"label"')).length,
      relationships: lines.filter((line) => line.startsWith('{"type"')).length,
    });
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(1);
  });

  it("writes the same lines each time, each once but for what is there twice", async () => {
    expect(await linesOf(source)).toEqual(lines);
    const hits = lines.filter((line) => line.startsWith('{"type":"HIT"'));
    expect(hits).toHaveLength(2 * OBJECTS);
    expect(new Set(hits).size).toBe(hits.length);
    expect(lines.filter((line) => line.includes('"SEEN_WITH"') && line.includes('"n":1'))).toHaveLength(2);
  });

  it("says the values in full", () => {
    expect(JSON.parse(lines.find((line) => line.includes("ZTF:odd"))!)).toEqual({
      label: "Object",
      properties: {
        key: "ZTF:odd",
        whole: 9007199254740991,
        negative: -3,
        part: 0.1,
        tiny: 5e-300,
        yes: true,
        no: false,
        texts: ["a", "\0", "Ω"],
        numbers: [1, -2],
        empty: [],
      },
    });
  });

  it("gives stores that read what was written before", async () => {
    await importGraph(target, opener(lines));
    const [before, after] = [await createGraphStores(source), await createGraphStores(target)];
    expect(await after.filters.list(10, null)).toEqual(await before.filters.list(10, null));
    expect(await after.links.checkpoint("hits")).toBe(18_000_000_000_000_000_001n);
  });

  it("carries an empty graph", async () => {
    const empty = await linesOf(target);
    expect(empty).toHaveLength(2);
    expect(await importGraph(target, opener(empty))).toEqual({ nodes: 0, relationships: 0 });
  });

  it("stores nothing of a file that is cut off or damaged", async () => {
    const changed = lines.with(100, lines[100]!.replace(/ZTF:ZTF\d+/, "ZTF:other"));
    const swapped = lines.with(100, lines[101]!).with(101, lines[100]!);
    const faults: [string[], RegExp][] = [
      [[], /Line 0 .* cut off/],
      [lines.slice(0, -1), /cut off/],
      [lines.slice(0, 5000), /Line 5000 .* cut off/],
      [lines.with(7, lines[7]!.slice(0, 20)), /Line 8 .* not a JSON object/],
      [lines.with(7, "[1]"), /Line 8 .* not a JSON object/],
      [lines.toSpliced(100, 1), /does not agree/],
      [changed, /does not agree/],
      [swapped, /does not agree/],
      [[...lines, lines[1]!], /comes after the footer/],
      [lines.slice(1), /Line 1 .* not the header/],
      [lines.with(0, '{"format":"tocsin-graph","version":2}'), /version 2/],
      [lines.with(0, '{"format":"tocsin-graph","version":1,"keys":{"Other":"id"}}'), /labels that this version/],
    ];
    for (const [file, message] of faults) {
      await expect(importGraph(target, opener(file))).rejects.toMatchObject({ code: "BAD_EXPORT", message });
    }
    expect(await nodes()).toBe(0);
  });

  it("makes no Cypher of what a file says", async () => {
    const node = (label: string, properties: object) => JSON.stringify({ label, properties });
    const edge = (type: string, to: unknown = ["Object", "a"]) =>
      JSON.stringify({ type, from: ["Object", "a"], to, properties: {} });
    const faults = [
      node("Object) DETACH DELETE (n", { key: "a" }),
      node("Migration", { version: 1 }),
      node("__proto__", { key: "a" }),
      node("Object", { id: "a" }),
      node("Object", { key: 1 }),
      node("Object", { key: "a", "b) //": 1 }),
      node("Object", { key: "a", _from: "b" }),
      node("Object", { key: "a", b: null }),
      node("Object", { key: "a", b: { c: 1 } }),
      node("Object", { key: "a", b: [1, "a"] }),
      node("Object", { key: "a", b: [[1]] }),
      '{"label":"Object","properties":{"key":"a","b":1e999}}',
      '{"label":"Object","properties":{"key":"a","b":9007199254740993}}',
      edge("HIT]->() DETACH DELETE (a) //"),
      edge("hit"),
      edge("HIT", ["Object", 1]),
      edge("HIT", ["Nothing", "a"]),
      edge("HIT", "Object"),
    ];
    for (const fault of faults) {
      const file = opener(sealed([lines[0]!, node("Object", { key: "a" }), fault]));
      await expect(importGraph(target, file), fault).rejects.toMatchObject({ code: "BAD_EXPORT", message: /Line 3/ });
    }
    expect(await nodes()).toBe(0);
  });

  it("refuses a graph that is not empty", async () => {
    const { filters } = await createGraphStores(target);
    await filters.create({ name: "mine", survey: "ZTF", where: "a", annotations: [], active: true });
    await expect(importGraph(target, opener(lines))).rejects.toMatchObject({ code: "GRAPH_NOT_EMPTY" });
    expect(await nodes()).toBe(0);
  });

  it("goes on where it was interrupted, with the same file only, and no service starts before", async () => {
    let passes = 0;
    const breaking = () => {
      passes += 1;
      return opener(passes === 1 ? lines : lines.slice(0, 15_001))();
    };
    const fault = async function* () {
      yield* breaking();
      if (passes > 1) throw new Error("the disk went away");
    };
    await expect(importGraph(target, fault)).rejects.toThrow("the disk went away");
    expect(await nodes()).toBeGreaterThan(0);
    await expect(createGraphStores(target)).rejects.toMatchObject({ code: "IMPORT_UNFINISHED" });
    await expect(linesOf(target)).rejects.toMatchObject({ code: "NOT_EXPORTABLE" });
    const other = opener(sealed(lines.slice(0, 50)));
    await expect(importGraph(target, other)).rejects.toMatchObject({ code: "GRAPH_NOT_EMPTY" });
    await importGraph(target, opener(lines));
    expect(await linesOf(target)).toEqual(lines);
    await createGraphStores(target);
  });

  it("says so when a relationship's end is missing", async () => {
    const hits = lines.filter((line) => line.startsWith('{"type":"HIT"')).slice(0, 3);
    await expect(importGraph(target, opener(sealed([lines[0]!, ...hits])))).rejects.toMatchObject({
      code: "BAD_EXPORT",
      message: /HIT .* joins nodes/,
    });
  });

  it.each([
    ["a foreign label", "CREATE (:Stranger {key: $id})"],
    ["a foreign relationship type", "CREATE (:Object {key: $id})-[:`a b`]->(:Object {key: 'b'})"],
    ["a node without its key", "CREATE (:Object {other: $id})"],
  ])("does not pass over %s", async (_what, text) => {
    await target.write((tx) => tx.run(statement<{ id: string }>(text), { id: "a" }));
    await expect(linesOf(target)).rejects.toMatchObject({ code: "NOT_EXPORTABLE" });
  });

  it("notices what is written meanwhile", async () => {
    const { links } = await createGraphStores(target);
    await links.linkObjects([{ survey: "ZTF", objectId: "b" }]);
    const reading = exportGraph(target);
    await reading.next();
    await reading.next();
    await links.linkObjects([{ survey: "ZTF", objectId: "a" }]);
    await expect(
      (async () => {
        for await (const _ of reading);
      })(),
    ).rejects.toMatchObject({ code: "NOT_EXPORTABLE", message: /2 nodes/ });
  });
});
