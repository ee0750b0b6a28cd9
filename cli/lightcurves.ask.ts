// Archives of light curves for commands: asked of the process that has DATA_DIR open, else done in this one. Called by
// cli/lightcurves.ts.
import type { Logger } from "pino";
import { ArchiveArchival } from "../stores/archive/archival.js";
import { migrate } from "../stores/archive/migrate.js";
import { lightCurvesOf } from "./control.js";
import { isOpen, lockDataDir } from "./datadir.js";
import { openArchive } from "./engines.js";
import { createLightCurves, type LightCurves } from "./lightcurves.loaded.js";
import type { Settings } from "./settings.js";

/** Only the archive is opened for it; other processes on the same servers see the change with their next query. */
export async function withLightCurves<T>(
  settings: Settings,
  log: Logger,
  ask: (lightCurves: LightCurves) => Promise<T>,
): Promise<T> {
  if (await isOpen(settings.DATA_DIR)) return ask(lightCurvesOf(settings.DATA_DIR));
  const lock = settings.CLICKHOUSE_URL.length > 0 ? null : await lockDataDir(settings.DATA_DIR);
  try {
    const archive = await openArchive(settings, log);
    try {
      await migrate(archive.client);
      const store = new ArchiveArchival(archive.client);
      await store.sweep();
      return await ask(createLightCurves(store));
    } finally {
      await archive.close();
    }
  } finally {
    await lock?.release();
  }
}
