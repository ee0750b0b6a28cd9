// Catalogs for commands: asked of the process that has DATA_DIR open, else done in this one. Called by cli/catalog.ts.
import type { Logger } from "pino";
import { ArchiveCatalogs } from "../stores/archive/catalogs.js";
import { migrate } from "../stores/archive/migrate.js";
import { type Catalogs, createCatalogs } from "./catalogs.js";
import { catalogsOf } from "./control.js";
import { isOpen, lockDataDir } from "./datadir.js";
import { openArchive } from "./engines.js";
import type { Settings } from "./settings.js";

/** Only the archive is opened for it; other processes on the same servers hear of a change within a second. */
export async function withCatalogs<T>(
  settings: Settings,
  log: Logger,
  ask: (catalogs: Catalogs) => Promise<T>,
): Promise<T> {
  if (await isOpen(settings.DATA_DIR)) return ask(catalogsOf(settings.DATA_DIR));
  const lock = settings.CLICKHOUSE_URL.length > 0 ? null : await lockDataDir(settings.DATA_DIR);
  try {
    const archive = await openArchive(settings, log);
    try {
      await migrate(archive.client);
      return await ask(createCatalogs(await ArchiveCatalogs.open(archive.client)));
    } finally {
      await archive.close();
    }
  } finally {
    await lock?.release();
  }
}
