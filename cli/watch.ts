// `npm run cli -- watch add|area|skymap|list|remove`: watch lists, areas and sky maps of the running service, over its API.
// Called by cli/program.ts.
import { openAsBlob } from "node:fs";
import { access } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ERROR_CODES, type ErrorCode, TocsinError } from "../domain/errors.js";
import type { MarkKind } from "../domain/mark.js";
import { isLoopback } from "../server/hosts.js";
import { tokenOf } from "../server/token.js";
import type { Settings } from "./settings.js";
import { tableOf } from "./table.js";

interface PutOptions {
  readonly name: string;
  readonly description?: string;
  readonly shared?: boolean;
  readonly pastDays?: number;
  readonly radius?: number;
  readonly survey?: string;
  readonly before?: number;
  readonly after?: number;
  readonly time?: string;
  readonly url?: string;
}

interface Shown {
  readonly kind: MarkKind;
  readonly operand: string;
  readonly state: string;
  readonly revision: number;
  readonly size: number;
  readonly isShared: boolean;
}

/** What a mark of each kind is made of, by its path. */
const SIZES: Readonly<Record<string, string>> = {
  watchlists: "positions",
  areas: "ranges of pixels",
  skymaps: "cells",
};

const KINDS: Readonly<Record<string, MarkKind>> = { list: "WATCH_LIST", area: "AREA", skymap: "SKYMAP" };

export function addWatchCommands(program: Command, settings: () => Settings): void {
  const watch = program
    .command("watch")
    .description("watch lists, areas and sky maps of the running service (TOCSIN_TOKEN where it asks for one)");
  put(watch.command("add"), "watchlists", settings)
    .description(
      "positions or objectIds out of CSV, VOTable, FITS, Parquet or plain lines; replaces a list of this name",
    )
    .option("--radius <arcsec>", "of positions that tell none: above 0, at most 300 (default: 2)", number)
    .option("--survey <id>", "whose objects the names are, where the file has no positions");
  put(watch.command("area"), "areas", settings).description("a region: MOC as FITS, text or JSON");
  put(watch.command("skymap"), "skymaps", settings)
    .description("a sky map as FITS (.fits, .fits.gz), flat or multi-order; of a known name a revision of it")
    .option("--before <days>", "alerts from so long before the event (default: 0)", number)
    .option("--after <days>", "alerts up to so long after it (default: 14)", number)
    .option("--time <time>", "when it was, where the file does not tell");
  withUrl(watch.command("list"))
    .description("all of them")
    .action(async ({ url }: { url?: string }) => {
      const fields = Object.entries(KINDS).map(
        ([name, kind]) => `${name}: marks(kind: ${kind}) { kind operand state revision size isShared }`,
      );
      const found = await ask(settings(), url, `{ ${fields.join(" ")} }`, {});
      const rows = (Object.values(found) as Shown[][]).flat().map((mark) => {
        const { operand, state, revision, size, isShared } = mark;
        return [operand, state.toLowerCase(), `${revision}`, `${size}`, isShared ? "shared" : "private"];
      });
      process.stdout.write(tableOf(["operand", "state", "revision", "size", ""], rows));
    });
  withUrl(watch.command("remove"))
    .description("a watch list, an area or a sky map, with all that it marked")
    .addArgument(watch.createArgument("<kind>").choices(Object.keys(KINDS)))
    .argument("<name>")
    .action(async (kind: string, name: string, { url }: { url?: string }) => {
      const text = "mutation ($kind: MarkKind!, $name: String!) { removeMark(kind: $kind, name: $name) { operand } }";
      await ask(settings(), url, text, { kind: KINDS[kind], name });
    });
}

const withUrl = (command: Command): Command =>
  command.addOption(new Option("--url <url>", "the service (default: this machine's, at PORT)"));

function put(command: Command, path: string, settings: () => Settings): Command {
  return withUrl(command)
    .argument("<file>")
    .requiredOption("--name <name>", "in filters: letters, digits and _")
    .option("--description <text>", "shown beside the name")
    .option("--shared", "everybody may see it")
    .option("--past-days <n>", "mark the archived alerts of so many days only", number)
    .action(async (file: string, { name, url, ...options }: PutOptions) => {
      await access(file).catch(() => {
        throw new TocsinError("NOT_FOUND", `There is no file ${file}.`, { remedy: "Give the path of a file." });
      });
      const { before: daysBefore, after: daysAfter, survey, ...others } = options;
      const asked = { ...others, daysBefore, daysAfter, survey: survey?.toUpperCase() };
      const given = Object.entries(asked).flatMap(([key, value]) => (value === undefined ? [] : [[key, `${value}`]]));
      const query = new URLSearchParams(given as [string, string][]);
      const body = await openAsBlob(file);
      const mark = (await send(settings(), url, `/${path}/${encodeURIComponent(name)}?${query}`, {
        method: "PUT",
        body,
      })) as Shown;
      process.stdout.write(`${mark.operand}: revision ${mark.revision}, ${mark.size} ${SIZES[path]}\n`);
    });
}

async function ask(
  settings: Settings,
  url: string | undefined,
  query: string,
  variables: Readonly<Record<string, unknown>>,
): Promise<object> {
  const answer = await send(settings, url, "/graphql", {
    method: "POST",
    body: JSON.stringify({ query, variables }),
    headers: { "content-type": "application/json" },
  });
  return (answer as { data: object }).data;
}

/** What the service answers. Throws its error as it is. */
async function send(settings: Settings, url: string | undefined, path: string, init: RequestInit): Promise<object> {
  const host = ["0.0.0.0", "::"].includes(settings.HOST) ? "127.0.0.1" : settings.HOST;
  const base = url ?? `http://${host.includes(":") ? `[${host}]` : host}:${settings.PORT}`;
  const token = tokenFor(settings, url);
  const headers = { ...init.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  let response: Response;
  try {
    response = await fetch(new URL(path, base), { ...init, headers });
  } catch (error) {
    throw new TocsinError("ENGINE_UNAVAILABLE", `No service answers at ${base}.`, {
      remedy: "Start it with `npm start`, or name another one with --url.",
      cause: error,
    });
  }
  const body = (await response.json().catch(() => ({}))) as {
    errors?: { message: string; extensions?: { code?: string; remedy?: string } }[];
  };
  const error = body.errors?.[0];
  if (error === undefined && response.ok) return body;
  const code = error?.extensions?.code ?? "";
  const known = code in ERROR_CODES ? (code as ErrorCode) : "INTERNAL";
  const remedy = error?.extensions?.remedy;
  throw new TocsinError(known, error?.message ?? `${base} answered ${response.status}.`, remedy ? { remedy } : {});
}

/** The setting; of a service on this machine that made one for itself, its file. */
function tokenFor(settings: Settings, url: string | undefined): string | undefined {
  if (settings.TOCSIN_TOKEN !== undefined) return settings.TOCSIN_TOKEN;
  return url !== undefined || isLoopback(settings.HOST) ? undefined : tokenOf(settings.DATA_DIR).token;
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}
