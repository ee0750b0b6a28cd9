// Catalogs for the API's owner: files of CATALOG_DIR, or sent ones, are loaded in the background of the service. Made by
// cli/keepers.ts.
import { setTimeout as delay } from "node:timers/promises";
import type { ElementType } from "../domain/columns.js";
import { allDefinitions, type CatalogDefinition } from "../ingest/catalogs/definition.js";
import { type CatalogOptions, describedBy, toldTypes } from "../ingest/catalogs/options.js";
import type { CatalogKeeper, CatalogLoading, KnownCatalog } from "../resolvers/services.js";
import type { Catalogs } from "./catalogs.js";
import type { Uploads } from "./catalogs.uploads.js";
import { createLoads, type Loading, type LoadWork, within } from "./loads.js";

export interface Keeper extends CatalogKeeper {
  /** Breaks loads off where they are; they go on when they are asked for again. */
  close(): Promise<void>;
}

/** A sender waits so long for the end of a load. */
const ANSWER_MS = 10_000;

export function createKeeper(catalogs: Catalogs, folder: string, uploads: Uploads): Keeper {
  const loads = createLoads("catalog");
  const load = (
    definition: CatalogDefinition,
    paths: readonly string[],
    columns: readonly string[] | null,
    types: Readonly<Record<string, ElementType>>,
  ): LoadWork => {
    return async (tell, signal) => {
      const { catalog } = await catalogs.add(
        { definition, paths, columns, types },
        ({ bytesDone, bytesTotal, rows }) => tell(bytesDone / Math.max(1, bytesTotal), rows),
        signal,
      );
      return catalog.rows;
    };
  };
  let known: readonly KnownCatalog[] | null = null;
  return {
    async start({ name, files, columns, options }) {
      const definition = describedBy(name, options as CatalogOptions);
      const paths = await Promise.all(files.map((file) => within(folder, file)));
      return shown(loads.start(name, load(definition, paths, columns, typesIn(options))));
    },
    async receive({ name, columns, options, offset, isLast, body }) {
      const definition = describedBy(name, options as CatalogOptions);
      const types = typesIn(options);
      const bytes = await uploads.receive(name, offset, body);
      if (!isLast) return { bytes, load: null };
      let ended: Promise<unknown> = Promise.resolve();
      loads.start(name, (tell, signal) => {
        const work = uploads.use(name, (path) => load(definition, [path], columns, types)(tell, signal));
        ended = work;
        return work;
      });
      await Promise.race([ended, delay(ANSWER_MS, undefined, { ref: false })]);
      return { bytes, load: shown(loads.all().findLast((one) => one.name === name)!) };
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

/** In GraphQL a list, in a query string apart by commas. */
function typesIn({ types }: Readonly<Record<string, unknown>>): Record<string, ElementType> {
  if (types === undefined) return {};
  return toldTypes(Array.isArray(types) ? types.map(String) : String(types).split(","));
}

const shown = ({ rows, ...load }: Loading): CatalogLoading => ({ ...load, sources: rows });
