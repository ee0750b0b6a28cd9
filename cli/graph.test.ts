// The commands `graph export` and `graph import` on the embedded graph, by file and through pipes.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openGrafeo } from "../stores/graph/grafeo.js";
import { createGraphStores } from "../stores/graph/stores.js";
import { addGraphCommands } from "./graph.js";
import { readSettings } from "./settings.js";

const OBJECTS = 12_000;

/** The commands in a process of their own; an error as its code. */
const PROCESS = `
import ${JSON.stringify(import.meta.resolve("reflect-metadata"))};
import { runnerImport } from ${JSON.stringify(import.meta.resolve("vite"))};
import { Command } from ${JSON.stringify(import.meta.resolve("commander"))};
const load = async (file) => (await runnerImport(file, { configFile: false, logLevel: "error" })).module;
const { addGraphCommands } = await load(${JSON.stringify(fileURLToPath(new URL("graph.ts", import.meta.url)))});
const { readSettings } = await load(${JSON.stringify(fileURLToPath(new URL("settings.ts", import.meta.url)))});
const program = new Command();
addGraphCommands(program, () => readSettings(process.env));
try {
  await program.parseAsync(process.argv.slice(1), { from: "user" });
} catch (error) {
  console.error(error.code);
  process.exit(2);
}`;

describe("graph commands", () => {
  let dir: string;
  const data = (name: string) => join(dir, name);
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "tocsin-graphcli-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  async function graph(dataDir: string, ...args: string[]): Promise<void> {
    const program = new Command().exitOverride();
    addGraphCommands(program, () => readSettings({ DATA_DIR: dataDir }));
    await program.parseAsync(["graph", ...args], { from: "user" });
  }
  const piped = (dataDir: string, command: string, input: string) =>
    spawnSync(process.execPath, ["--input-type=module", "-e", PROCESS, "graph", command, "-"], {
      input,
      encoding: "utf8",
      env: { ...process.env, DATA_DIR: dataDir },
      maxBuffer: 64 * 1024 ** 2,
    });
  async function fill(dataDir: string): Promise<void> {
    const opened = openGrafeo(join(dataDir, "graph.grafeo"));
    const { filters, links } = await createGraphStores(opened);
    await filters.create({ name: "Ω\n", survey: "ZTF", where: "a", annotations: [], active: true });
    await links.linkObjects(Array.from({ length: OBJECTS }, (_, i) => ({ survey: "ZTF", objectId: `ZTF${i}` })));
    await opened.close();
  }

  it("carry a graph by a file that only its owner reads", async () => {
    await fill(data("one"));
    await graph(data("one"), "export", data("file"));
    await graph(data("two"), "import", data("file"));
    await graph(data("two"), "export", data("again"));
    const text = readFileSync(data("file"), "utf8");
    expect(readFileSync(data("again"), "utf8")).toBe(text);
    expect(text.split("\n").length).toBeGreaterThan(OBJECTS);
    expect(statSync(data("file")).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir).sort()).toEqual(["again", "file", "one", "two"]);
  });

  it("carry a graph through pipes, with nothing but lines on stdout", async () => {
    await fill(data("one"));
    const sent = piped(data("one"), "export", "");
    expect(sent).toMatchObject({ status: 0, stderr: expect.stringMatching(/12,00\d nodes .* exported/) as string });
    const taken = piped(data("two"), "import", sent.stdout);
    expect(taken).toMatchObject({ status: 0, stdout: "", stderr: expect.stringContaining("imported") as string });
    expect(piped(data("two"), "export", "").stdout).toBe(sent.stdout);
    expect(piped(data("two"), "import", sent.stdout)).toMatchObject({ status: 2, stderr: "GRAPH_NOT_EMPTY\n" });
    expect(piped(data("three"), "import", sent.stdout.slice(0, -100))).toMatchObject({
      status: 2,
      stderr: "BAD_EXPORT\n",
    });
  });

  it("keep the file that is there when the export fails", async () => {
    await fill(data("one"));
    writeFileSync(data("file"), "earlier");
    const opened = openGrafeo(join(data("one"), "graph.grafeo"));
    await expect(graph(data("one"), "export", data("file"))).rejects.toMatchObject({ code: "GRAPH_IN_USE" });
    await opened.close();
    expect(readFileSync(data("file"), "utf8")).toBe("earlier");
    await expect(graph(data("one"), "export", join(dir, "missing", "file"))).rejects.toMatchObject({
      code: "BAD_ARGUMENT",
      message: expect.stringContaining("ENOENT") as string,
    });
  });

  it("refuse a file that is missing, a folder, or has no lines", async () => {
    for (const file of [data("missing"), dir]) {
      await expect(graph(data("one"), "import", file)).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    }
    writeFileSync(data("zeros"), Buffer.alloc(9 * 1024 ** 2, "0"));
    await expect(graph(data("one"), "import", data("zeros"))).rejects.toMatchObject({
      code: "BAD_EXPORT",
      message: expect.stringContaining("has a line of more than") as string,
    });
  });
});
