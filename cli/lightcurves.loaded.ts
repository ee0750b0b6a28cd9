// What an owner does with archives of light curves: add, list, remove. Made by cli/service.ts and cli/lightcurves.ask.ts.
import type { LightCurveArchive } from "../domain/archival.js";
import { TocsinError } from "../domain/errors.js";
import {
  type LightCurveLoad,
  type LightCurvesTold,
  type LoadedLightCurves,
  loadLightCurves,
} from "../ingest/archival/load.js";
import type { ArchivalStore } from "../stores/archival.store.js";

export interface LightCurves {
  /** Stops early when `signal` is aborted; asked for again, it goes on. */
  add(
    request: LightCurveLoad,
    onProgress: (told: LightCurvesTold) => void,
    signal: AbortSignal,
  ): Promise<LoadedLightCurves>;
  list(): Promise<LightCurveArchive[]>;
  /** False where there is none. */
  remove(name: string): Promise<boolean>;
}

export function createLightCurves(store: ArchivalStore): LightCurves {
  const loading = new Set<string>();
  return {
    async add(request, onProgress, signal) {
      const { name } = request.definition;
      if (loading.has(name)) throw new TocsinError("BAD_ARGUMENT", `The archive ${name} is being loaded already.`);
      loading.add(name);
      try {
        return await loadLightCurves(store, request, onProgress, signal);
      } finally {
        loading.delete(name);
      }
    },
    list: () => store.list(),
    remove: (name) => store.remove(name),
  };
}
