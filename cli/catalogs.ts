// What an owner does with catalogs: add, list, remove. Made by cli/service.ts and cli/catalogs.ask.ts.
import type { Catalog } from "../domain/catalog.js";
import { TocsinError } from "../domain/errors.js";
import { type Loaded, type LoadRequest, type LoadTold, loadCatalog } from "../ingest/catalogs/load.js";
import type { CatalogStore } from "../stores/catalogs.store.js";

export interface Catalogs {
  /** Stops early when `signal` is aborted; asked for again, it goes on. */
  add(request: LoadRequest, onProgress: (told: LoadTold) => void, signal: AbortSignal): Promise<Loaded>;
  list(): Promise<Catalog[]>;
  /** False where there is none. */
  remove(name: string): Promise<boolean>;
}

export function createCatalogs(store: CatalogStore): Catalogs {
  const loading = new Set<string>();
  return {
    async add(request, onProgress, signal) {
      const { name } = request.definition;
      if (loading.has(name)) throw new TocsinError("BAD_ARGUMENT", `The catalog ${name} is being loaded already.`);
      loading.add(name);
      try {
        return await loadCatalog(store, request, onProgress, signal);
      } finally {
        loading.delete(name);
      }
    },
    list: () => store.list(),
    remove: (name) => store.remove(name),
  };
}
