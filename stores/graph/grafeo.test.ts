// What only the embedded graph promises: one opener, conflicts tried again, and nothing acknowledged lost by kill -9.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openGrafeo } from "./grafeo.js";
import { statement } from "./graph.js";
import { createGraphStores } from "./stores.js";

const PUT = statement<{ id: string; n: number }>("MERGE (x:Thing {id: $id}) SET x.n = $n");
const FIND = statement<{ id: string }, { n: number }>("MATCH (x:Thing {id: $id}) RETURN x.n AS n");

/** Another process that opens the graph argv[1] and prints a line for each filter it has stored, or why it cannot. */
const OTHER = `
import { runnerImport } from ${JSON.stringify(import.meta.resolve("vite"))};
const load = async (file) => (await runnerImport(file, { configFile: false, logLevel: "error" })).module;
const { openGrafeo } = await load(${JSON.stringify(here("grafeo.ts"))});
const { createGraphStores } = await load(${JSON.stringify(here("stores.ts"))});
try {
  const { filters } = await createGraphStores(openGrafeo(process.argv[1]));
  for (let n = 1; ; n += 1) {
    const { id } = await filters.create({ name: "f" + n, survey: "ZTF", where: "a", annotations: [], active: true });
    await filters.update(id, { where: "b" });
    console.log(id);
  }
} catch (error) {
  console.log(error.code + ": " + error.message);
}`;

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

describe("the embedded graph", () => {
  let dir: string;
  let path: string;
  const children: ChildProcess[] = [];
  const other = (): ChildProcess => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", OTHER, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    return child;
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-grafeo-"));
    path = join(dir, "new", "graph");
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    rmSync(dir, { recursive: true });
  });

  it("refuses a second opener in this process, by another path too, until it is closed", async () => {
    const graph = openGrafeo(path);
    symlinkSync(join(dir, "new"), join(dir, "link"));
    for (const same of [path, join(dir, "link", "graph")]) {
      expect(() => openGrafeo(same)).toThrowError(expect.objectContaining({ code: "GRAPH_IN_USE" }));
    }
    await graph.close();
    await openGrafeo(path).close();
  });

  it("refuses a second process in a sentence", async () => {
    const graph = openGrafeo(path);
    const [line] = (await once(createInterface({ input: other().stdout! }), "line")) as [string];
    expect(line).toMatch(/^GRAPH_IN_USE: The graph .* is open already/);
    await graph.close();
  });

  it("says why a path cannot be opened", () => {
    mkdirSync(join(dir, "new"));
    writeFileSync(path, "SIMPLE  =                    T / this is no graph");
    expect(() => openGrafeo(path)).toThrowError(
      expect.objectContaining({ code: "BAD_SETTING", message: expect.stringContaining(path) as string }),
    );
  });

  it("answers ENGINE_UNAVAILABLE once closed, after finishing what was asked before", async () => {
    const graph = openGrafeo(path);
    const writes = [1, 2, 3].map((n) => graph.write((tx) => tx.run(PUT, { id: "a", n })));
    const reads = Array.from({ length: 50 }, () => graph.read(FIND, { id: "a" }));
    await Promise.all([...writes, ...reads, graph.close(), graph.close()]);
    await expect(graph.read(FIND, { id: "a" })).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect(graph.write(async () => {})).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    const again = openGrafeo(path);
    expect(await again.read(FIND, { id: "a" })).toEqual([{ n: 3 }]);
    await again.close();
  });

  it("tries a transaction again when another one touched its nodes", async () => {
    const graph = openGrafeo(path);
    await graph.migrate();
    await graph.write((tx) => tx.run(PUT, { id: "a", n: 0 }));
    let tries = 0;
    await graph.write(async (tx) => {
      tries += 1;
      const [row] = await tx.run(FIND, { id: "a" });
      if (tries === 1) await graph.read(PUT, { id: "a", n: 10 });
      await tx.run(PUT, { id: "a", n: row!.n + 1 });
    });
    expect(tries).toBe(2);
    expect(await graph.read(FIND, { id: "a" })).toEqual([{ n: 11 }]);
    await graph.close();
  });

  it("keeps everything acknowledged through kill -9, and no half of a transaction", async () => {
    const acknowledged: string[] = [];
    for (const until of [20, 60, 100]) {
      const child = other();
      for await (const id of createInterface({ input: child.stdout! })) {
        acknowledged.push(id);
        if (acknowledged.length === until) child.kill("SIGKILL");
      }
      const graph = openGrafeo(path);
      const { filters } = await createGraphStores(graph);
      const found = await filters.byIds(acknowledged);
      expect(acknowledged.filter((id) => found.get(id)?.versions.length !== 2)).toEqual([]);
      expect((await filters.active()).every(({ versions }) => versions.length > 0)).toBe(true);
      await graph.close();
    }
  });
});
