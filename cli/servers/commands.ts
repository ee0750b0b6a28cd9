// What `up`, `down` and `status` do: which servers there are and where each has its folder. Called by main.ts.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { TocsinError } from "../../domain/errors.js";
import { processIn, type Running, type ServerOptions, stopIn } from "./background.js";
import { startClickHouse } from "./clickhouse.js";
import { startCluster } from "./cluster.js";
import { startKafka } from "./kafka.js";
import { startNeo4j } from "./neo4j.js";

const START = {
  kafka: startKafka,
  neo4j: startNeo4j,
  clickhouse: startClickHouse,
  cluster: startCluster,
} satisfies Record<string, (options: ServerOptions) => Promise<Running>>;

export type ServerName = keyof typeof START;
export const SERVERS = Object.keys(START) as readonly ServerName[];

/** Start those that do not run, all at once. Resolves with the settings of each, in the order given. */
export async function up(
  root: string,
  names: readonly ServerName[],
  tell: (line: string) => void,
): Promise<Readonly<Record<string, string>>[]> {
  if (names.includes("clickhouse") && names.includes("cluster")) {
    throw new TocsinError("BAD_ARGUMENT", "`clickhouse` and `cluster` give CLICKHOUSE_URL different values.", {
      remedy: "Start one of them.",
    });
  }
  return Promise.all(
    [...new Set(names)].map(async (name) => (await START[name]({ folder: join(root, name), tell })).settings),
  );
}

/** Folders with a state file: that of the server itself, or those of its nodes. */
function foldersOf(root: string, name: ServerName): string[] {
  const folder = join(root, name);
  try {
    const entries = readdirSync(folder, { recursive: false, withFileTypes: true });
    if (entries.some((entry) => entry.name === "state.json")) return [folder];
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  } catch {
    return [];
  }
}

export async function down(root: string, names: readonly ServerName[], tell: (line: string) => void): Promise<void> {
  const folders = names.flatMap((name) => foldersOf(root, name)).filter((folder) => processIn(folder) !== null);
  await Promise.all(
    folders.map(async (folder) => {
      tell(`Ending ${folder}`);
      await stopIn(folder);
    }),
  );
}

/** A line for each server: its name, and the ids of its processes. */
export function status(root: string): string[] {
  return SERVERS.map((name) => {
    const pids = foldersOf(root, name).flatMap((folder) => processIn(folder)?.pid ?? []);
    return `${name}: ${pids.length > 0 ? `runs (${pids.join(", ")})` : "does not run"}`;
  });
}
