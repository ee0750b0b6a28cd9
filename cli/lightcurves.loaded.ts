// What an owner does with archives of light curves: add, list, remove. Made by cli/keepers.ts and cli/lightcurves.ask.ts.
import type { LightCurveArchive } from "../domain/archival.js";
import {
  type LightCurveLoad,
  type LightCurvesTold,
  type LoadedLightCurves,
  loadLightCurves,
} from "../ingest/archival/load.js";
import type { Claims } from "../ingest/claims.js";
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

/** What is loaded or removed is claimed meanwhile: LOAD_IN_PROGRESS where another does. */
export function createLightCurves(store: ArchivalStore, claims: Claims): LightCurves {
  const claim = (name: string): string => `archive of light curves ${name}`;
  return {
    add: (request, onProgress, signal) =>
      claims.during(claim(request.definition.name), signal, (until) =>
        loadLightCurves(store, request, onProgress, until),
      ),
    list: () => store.list(),
    remove: (name) => claims.during(claim(name), new AbortController().signal, () => store.remove(name)),
  };
}
