// `graph export` and `graph import`: the whole graph as JSON lines, as a backup or to move it to another engine.
// Added to the commands by program.ts.
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { TocsinError } from "../domain/errors.js";
import { exportGraph } from "../stores/graph/export.js";
import type { Graph } from "../stores/graph/graph.js";
import { importGraph } from "../stores/graph/import.js";
import type { Counts, OnProgress } from "../stores/graph/transfer.js";
import { openGraph } from "./engines.js";
import { showProgress } from "./progress.js";
import type { Settings } from "./settings.js";

/** No filter comes near it, so a longer line is no line of an export. */
const MAX_LINE_CHARACTERS = 8 * 1024 ** 2;

/** Where the graph is, is said by the settings, as for the service. */
export function addGraphCommands(program: Command, settings: () => Settings): void {
  const graph = program.command("graph").description("the graph of filters, objects and their links as a whole");
  graph
    .command("export")
    .description("write the graph as JSON lines; stop what writes to it before")
    .argument("<file>", "file to write or replace, or - for stdout")
    .action((file: string) => withGraph(settings(), (opened) => exportTo(opened, file)));
  graph
    .command("import")
    .description("fill an empty graph from an export; an interrupted import goes on with the same file")
    .argument("<file>", "file to read, or - for stdin")
    .action((file: string) => withGraph(settings(), (opened) => importFrom(opened, file)));
}

async function withGraph(settings: Settings, work: (graph: Graph) => Promise<void>): Promise<void> {
  const graph = await openGraph(settings);
  try {
    await graph.migrate();
    await work(graph);
  } finally {
    await graph.close();
  }
}

export async function exportTo(graph: Graph, file: string): Promise<void> {
  const toStdout = file === "-";
  const draft = `${file}.new`;
  const counts = await shown("Exporting", async (onProgress) => {
    let result: Counts | undefined;
    async function* lines(): AsyncGenerator<string> {
      const reading = exportGraph(graph, onProgress);
      for (let next = await reading.next(); ; next = await reading.next()) {
        if (next.done) {
          result = next.value;
          return;
        }
        yield `${next.value}\n`;
      }
    }
    try {
      await pipeline(lines, toStdout ? process.stdout : createWriteStream(draft, { mode: 0o600, flush: true }), {
        end: !toStdout,
      });
      if (!toStdout) await rename(draft, file);
    } catch (error) {
      if (!toStdout) await rm(draft, { force: true });
      throw unwritable(error, file);
    }
    return result!;
  });
  say(`${counted(counts)} exported`);
}

export async function importFrom(graph: Graph, file: string): Promise<void> {
  const folder = file === "-" ? await mkdtemp(join(tmpdir(), "tocsin-import-")) : undefined;
  try {
    // The lines are read twice; stdin gives them once.
    const path = folder === undefined ? file : join(folder, "export");
    if (folder !== undefined) await pipeline(process.stdin, createWriteStream(path, { mode: 0o600 }));
    await (await open(path)).close();
    const counts = await shown("Importing", (onProgress) => importGraph(graph, () => linesOf(path), onProgress));
    say(`${counted(counts)} imported`);
  } catch (error) {
    throw unwritable(error, file);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true });
  }
}

/** Lines of a file, none of them without bound. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, { encoding: "utf8", highWaterMark: 256 * 1024 });
  let rest = "";
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw new TocsinError("BAD_EXPORT", `${path} has a line of more than ${MAX_LINE_CHARACTERS} characters.`);
    }
    yield* lines;
  }
  if (rest !== "") yield rest;
}

async function shown<T>(label: string, work: (onProgress: OnProgress) => Promise<T>): Promise<T> {
  const view = showProgress(label);
  try {
    return await work((done, total) => view.update(done, total, `${done.toLocaleString("en")} lines`));
  } finally {
    view.stop();
  }
}

const counted = ({ nodes, relationships }: Counts): string =>
  `${nodes.toLocaleString("en")} nodes and ${relationships.toLocaleString("en")} relationships`;
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** A file that is not there, or may not be written, is the caller's to mend. */
function unwritable(error: unknown, file: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC") return new TocsinError("DISK_FULL", `The disk of ${file} is full.`, { cause: error });
  if (code === "EPIPE") return new TocsinError("BAD_ARGUMENT", "Who read the export went away.", { cause: error });
  if (error instanceof TocsinError || syscall === undefined) return error;
  return new TocsinError("BAD_ARGUMENT", `${file}: ${(error as Error).message}.`, { cause: error });
}
