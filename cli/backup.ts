// `backup` and `restore`: the archive, the packets and the graph as one folder. Added to the commands by program.ts.
import { constants } from "node:fs";
import { copyFile, cp, link, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import { type BackupPlace, backUpDatabase, restoreDatabase, rowsOfTables } from "../stores/archive/backup.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { startEmbeddedArchive } from "../stores/archive/engine/embedded.js";
import { connectArchive } from "../stores/archive/http.js";
import { nodesOf } from "../stores/archive/layout.js";
import { type Manifest, readManifest, writeManifest } from "./backup.manifest.js";
import { lockDataDir } from "./datadir.js";
import { openArchive, openGraph } from "./engines.js";
import { exportTo, importFrom } from "./graph.js";
import type { Settings } from "./settings.js";

export interface BackupOptions {
  readonly settings: Settings;
  /** The backup's folder. */
  readonly folder: string;
  /** A disk of the archive's servers for backups; null: below their backups.allowed_path. */
  readonly serverDisk: string | null;
  readonly log: Logger;
}

const GRAPH = "graph.jsonl";

export function addBackupCommands(program: Command, settings: () => Settings, logger: (level: string) => Logger): void {
  const options = (folder: string, serverDisk?: string): BackupOptions => {
    const read = settings();
    const log = logger(read.LOG_LEVEL === "info" ? "warn" : read.LOG_LEVEL);
    return { settings: read, folder: resolve(folder), serverDisk: serverDisk ?? null, log };
  };
  program
    .command("backup")
    .description("write archive, packets and graph to a new folder; stop the service before")
    .requiredOption("--to <dir>", "folder to make")
    .option(
      "--server-disk <name>",
      "disk of the ClickHouse servers for their part (default: their backups.allowed_path)",
    )
    .action(async ({ to, serverDisk }: { to: string; serverDisk?: string }) => {
      told(await backup(options(to, serverDisk)), "written");
    });
  program
    .command("restore")
    .description("fill a new DATA_DIR, or empty servers, from a backup")
    .requiredOption("--from <dir>", "folder of the backup")
    .action(async ({ from }: { from: string }) => told(await restore(options(from)), "restored"));
}

function told({ archive, files }: Manifest, what: string): void {
  const rows = Object.values(archive.rows).reduce((sum, count) => sum + count, 0);
  const counts = `${rows.toLocaleString("en")} rows and ${files.length.toLocaleString("en")} files`;
  process.stderr.write(`${counts} ${what}\n`);
}

/**
 * Write a backup. Nothing may write to the engines meanwhile; with embedded ones DATA_DIR is locked.
 * @throws TocsinError DATA_DIR_IN_USE, TARGET_NOT_EMPTY, BAD_SETTING, NOT_EXPORTABLE, DISK_FULL.
 */
export async function backup(options: BackupOptions): Promise<Manifest> {
  const { settings, folder } = options;
  await refuseFull(folder, []);
  return locked(settings, () =>
    withArchive(options, async (client, engineBackups) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        const places = placesFor(client, options, engineBackups);
        await backUpDatabase(client, places);
        if (engineBackups !== null) await moveFolder(places[0]!.path, join(folder, "archive"));
        const segments = await linkFolder(join(settings.DATA_DIR, "packets"), join(folder, "packets"));
        const graph = await openGraph(settings);
        try {
          await graph.migrate();
          await exportTo(graph, join(folder, GRAPH));
        } finally {
          await graph.close();
        }
        const { database } = client;
        const rows = await rowsOfTables(client);
        const madeAt = new Date().toISOString();
        return await writeManifest(folder, {
          madeAt,
          archive: { database, places: engineBackups === null ? places : null, rows },
          segments,
        });
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
    }),
  );
}

/**
 * Fill empty engines from a backup and compare what is there with its list.
 * @throws TocsinError BAD_BACKUP, TARGET_NOT_EMPTY, GRAPH_NOT_EMPTY, BAD_SETTING, DISK_FULL.
 */
