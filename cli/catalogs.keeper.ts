// Catalogs for the API's owner: files of CATALOG_DIR are loaded in the background of the service. Made by cli/service.ts.
import { allDefinitions } from "../ingest/catalogs/definition.js";
import { type CatalogOptions, describedBy } from "../ingest/catalogs/options.js";
import type { CatalogKeeper, CatalogLoading, KnownCatalog } from "../resolvers/services.js";
import type { Catalogs } from "./catalogs.js";
import { createLoads, type Loading, within } from "./loads.js";

export interface Keeper extends CatalogKeeper {
  /** Breaks loads off where they are; they go on when they are asked for again. */
  close(): Promise<void>;
}

export function createKeeper(catalogs: Catalogs, folder: string): Keeper {
  const loads = createLoads("catalog");
  let known: readonly KnownCatalog[] | null = null;
  return {
    async start({ name, files, columns, options }) {
      const definition = describedBy(name, options as CatalogOptions);
      const paths = await Promise.all(files.map((file) => within(folder, file)));
      const request = { definition, paths, columns, types: {} };
      const load = loads.start(name, async (tell, signal) => {
        const { catalog } = await catalogs.add(
          request,
          ({ bytesDone, bytesTotal, rows }) => tell(bytesDone / Math.max(1, bytesTotal), rows),
          signal,
        );
        return catalog.rows;
      });
      return shown(load);
    },
    loads: () => loads.all().map(shown),
    remove: (name) => catalogs.remove(name),
    known() {
      known ??= allDefinitions().map(({ name, title, source, radius, columns }) => {
        return { name, title, source: source ?? null, radiusArcsec: radius, columns: Object.keys(columns ?? {}) };
      });
      return known;
    },
    close: () => loads.close(),
  };
}

const shown = ({ rows, ...load }: Loading): CatalogLoading => ({ ...load, sources: rows });
