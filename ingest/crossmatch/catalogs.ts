// The catalogs that the stream is matched with: as many in memory as the budget allows, the archive asked for the others.
// Made by cli/; used by ingest/enrich/crossmatch.ts and rematch.ts.
import type { Catalog } from "../../domain/catalog.js";
import type { CatalogStore } from "../../stores/catalogs.store.js";
import { askCatalog } from "./asked.js";
import { withGiants } from "./giants.js";
import { estimatedBytes, type HeldCatalog, holdCatalog } from "./held.js";
import type { CatalogMatches } from "./matches.js";

/** A catalog whose reading failed is read again after this, or with the next change. */
const AGAIN_MS = 30_000;

export interface MatchedCatalogs {
  /** What an alert is matched with now. */
  active(): readonly Catalog[];
  match(catalog: Catalog, ra: Float64Array, dec: Float64Array): Promise<CatalogMatches>;
  /** The same for alerts of the stream: who works beside it asks usedAt. */
  matchStream: MatchedCatalogs["match"];
  /** When the stream was matched last, on the clock of performance.now(). */
  usedAt(): number;
  /** Bytes of each catalog that is in memory. */
  held(): ReadonlyMap<string, number>;
  /** Resolves when everything that fits has been read. */
  settled(): Promise<void>;
  close(): void;
}

export interface MatchedCatalogsParts {
  readonly store: Pick<CatalogStore, "active" | "onChange" | "read" | "sourcesNear">;
  /** For all catalogs together. */
  readonly memoryBytes: number;
  /** Takes a line that is worth telling. */
  readonly log: (line: string) => void;
}

export function createMatchedCatalogs({ store, memoryBytes, log }: MatchedCatalogsParts): MatchedCatalogs {
  const held = new Map<string, HeldCatalog>();
  /** Those that took more than was estimated: not tried again. */
  const tooLarge = new Set<string>();
  let closed = false;
  let stale = false;
  let reading: Promise<void> | null = null;
  let again: NodeJS.Timeout | undefined;

  /** The smallest first: so most catalogs are in memory. */
  function wanted(): Catalog[] {
    let free = memoryBytes;
    return [...store.active()]
      .filter((catalog) => !tooLarge.has(keyOf(catalog)))
      .sort((a, b) => estimatedBytes(a) - estimatedBytes(b) || a.name.localeCompare(b.name))
      .filter((catalog) => {
        free -= held.get(keyOf(catalog))?.bytes ?? estimatedBytes(catalog);
        return free >= 0;
      });
  }

  async function read(): Promise<void> {
    do {
      stale = false;
      const keys = new Set(wanted().map(keyOf));
      for (const key of held.keys()) if (!keys.has(key)) held.delete(key);
      for (const catalog of wanted()) {
        if (closed || stale) break;
        if (!held.has(keyOf(catalog))) await hold(catalog);
      }
    } while (stale && !closed);
  }

  async function hold(catalog: Catalog): Promise<void> {
    const stopped = () => closed || !store.active().some((one) => keyOf(one) === keyOf(catalog));
    const free = memoryBytes - [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    try {
      const read = await holdCatalog(store, catalog, free, stopped);
      if (stopped()) return;
      if (read !== null) held.set(keyOf(catalog), read);
      else {
        tooLarge.add(keyOf(catalog));
        log(`Catalog ${catalog.name} takes more memory than CATALOG_MEMORY_MB has left: the archive is asked for it.`);
      }
    } catch (error) {
      if (stopped()) return;
      log(`Catalog ${catalog.name} could not be read into memory (${(error as Error).message}): the archive is asked.`);
      clearTimeout(again);
      again = setTimeout(changed, AGAIN_MS).unref();
    }
  }

  function changed(): void {
    stale = true;
    reading ??= read().finally(() => {
      reading = null;
    });
  }

  async function match(catalog: Catalog, ra: Float64Array, dec: Float64Array): Promise<CatalogMatches> {
    const own = held.get(keyOf(catalog));
    return withGiants(catalog, { ra, dec }, async (places) =>
      own === undefined ? askCatalog(store, catalog, places.ra, places.dec) : own.match(places.ra, places.dec),
    );
  }

  let usedAt = Number.NEGATIVE_INFINITY;
  const stopHearing = store.onChange(changed);
  changed();
  return {
    active: () => store.active(),
    match,
    matchStream(catalog, ra, dec) {
      usedAt = performance.now();
      return match(catalog, ra, dec);
    },
    usedAt: () => usedAt,
    held: () => new Map([...held].map(([key, { bytes }]) => [key.split(" ")[0]!, bytes])),
    async settled() {
      while (reading !== null) await reading;
    },
    close() {
      closed = true;
      clearTimeout(again);
      stopHearing();
      held.clear();
    },
  };
}

/** A revision of a catalog does not change. */
const keyOf = ({ name, revision }: Catalog): string => `${name} ${revision}`;
