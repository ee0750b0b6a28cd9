// `npm run catalog -- add FILE… | list | show | remove | definitions`. Called by cli/program.ts.
import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import type { Logger } from "pino";
import type { Catalog } from "../domain/catalog.js";
import type { ElementType } from "../domain/columns.js";
import { TocsinError } from "../domain/errors.js";
import { allDefinitions, columnType, definitionOf } from "../ingest/catalogs/definition.js";
import type { Loaded, LoadRequest } from "../ingest/catalogs/load.js";
import { type CatalogOptions, describedBy } from "../ingest/catalogs/options.js";
import { withCatalogs } from "./catalogs.ask.js";
import { showProgress } from "./progress.js";
import type { Settings } from "./settings.js";
import { tableOf } from "./table.js";

type Options = CatalogOptions & {
  readonly name: string;
  readonly columns?: readonly string[];
  readonly type?: Readonly<Record<string, ElementType>>;
};

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
};
const names = (text: string): string[] =>
  text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
const types = (text: string, before: Readonly<Record<string, ElementType>> = {}): Record<string, ElementType> => {
  const [name = "", type = ""] = text.split("=");
  const known = columnType.safeParse(type);
  if (name === "" || !known.success)
    throw new InvalidArgumentError(`It must be COLUMN=${columnType.options.join("|")}.`);
  return { ...before, [name]: known.data };
};

export function addCatalogCommands(
  program: Command,
  settings: () => Settings,
  logger: (level: Settings["LOG_LEVEL"]) => Logger,
): void {
  const catalog = program.command("catalog").description("catalogs of sources on the sky: add, list, show, remove");
  catalog
    .command("add")
    .description(
      "read files (CSV, ECSV, FITS, Parquet, VOTable; also .gz) into a catalog, in the place of one of that name",
    )
    .argument("<files...>", "files, read one after the other")
    .requiredOption(
      "--name <name>",
      "its name in queries and filters (match.<name>); a known one needs no more options",
    )
    .option("--definition <name>", "take a known catalog's definition for it (default: that of its name)")
    .option("--radius <arcsec>", "sources are matched within this", number)
    .option("--ra <column>", "column of right ascension")
    .option("--dec <column>", "column of declination")
    .option("--id <column>", "column of ids")
    .option("--columns <a,b,c>", "columns to keep (default: the definition's, else all)", names)
    .option("--type <column=type>", "type of a text file's column; may be repeated", types)
    .option("--ra-unit <unit>", "deg, hours or rad; sexagesimal text is known as such")
    .option("--epoch <year>", "Julian year of the positions", number)
    .option("--pm-ra <column>", "proper motion along right ascension times cos(dec), mas/yr")
    .option("--pm-dec <column>", "proper motion along declination, mas/yr")
    .option("--to-epoch <year>", "Julian year that positions are brought to by proper motion (default: 2025)", number)
    .option("--limit <n>", "match at most so many of the nearest", number)
    .option("--rule <rule>", "radius, or redshift:COLUMN or Mpc:COLUMN for a length at the source's distance")
    .option("--kpc <length>", "that length (default: 30)", number)
    .option("--near <arcsec>", "radius for sources nearer than z = 0.01 or 40 Mpc (default: 300)", number)
    .option(
      "--ellipse <ellipse>",
      "with a rule: AXIS:RATIO:ANGLE:ARCSEC, columns of how sources extend, and arcsec of half an axis of 1; or none",
    )
    .option("--title <text>", "what it is")
    .option("--version <text>", "its version")
    .option("--date <YYYY-MM-DD>", "when it was published or fetched")
    .option("--licence <text>", "its licence or terms of use")
    .option("--citation <text>", "how to cite it")
    .option("--url <url>", "page where it can be had")
    .action(async (files: string[], options: Options) => add(settings(), files, options, logger("warn")));
  catalog
    .command("list")
    .description("the catalogs that are there, and loads that have not ended")
    .action(async () => {
      const all = await withCatalogs(settings(), logger("warn"), (catalogs) => catalogs.list());
      process.stdout.write(listText(all));
    });
  catalog
    .command("show")
    .description("all that is known of a catalog, as JSON")
    .argument("<name>")
    .action(async (name: string) => {
      const all = await withCatalogs(settings(), logger("warn"), (catalogs) => catalogs.list());
      const own = all.filter((one) => one.name === name);
      if (own.length === 0) throw none(name);
      process.stdout.write(`${JSON.stringify(own, null, 2)}\n`);
    });
  catalog
    .command("remove")
    .description("take a catalog away")
    .argument("<name>")
    .action(async (name: string) => {
      if (!(await withCatalogs(settings(), logger("warn"), (catalogs) => catalogs.remove(name)))) throw none(name);
      process.stderr.write(`${name} is removed.\n`);
    });
  catalog
    .command("definitions")
    .description("the known catalogs: columns, radii and where to get them are told by their names")
    .argument("[name]", "the whole definition of one, as JSON")
    .action((name?: string) => {
      if (name !== undefined) {
        const known = definitionOf(name);
        if (known === null) throw none(name);
        process.stdout.write(`${JSON.stringify(known, null, 2)}\n`);
        return;
      }
      const rows = allDefinitions().map(({ name, radius, title, source }) => [name, `${radius}"`, title, source ?? ""]);
      process.stdout.write(tableOf(["name", "radius", "title", "where to get it"], rows));
    });
}

