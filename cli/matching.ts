// What follows the cross-match: links in the graph, and archived alerts matched with catalogs that came later. Called by
// cli/writing.ts.
import type { Logger } from "pino";
import type { Survey } from "../domain/survey.js";
import type { Tell } from "../ingest/corrections/teller.js";
import type { MatchedCatalogs } from "../ingest/crossmatch/catalogs.js";
import { createRematcher } from "../ingest/crossmatch/rematch.js";
import { CROSSMATCH_VERSION } from "../ingest/enrich/crossmatch.js";
import { createSourceFollower, type SourceFollower } from "../ingest/follow.sources.js";
import type { RecentHits } from "../ingest/recent.js";
import type { ArchiveStores } from "../stores/archive/stores.js";
import type { GraphStores } from "../stores/graph/stores.js";

/** Ingest counts as at work until so long after a batch. */
const BUSY_MS = 3_000;

export interface MatchingParts {
  readonly stores: Pick<ArchiveStores, "catalogs" | "matches" | "rematches" | "missing" | "batches"> &
    Pick<GraphStores, "links" | "sources">;
  readonly hits: RecentHits;
  readonly catalogs: MatchedCatalogs;
  readonly surveys: readonly Survey[];
  readonly scope: "hits" | "all";
  readonly tell: Tell;
  readonly log: Logger;
}

export interface Matching {
  readonly follower: SourceFollower;
  /** Begins with what is to be done; `mayRun`: one process at a time. The function ends it. */
  start(mayRun: () => boolean): () => Promise<void>;
}

export function createMatching({ stores, hits, catalogs, surveys, scope, tell, log }: MatchingParts): Matching {
  const { matches, rematches, batches, sources } = stores;
  const follower = createSourceFollower({ ...stores, hits, catalogs: () => stores.catalogs.active(), scope });
  return {
    follower,
    start(mayRun) {
      const rematcher = createRematcher({
        catalogs,
        registry: stores.catalogs,
        matches: {
          write: (...of) => matches.write(...of),
          matchedBetween: (...of) => matches.matchedBetween(...of),
          catalogs: () => matches.catalogs(),
          matchedAfter: (...of) => matches.matchedAfter(...of),
          async withdraw(kept) {
            await matches.withdraw(kept);
            await sources.withdraw(kept);
          },
        },
        rematches,
        missing: stores.missing,
        begin: () => batches.begin(),
        surveys,
        version: CROSSMATCH_VERSION,
        mayRun,
        isBusy: () => performance.now() - catalogs.usedAt() < BUSY_MS,
        onMatched: (survey, _, rows) => follower.rematched(survey, rows),
        onChanged: (survey, catalog, alerts) => {
          const source = `match.${catalog}`;
          const change = { survey, alerts, what: "MATCHES" as const, step: "crossmatch", version: CROSSMATCH_VERSION };
          return tell([{ ...change, source, scope: null, reads: [source] }]);
        },
        log: (line) => log.info(line),
      });
      return () => rematcher.close();
    },
  };
}
