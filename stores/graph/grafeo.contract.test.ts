// The contract of the graph on the embedded engine. Only one process opens it: both are the same here.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { openGrafeo } from "./grafeo.js";
import { graphContract } from "./graph.contract.js";

describe("grafeo", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-graph-"));
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  graphContract(async () => {
    const graph = openGrafeo(join(dir, "graph"), { shuffleUnordered: true });
    return [graph, graph];
  });
});