const none = (name: string) =>
  new TocsinError("NOT_FOUND", `There is no catalog ${name}.`, {
    remedy: "`catalog list` and `catalog definitions` say what there is.",
  });

async function add(settings: Settings, files: readonly string[], options: Options, log: Logger): Promise<void> {
  const request: LoadRequest = {
    definition: describedBy(options.name, options),
    paths: files.map((file) => resolve(file)),
    columns: options.columns ?? null,
    types: options.type ?? {},
  };
  const view = showProgress("catalog");
  const startedAt = performance.now();
  let loaded: Loaded;
  try {
    loaded = await withCatalogs(settings, log, (catalogs) =>
      catalogs.add(
        request,
        ({ bytesDone, bytesTotal, rows, rejected }) => {
          const rate = Math.round(rows / ((performance.now() - startedAt) / 1000));
          const step = rows === 0 ? "checksum" : `${rows} sources, ${rate}/s, ${rejected} rejected`;
          view.update(bytesDone, bytesTotal, step);
        },
        new AbortController().signal,
      ),
    );
  } finally {
    view.stop();
  }
  process.stderr.write(outcomeText(loaded));
  const { name, revision, rows, duplicates, progress } = loaded.catalog;
  process.stdout.write(`${JSON.stringify({ name, revision, rows, duplicates, rejected: progress.rejected })}\n`);
}

function outcomeText({ catalog, leftOut, resumedAt }: Loaded): string {
  const { rejected, rejectedRows } = catalog.progress;
  const lines = rejectedRows.map(({ file, row, reason }) => `  ${file}, row ${row}: ${reason}`);
  if (rejected > lines.length) lines.push("  …");
  if (rejected > 0) lines.unshift(`${rejected} rows were left out:`);
  if (catalog.duplicates > 0)
    lines.push(`${catalog.duplicates} rows said again what stands there; the last ones stay.`);
  if (leftOut.length > 0) lines.push(`Not in the files: ${leftOut.join(", ")}.`);
  if (resumedAt > 0) lines.push(`Went on after row ${resumedAt} of an earlier try.`);
  if (catalog.epochGiven !== null)
    lines.push(`Positions were brought from ${catalog.epochGiven} to ${catalog.epoch} by proper motion.`);
  return lines.map((line) => `${line}\n`).join("");
}

function listText(all: readonly Catalog[]): string {
  const rows = all.map(({ name, state, rows, radiusArcsec, rule, version, title, progress }) => [
    name,
    state === "loading" ? `loading, ${progress.rowsRead} rows read` : `${rows}`,
    rule.kind === "radius" ? `${radiusArcsec}"` : `${radiusArcsec}", ${rule.kpc} kpc`,
    version ?? "",
    title,
  ]);
  return tableOf(["name", "sources", "radius", "version", "title"], rows);
}
