// Archives of light curves for commands: asked of the process that has DATA_DIR open, else done in this one. Called by
// cli/lightcurves.ts.
import type { Logger } from "pino";
import { ArchiveArchival } from "../stores/archive/archival.js";
import { withArchive } from "./alone.js";
import { lightCurvesOf } from "./control.js";
import { isOpen } from "./datadir.js";
import { createLightCurves, type LightCurves } from "./lightcurves.loaded.js";
import type { Settings } from "./settings.js";

/** Only the archive is opened for it; other processes on the same servers see the change with their next query. */
export async function withLightCurves<T>(
  settings: Settings,
  log: Logger,
  ask: (lightCurves: LightCurves) => Promise<T>,
): Promise<T> {
  if (await isOpen(settings.DATA_DIR)) return ask(lightCurvesOf(settings.DATA_DIR));
  return withArchive(settings, log, async (client, claims) => {
    const store = new ArchiveArchival(client);
    await store.sweep();
    return ask(createLightCurves(store, claims));
  });
}