export async function restore(options: BackupOptions): Promise<Manifest> {
  const { settings, folder } = options;
  const manifest = await readManifest(folder);
  const embedded = settings.CLICKHOUSE_URL.length === 0;
  if (embedded !== (manifest.archive.places === null)) {
    throw new TocsinError("BAD_BACKUP", "The backup's archive is of another kind than the one of these settings.", {
      remedy: embedded ? "Set CLICKHOUSE_URL to its servers." : "Leave CLICKHOUSE_URL unset.",
    });
  }
  const { database } = manifest.archive;
  if (database !== settings.CLICKHOUSE_DATABASE) {
    throw new TocsinError("BAD_BACKUP", `The backup's database is ${database}, not ${settings.CLICKHOUSE_DATABASE}.`, {
      remedy: `Set CLICKHOUSE_DATABASE=${database}.`,
    });
  }
  await refuseFull(settings.DATA_DIR, ["service.sock"]);
  return locked(settings, () =>
    withArchive(options, async (client, engineBackups) => {
      const places = manifest.archive.places ?? placesFor(client, options, engineBackups);
      const own = engineBackups === null ? null : places[0]!.path;
      if (own !== null) await cp(join(folder, "archive"), own, { recursive: true });
      await restoreDatabase(client, places);
      if (own !== null) await rm(own, { recursive: true });
      compare(manifest.archive.rows, await rowsOfTables(client));
      if (manifest.segments) await copyFolder(join(folder, "packets"), join(settings.DATA_DIR, "packets"));
      const graph = await openGraph(settings);
      try {
        await graph.migrate();
        await importFrom(graph, join(folder, GRAPH));
      } finally {
        await graph.close();
      }
      return manifest;
    }),
  );
}

/** Holds DATA_DIR: no service of these settings runs meanwhile. */
async function locked<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
  const lock = await lockDataDir(settings.DATA_DIR);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** `work` gets the folder to which the embedded engine may write backups; null with servers. */
async function withArchive<T>(
  { settings, log }: BackupOptions,
  work: (client: ArchiveClient, engineBackups: string | null) => Promise<T>,
): Promise<T> {
  if (settings.CLICKHOUSE_URL.length > 0) {
    const archive = await openArchive(settings, log);
    return work(archive.client, null).finally(() => archive.close());
  }
  const dataDir = join(settings.DATA_DIR, "archive");
  const backups = join(dataDir, "backups");
  const engine = await startEmbeddedArchive({ dataDir, backups: true, log: (line) => log.warn(line) });
  const { url, user, password } = engine;
  const client = connectArchive({ url, user, password, database: settings.CLICKHOUSE_DATABASE });
  try {
    return await work(client, backups);
  } finally {
    await client.close();
    await engine.stop();
    await rm(backups, { recursive: true, force: true });
  }
}

/** A place for each server, that no other backup has. */
function placesFor(client: ArchiveClient, { serverDisk }: BackupOptions, engineBackups: string | null): BackupPlace[] {
  const name = `tocsin-${new Date().toISOString().replace(/\W/g, "")}`;
  if (engineBackups !== null) return [{ path: join(engineBackups, name), disk: null }];
  return nodesOf(client).map((_, n) => ({ path: `${name}-${n + 1}`, disk: serverDisk }));
}

async function refuseFull(folder: string, but: readonly string[]): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (entries.every((name) => but.includes(name))) return;
  throw new TocsinError("TARGET_NOT_EMPTY", `The folder ${folder} is not empty.`, { remedy: "Name a new folder." });
}

async function moveFolder(from: string, to: string): Promise<void> {
  await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV") throw error;
    await cp(from, to, { recursive: true });
  });
}

/** Files that never change any more, without a copy where the disk is the same. False where there is no such folder. */
function linkFolder(from: string, to: string): Promise<boolean> {
  return eachFile(from, to, (source, target) =>
    link(source, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EXDEV" && error.code !== "EPERM") throw error;
      await copyFile(source, target);
    }),
  );
}

const copyFolder = (from: string, to: string): Promise<boolean> =>
  eachFile(from, to, (source, target) => copyFile(source, target, constants.COPYFILE_FICLONE));

async function eachFile(
  from: string,
  to: string,
  work: (source: string, target: string) => Promise<void>,
): Promise<boolean> {
  const entries = await readdir(from, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (entries === null) return false;
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const entry of entries) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await eachFile(source, target, work);
    else await work(source, target);
  }
  return true;
}

function compare(expected: Readonly<Record<string, number>>, found: Readonly<Record<string, number>>): void {
  for (const [table, rows] of Object.entries(expected)) {
    if (found[table] === rows) continue;
    const message = `The restored table ${table} has ${found[table] ?? 0} rows, not ${rows}.`;
    throw new TocsinError("BAD_BACKUP", message);
  }
}
