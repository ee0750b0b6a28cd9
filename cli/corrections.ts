// Corrections put together: who tells them, who numbers them, filters that are run again, packets that came late. Called by
// cli/writing.ts.
import type { Logger } from "pino";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import type { ActiveFilters } from "../filters/active.js";
import { createLateCounterparts } from "../ingest/corrections/late.counterparts.js";
import { createLateFinder, LATE_VERSION } from "../ingest/corrections/late.js";
import { createMarkChanges } from "../ingest/corrections/marks.js";
import { createMissedFeatures } from "../ingest/corrections/missed.js";
import { createRecheck } from "../ingest/corrections/recheck.js";
import { createTeller, type Tell } from "../ingest/corrections/teller.js";
import { createFeatureStep } from "../ingest/enrich/features.js";
import { createHistory } from "../ingest/enrich/history.js";
import { createReenricher, type Reenricher } from "../ingest/reenrich.js";
import { createWorker } from "../ingest/worker.js";
import type { ArchiveStores } from "../stores/archive/stores.js";
import type { FilterStore } from "../stores/filters.store.js";
import type { CorrectionFeed } from "../subscriptions/corrections.js";

/** What other processes have told is numbered and looked at after so long at most. */
const OTHERS_MS = 1_000;
/** Where there are none, everybody nudges. */
const ALONE_MS = 30_000;

export interface CorrectionsParts {
  readonly stores: Pick<
    ArchiveStores,
    | ("corrections" | "hitChecks" | "arrivals" | "backtest" | "features" | "history")
    | ("batches" | "marks" | "rematches" | "missing")
  >;
  readonly filters: Pick<FilterStore, "active">;
  readonly active: ActiveFilters;
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly feed: Pick<CorrectionFeed, "wake">;
  /** Other processes tell too. */
  readonly shared: boolean;
  /** Whether ingest is at work. */
  readonly isBusy: () => boolean;
  readonly log: Logger;
}

export interface Corrections {
  readonly tell: Tell;
  readonly reenricher: Reenricher;
  /** Begins with what is to be done; `mayRun`: the process that numbers hits. The function ends it. */
  start(mayRun: () => boolean): () => Promise<void>;
}

export function createCorrections(parts: CorrectionsParts): Corrections {
  const { stores, filters, active, surveys, feed, shared, isBusy } = parts;
  const { corrections, hitChecks, arrivals, backtest, batches } = stores;
  const log = (line: string): void => parts.log.warn(line);
  const begin = () => batches.begin();
  let onTold = (): void => {};
  const tell = createTeller({ corrections, active, begin, onTold: () => onTold() });
  const steps = [createHistory(stores.history), createFeatureStep(surveys)];
  const reenricher = createReenricher({ features: stores.features, batches, steps, tell });
  return {
    tell,
    reenricher,
    start(mayRun) {
      const numbering = createWorker({
        async work() {
          const more = await corrections.number();
          if (more) {
            feed.wake();
            recheck.nudge();
          }
          return more;
        },
        mayRun,
        everyMs: shared ? OTHERS_MS : ALONE_MS,
        onFault: (error) => log(`Corrections could not be numbered: ${error.message}`),
      });
      const recheck = createRecheck({
        ...{ checks: hitChecks, corrections, active, filters, backtest, begin, mayRun, isBusy, log },
        onTold: numbering.nudge,
      });
      const late = createLateFinder({
        counterparts: createLateCounterparts({
          ...{ arrivals, active, filters, surveys, tell, isBusy, version: LATE_VERSION },
        }),
        ...{ arrivals, tell, remake: reenricher.remake, mayRun, isBusy, log },
        publicProgramids: (survey) => surveys.get(survey)?.publicProgramids ?? [],
      });
      const marks = createMarkChanges({
        ...{ marks: stores.marks, rematches: stores.rematches, tell, mayRun, log },
        surveys: [...surveys.keys()],
      });
      const missed = createMissedFeatures({
        ...{ missing: stores.missing, remake: reenricher.remake, mayRun, isBusy, log },
      });
      marks.nudge();
      onTold = () => {
        numbering.nudge();
        recheck.nudge();
      };
      onTold();
      return async () => {
        onTold = () => {};
        await Promise.all([late.close(), marks.close(), missed.close(), recheck.close()]);
        await numbering.close();
      };
    },
  };
}
