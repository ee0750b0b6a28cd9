// `npm run cli -- lightcurves add FILE… | list | remove | definitions`. Called by cli/program.ts.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Logger } from "pino";
import type { LightCurveArchive } from "../domain/archival.js";
import { TocsinError } from "../domain/errors.js";
import { describedArchive, knownArchives } from "../ingest/archival/definition.js";
import type { LightCurveLoad, LoadedLightCurves } from "../ingest/archival/load.js";
import { withLightCurves } from "./lightcurves.ask.js";
import { parsedDefinition } from "./lightcurves.keeper.js";
import { showProgress } from "./progress.js";
import type { Settings } from "./settings.js";
import { tableOf } from "./table.js";

interface Options {
  readonly name: string;
  readonly definition?: string;
  readonly version?: string;
  readonly date?: string;
}

export function addLightCurveCommands(
  program: Command,
  settings: () => Settings,
  logger: (level: Settings["LOG_LEVEL"]) => Logger,
): void {
  const command = program.command("lightcurves").description("archives of light curves: add, list, remove");
  command
    .command("add")
    .description("read files (Parquet with lists, or any table with a row for each point) in the place of an archive")
    .argument("<files...>", "files, read one after the other")
    .option("--name <name>", "its name in queries", "ztf_dr")
    .option("--definition <name|file>", "a known archive, or a file with a definition as JSON (default: of its name)")
    .option("--version <text>", "its version")
    .option("--date <YYYY-MM-DD>", "when it was published or fetched")
    .action(async (files: string[], options: Options) => add(settings(), files, options, logger("warn")));
  command
    .command("list")
    .description("the archives that are there, and loads that have not ended")
    .action(async () => {
      const all = await withLightCurves(settings(), logger("warn"), (lightCurves) => lightCurves.list());
      process.stdout.write(listText(all));
    });
  command
    .command("remove")
    .description("take an archive away")
    .argument("<name>")
    .action(async (name: string) => {
      const removed = await withLightCurves(settings(), logger("warn"), (lightCurves) => lightCurves.remove(name));
      if (!removed) {
        throw new TocsinError("NOT_FOUND", `There is no archive of light curves ${name}.`, {
          remedy: "`lightcurves list` says what there is.",
        });
      }
      process.stderr.write(`${name} is removed.\n`);
    });
  command
    .command("definitions")
    .description("the known archives, as JSON: what a definition of another one looks like")
    .action(() => {
      process.stdout.write(`${JSON.stringify(knownArchives(), null, 2)}\n`);
    });
}

async function add(settings: Settings, files: readonly string[], options: Options, log: Logger): Promise<void> {
  const { name, definition: told, ...more } = options;
  const definition = told === undefined ? undefined : await definitionOf(told);
  const request: LightCurveLoad = {
    definition: describedArchive(name, { ...more, ...(definition !== undefined && { definition }) }),
    paths: files.map((file) => resolve(file)),
  };
  const view = showProgress("lightcurves");
  const startedAt = performance.now();
  let loaded: LoadedLightCurves;
  try {
    loaded = await withLightCurves(settings, log, (lightCurves) =>
      lightCurves.add(
        request,
        ({ bytesDone, bytesTotal, points, rejected }) => {
          const rate = Math.round(points / ((performance.now() - startedAt) / 1000));
          const step = points === 0 ? "checksum" : `${points} points, ${rate}/s, ${rejected} rows rejected`;
          view.update(bytesDone, bytesTotal, step);
        },
        new AbortController().signal,
      ),
    );
  } finally {
    view.stop();
  }
  process.stderr.write(outcomeText(loaded));
  const { revision, sources, points, progress } = loaded.archive;
  const { rejected, pointsRejected } = progress;
  process.stdout.write(`${JSON.stringify({ name, revision, sources, points, rejected, pointsRejected })}\n`);
}

/** A file where there is one, else the name of a known archive. */
async function definitionOf(told: string): Promise<unknown> {
  const text = await readFile(told, "utf8").catch(() => null);
  return text === null ? told : parsedDefinition(text);
}

function outcomeText({ archive, resumedAt }: LoadedLightCurves): string {
  const { rejected, rejectedRows, pointsRejected } = archive.progress;
  const lines = rejectedRows.map(({ file, row, reason }) => `  ${file}, row ${row}: ${reason}`);
  if (rejected > lines.length) lines.push("  …");
  if (rejected > 0) lines.unshift(`${rejected} rows were left out:`);
  if (pointsRejected > 0) lines.push(`${pointsRejected} points without a time or a magnitude, or of such rows.`);
  if (resumedAt > 0) lines.push(`Went on after point ${resumedAt} of an earlier try.`);
  return lines.map((line) => `${line}\n`).join("");
}

function listText(all: readonly LightCurveArchive[]): string {
  const rows = all.map(({ name, state, sources, points, version, title, progress }) => [
    name,
    state === "loading" ? "" : `${sources}`,
    state === "loading" ? `loading, ${progress.pointsRead} read` : `${points}`,
    version ?? "",
    title,
  ]);
  return tableOf(["name", "light curves", "points", "version", "title"], rows);
}
