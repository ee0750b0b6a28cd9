// The hits that this process numbered last, so that whoever follows them need not read them back from the archive. Made by
// cli/ingestion.ts for the followers of the sequencer.
import type { Hit } from "../domain/filter.js";
import type { HitStore } from "../stores/hits.store.js";

/** Of 300 bytes or so each. */
const MOST = 20_000;

export interface RecentHits extends Pick<HitStore, "since" | "lastSeq"> {
  /** Hits in the order of their seq, as they become visible. */
  add(hits: readonly Hit[]): void;
  /** The archive has hits that `add` was not called with. */
  missed(): void;
}

/** `since` answers from memory where every hit after the given one is there, else from the store. */
export function createRecentHits(store: Pick<HitStore, "since" | "lastSeq">): RecentHits {
  /** Without gaps; the last one is the newest that there is. */
  let recent: Hit[] = [];
  return {
    add(hits) {
      const [next] = hits;
      if (next === undefined) return;
      const last = recent.at(-1);
      if (last !== undefined && next.seq !== last.seq + 1n) recent = [];
      recent = recent.concat(hits).slice(-MOST);
    },
    missed() {
      recent = [];
    },
    async since(after, first) {
      const oldest = recent[0]?.seq;
      if (oldest === undefined || after + 1n < oldest) return store.since(after, first);
      const from = Number(after + 1n - oldest);
      return recent.slice(from, from + first);
    },
    lastSeq: async () => recent.at(-1)?.seq ?? store.lastSeq(),
  };
}
