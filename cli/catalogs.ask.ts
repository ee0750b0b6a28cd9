// Catalogs for commands: asked of the process that has DATA_DIR open, else done in this one. Called by cli/catalog.ts.
import type { Logger } from "pino";
import { ArchiveCatalogs } from "../stores/archive/catalogs.js";
import { withArchive } from "./alone.js";
import { type Catalogs, createCatalogs } from "./catalogs.js";
import { catalogsOf } from "./control.js";
import { isOpen } from "./datadir.js";
import type { Settings } from "./settings.js";

/** Only the archive is opened for it; other processes on the same servers hear of a change within a second. */
export async function withCatalogs<T>(
  settings: Settings,
  log: Logger,
  ask: (catalogs: Catalogs) => Promise<T>,
): Promise<T> {
  if (await isOpen(settings.DATA_DIR)) return ask(catalogsOf(settings.DATA_DIR));
  return withArchive(settings, log, async (client, claims) =>
    ask(createCatalogs(await ArchiveCatalogs.open(client), claims)),
  );
}
