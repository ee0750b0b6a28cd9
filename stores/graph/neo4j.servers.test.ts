// The contract of the graph on a real Neo4j, leases by its clock, and a whole graph there and back.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import neo4j, { type Driver, type Plan } from "neo4j-driver";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Running } from "../../cli/servers/background.js";
import { startNeo4j } from "../../cli/servers/neo4j.js";
import { serverFolder } from "../../test/servers.js";
import { openGrafeo } from "./grafeo.js";
import { graphContract } from "./graph.contract.js";
import type { Graph } from "./graph.js";
import { statement } from "./graph.js";
import { importGraph } from "./import.js";
import { createLease } from "./lease.js";
import { KEYS } from "./migrations.js";
import { openNeo4j } from "./neo4j.js";
import * as lease from "./statements/lease.js";
import * as links from "./statements/links.js";
import { createRelationships, nodesAfter, relationshipsInto } from "./statements/transfer.js";
import { fillWorld, linesOf } from "./transfer.world.js";

/** A server of its own: imports need an empty graph. */
let server: Running;
const open = (): Graph =>
  openNeo4j({
    url: server.settings.NEO4J_URL!,
    user: server.settings.NEO4J_USER!,
    password: server.settings.NEO4J_PASSWORD!,
  });
beforeAll(async () => {
  server = await startNeo4j({ folder: serverFolder() });
});
afterAll(() => server.kill());

describe("neo4j", () => {
  graphContract(async () => [open(), open()]);
});

describe("a lease on neo4j", () => {
  const graphs: Graph[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 10; i += 1) graphs.push(open());
    await graphs[0]!.migrate();
  });
  afterAll(() => Promise.all(graphs.map((graph) => graph.close())));
  const make = (i: number) => createLease(graphs[i]!, "many", { holder: `process ${i}`, seconds: 60 });

  it("is won by exactly one of ten processes, 50 times", async () => {
    for (let round = 1; round <= 50; round += 1) {
      const takers = graphs.map((_, i) => make(i));
      const epochs = await Promise.all(takers.map((taker) => taker.hold()));
      expect(epochs.filter((epoch) => epoch !== null)).toEqual([BigInt(round)]);
      await takers[epochs.findIndex((epoch) => epoch !== null)]!.release();
    }
  });

  it("goes by the clock of the server, whatever those of its clients do", async () => {
    const [one, other] = [make(0), make(1)];
    const epoch = await one.hold();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    try {
      expect(await other.hold()).toBeNull();
      vi.setSystemTime(0);
      expect(await one.hold()).toBe(epoch);
      expect(await other.hold()).toBeNull();
    } finally {
      vi.useRealTimers();
    }
    expect(await other.hold()).toBeNull();
    await one.release();
  });
});

describe("the catalogue on neo4j", () => {
  const made = { NODES: nodesAfter("Object", KEYS), EDGES: relationshipsInto("Object", KEYS) };
  const anchored = Object.entries({
    ...links,
    ...lease,
    ...made,
    CREATE: createRelationships("HIT", "Filter", "Object", KEYS),
  });
  let driver: Driver;
  beforeAll(async () => {
    const { NEO4J_URL, NEO4J_USER, NEO4J_PASSWORD } = server.settings;
    driver = neo4j.driver(NEO4J_URL!, neo4j.auth.basic(NEO4J_USER!, NEO4J_PASSWORD!));
    const graph = open();
    await graph.migrate();
    await graph.close();
  });
  afterAll(() => driver.close());

  it.each(anchored)("%s starts at a unique index", async (_name, { text }) => {
    const names = [...text.matchAll(/\$(\w+)/g)].map(([, name]) => name!);
    const value = (name: string) =>
      ["first", "skip"].includes(name) ? neo4j.int(1) : ["rows", "keys"].includes(name) ? [] : "a";
    const params = Object.fromEntries(names.map((name) => [name, value(name)]));
    const { summary } = await driver.executeQuery(`EXPLAIN ${text}`, params);
    const operators = (plan: Plan): string[] => [plan.operatorType, ...plan.children.flatMap(operators)];
    const found = operators(summary.plan as Plan).filter((operator) => /Seek|Scan/.test(operator));
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((operator) => !operator.startsWith("NodeUniqueIndexSeek"))).toEqual([]);
  });
});

describe("a whole graph", () => {
  const EMPTY = statement<{ first: number }, { left: number }>(
    "MATCH (n) WITH n LIMIT $first DETACH DELETE n RETURN count(*) AS left",
  );
  let dir: string;
  let graph: Graph;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-transfer-"));
    graph = open();
    for (let left = 1; left > 0; )
      [{ left }] = (await graph.write((tx) => tx.run(EMPTY, { first: 5_000 }))) as [{ left: number }];
    await graph.migrate();
  });
  const opener = (lines: readonly string[]) =>
    async function* () {
      yield* lines;
    };

  it("goes from Grafeo to Neo4j and back, the same line by line", async () => {
    const [before, after] = [openGrafeo(join(dir, "before")), openGrafeo(join(dir, "after"))];
    await fillWorld(before);
    const lines = await linesOf(before);
    await importGraph(graph, opener(lines));
    const there = await linesOf(graph);
    expect(there).toEqual(lines);
    await after.migrate();
    await importGraph(after, opener(there));
    expect(await linesOf(after)).toEqual(lines);
    for (const opened of [before, after, graph]) await opened.close();
    rmSync(dir, { recursive: true });
  });
});
