// What an owner does with catalogs: add, list, remove. Made by cli/keepers.ts and cli/catalogs.ask.ts.
import type { Catalog } from "../domain/catalog.js";
import { type Loaded, type LoadRequest, type LoadTold, loadCatalog } from "../ingest/catalogs/load.js";
import type { Claims } from "../ingest/claims.js";
import type { CatalogStore } from "../stores/catalogs.store.js";

export interface Catalogs {
  /** Stops early when `signal` is aborted; asked for again, it goes on. */
  add(request: LoadRequest, onProgress: (told: LoadTold) => void, signal: AbortSignal): Promise<Loaded>;
  list(): Promise<Catalog[]>;
  /** False where there is none. */
  remove(name: string): Promise<boolean>;
}

/** What is loaded or removed is claimed meanwhile: LOAD_IN_PROGRESS where another does. */
export function createCatalogs(store: CatalogStore, claims: Claims): Catalogs {
  const claim = (name: string): string => `catalog ${name}`;
  return {
    add: (request, onProgress, signal) =>
      claims.during(claim(request.definition.name), signal, (until) => loadCatalog(store, request, onProgress, until)),
    list: () => store.list(),
    remove: (name) => claims.during(claim(name), new AbortController().signal, () => store.remove(name)),
  };
}
