// Archives of light curves for the API's owner: files of CATALOG_DIR are loaded in the background of the service. Made by
// cli/keepers.ts.
import { TocsinError } from "../domain/errors.js";
import { describedArchive } from "../ingest/archival/definition.js";
import type { LightCurveKeeper, LightCurveLoading } from "../resolvers/services.js";
import type { LightCurves } from "./lightcurves.loaded.js";
import { createLoads, type Loading, within } from "./loads.js";

export interface LightCurvesKept extends LightCurveKeeper {
  /** Breaks loads off where they are; they go on when they are asked for again. */
  close(): Promise<void>;
}

export function createLightCurveKeeper(lightCurves: LightCurves, folder: string): LightCurvesKept {
  const loads = createLoads("archive of light curves");
  return {
    async start({ name, files, definition: told, ...more }) {
      const definition = describedArchive(name, {
        ...more,
        ...(told !== null && { definition: parsedDefinition(told) }),
      });
      const paths = await Promise.all(files.map((file) => within(folder, file)));
      const load = loads.start(name, async (tell, signal) => {
        const { archive } = await lightCurves.add(
          { definition, paths },
          ({ bytesDone, bytesTotal, points }) => tell(bytesDone / Math.max(1, bytesTotal), points),
          signal,
        );
        return archive.points;
      });
      return shown(load);
    },
    loads: () => loads.all().map(shown),
    remove: (name) => lightCurves.remove(name),
    close: () => loads.close(),
  };
}

/** A known archive's name, or a definition as JSON. */
export function parsedDefinition(told: string): unknown {
  if (!told.trimStart().startsWith("{")) return told;
  try {
    return JSON.parse(told);
  } catch (error) {
    const message = `The definition is no JSON: ${(error as Error).message}.`;
    throw new TocsinError("BAD_CATALOG", message, {
      remedy: "docs/lightcurves.md has one to begin with.",
      cause: error,
    });
  }
}

const shown = ({ rows, ...load }: Loading): LightCurveLoading => ({ ...load, points: rows });
