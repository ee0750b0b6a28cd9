// Catalogs for the API's owner: files of CATALOG_DIR are loaded in the background of the service. Made by cli/service.ts.
import { realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { TocsinError } from "../domain/errors.js";
import { jdFromEpochMs } from "../domain/time.js";
import { allDefinitions } from "../ingest/catalogs/definition.js";
import type { LoadTold } from "../ingest/catalogs/load.js";
import { type CatalogOptions, describedBy } from "../ingest/catalogs/options.js";
import type { CatalogKeeper, CatalogLoading, KnownCatalog } from "../resolvers/services.js";
import { outsideRequests } from "../stores/request.js";
import type { Catalogs } from "./catalogs.js";

/** Finished loads that are remembered. */
const REMEMBERED = 100;

export interface Keeper extends CatalogKeeper {
  /** Breaks loads off where they are; they go on when they are asked for again. */
  close(): Promise<void>;
}

export function createKeeper(catalogs: Catalogs, folder: string): Keeper {
  const loads: { now: CatalogLoading }[] = [];
  const running = new Set<Promise<void>>();
  const abort = new AbortController();
  let known: readonly KnownCatalog[] | null = null;
  return {
    async start({ name, files, columns, options }) {
      const definition = describedBy(name, options as CatalogOptions);
      const paths = await Promise.all(files.map((file) => within(folder, file)));
      if (loads.some(({ now }) => now.name === name && !now.finished)) {
        throw new TocsinError("BAD_ARGUMENT", `The catalog ${name} is being loaded already.`);
      }
      const startedAt = jdFromEpochMs(Date.now());
      const load = { now: { name, startedAt, done: 0, sources: 0, finished: false, error: null as string | null } };
      loads.push(load);
      if (loads.length > REMEMBERED) loads.splice(0, loads.findIndex(({ now }) => now.finished) + 1);
      const request = { definition, paths, columns, types: {} };
      const onProgress = ({ bytesDone, bytesTotal, rows }: LoadTold): void => {
        load.now = { ...load.now, done: bytesDone / Math.max(1, bytesTotal), sources: rows };
      };
      // The load goes on when the request that asked for it has ended.
      const work = outsideRequests(() => catalogs.add(request, onProgress, abort.signal))
        .then(
          ({ catalog }) => {
            load.now = { ...load.now, done: 1, sources: catalog.rows, finished: true };
          },
          (error: unknown) => {
            load.now = { ...load.now, finished: true, error: told(error) };
          },
        )
        .finally(() => running.delete(work));
      running.add(work);
      return load.now;
    },
    loads: () => loads.map(({ now }) => now),
    remove: (name) => catalogs.remove(name),
    known() {
      known ??= allDefinitions().map(({ name, title, source, radius, columns }) => {
        return { name, title, source: source ?? null, radiusArcsec: radius, columns: Object.keys(columns ?? {}) };
      });
      return known;
    },
    async close() {
      abort.abort();
      await Promise.all(running);
    },
  };
}

const told = (error: unknown): string => {
  if (error instanceof TocsinError) return `${error.message} ${error.remedy}`;
  return error instanceof Error ? error.message : String(error);
};

/** The file's path; nothing outside of the folder is one, by no name and no link. */
async function within(folder: string, file: string): Promise<string> {
  const missing = (cause?: unknown) =>
    new TocsinError("NOT_FOUND", `There is no file ${JSON.stringify(file)} in the service's folder of catalogs.`, {
      remedy: "Put it into CATALOG_DIR (catalogs in DATA_DIR) and name it without folders.",
      cause,
    });
  if (!/^[\w.+-]{1,200}$/.test(file) || file.startsWith(".")) throw missing();
  try {
    const [real, root] = await Promise.all([realpath(join(folder, file)), realpath(folder)]);
    if (real.startsWith(root + sep)) return real;
  } catch (error) {
    throw missing(error);
  }
  throw missing();
}
