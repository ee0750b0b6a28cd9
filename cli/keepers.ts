// Catalogs and archives of light curves, for commands and for the API. Called by cli/service.ts.
import { join } from "node:path";
import { type Catalogs, createCatalogs } from "./catalogs.js";
import { createKeeper, type Keeper } from "./catalogs.keeper.js";
import { createUploads } from "./catalogs.uploads.js";
import { createLightCurveKeeper, type LightCurvesKept } from "./lightcurves.keeper.js";
import { createLightCurves, type LightCurves } from "./lightcurves.loaded.js";
import type { Opened } from "./opened.js";
import type { Settings } from "./settings.js";
import type { OpenStores } from "./stores.js";

export interface KeepersParts {
  readonly settings: Settings;
  readonly opened: Opened;
  readonly stores: OpenStores;
}

export interface Keepers {
  readonly catalogs: Catalogs;
  readonly lightCurves: LightCurves;
  /** What the API's owner loads with; null in a process that only serves. */
  readonly api: { readonly catalogs: Keeper; readonly lightCurves: LightCurvesKept } | null;
}

export function openKeepers({ settings, opened, stores: { archived, claims } }: KeepersParts): Keepers {
  const { DATA_DIR, CATALOG_DIR: folder = join(DATA_DIR, "catalogs"), TOCSIN_ROLE: role } = settings;
  const catalogs = createCatalogs(archived.catalogs, claims);
  const lightCurves = createLightCurves(archived.archival, claims);
  if (role === "serve") return { catalogs, lightCurves, api: null };
  const uploads = createUploads(join(DATA_DIR, "uploads"));
  return {
    catalogs,
    lightCurves,
    api: {
      catalogs: opened.keep(createKeeper(catalogs, folder, uploads)),
      lightCurves: opened.keep(createLightCurveKeeper(lightCurves, folder)),
    },
  };
}
