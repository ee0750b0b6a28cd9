// Watch lists, areas and sky maps put together: where users hand them in, and the past that they mark. Called by
// cli/service.ts.
import type { Logger } from "pino";
import { markOperand } from "../domain/mark.js";
import type { Survey } from "../domain/survey.js";
import type { Tell } from "../ingest/corrections/teller.js";
import { MARKS_STEP, MARKS_VERSION } from "../ingest/enrich/marks.js";
import { Desk } from "../ingest/marks/desk.js";
import type { HeldMarks } from "../ingest/marks/held.js";
import { createPastMarker, pastKey } from "../ingest/marks/past.js";
import type { Marks } from "../resolvers/services.js";
import type { ArchiveStores } from "../stores/archive/stores.js";

export interface MarksParts {
  readonly stores: Pick<ArchiveStores, "marks" | "rematches" | "missing" | "batches">;
  readonly surveys: readonly Survey[];
  /** Null in a process that only serves. */
  readonly held: HeldMarks | null;
  /** Other processes make and hold marks too. */
  readonly shared: boolean;
  /** Whether this process is the one that works on the past. */
  readonly mayRun: () => boolean;
  readonly isBusy: () => boolean;
  readonly tell: Tell;
  readonly log: Logger;
}

export interface OpenMarks extends Marks {
  close(): Promise<void>;
}

export function openMarks({ stores, surveys, held, shared, mayRun, isBusy, tell, log }: MarksParts): OpenMarks {
  const { marks, rematches, missing, batches } = stores;
  const stop = shared ? marks.registry.follow() : () => {};
  const past =
    held === null
      ? null
      : createPastMarker({
          ...{ registry: marks.registry, marked: marks.marked, held, rematches, missing, surveys, mayRun },
          ...{ isBusy, shared },
          async onMissed(survey, mark, alerts) {
            const change = { survey, what: "MARKS" as const, step: MARKS_STEP, version: MARKS_VERSION };
            const [source, scope] = [markOperand(mark), mark.isShared ? null : mark.scope];
            await tell([{ ...change, alerts, source, scope, reads: [source] }]);
          },
          begin: () => batches.begin(),
          log: (line) => log.warn(line),
        });
  return {
    desk: new Desk({ stores: marks, held }),
    page: (...args) => marks.marked.page(...args),
    events: (...args) => marks.registry.events(...args),
    past: (content) => rematches.rematches([pastKey({ content })]),
    async close() {
      stop();
      await past?.close();
    },
  };
}
