// Watch lists, areas and sky maps put together: where users hand them in, and the past that they mark. Called by
// cli/service.ts.
import type { Logger } from "pino";
import { markOperand } from "../domain/mark.js";
import type { Survey } from "../domain/survey.js";
import type { Tell } from "../ingest/corrections/teller.js";
import { MARKS_STEP, MARKS_VERSION } from "../ingest/enrich/marks.js";
import { Desk } from "../ingest/marks/desk.js";
import type { HeldMarks } from "../ingest/marks/held.js";
import { createPastMarker, type PastMarker, pastKey } from "../ingest/marks/past.js";
import type { Marks } from "../resolvers/services.js";
import type { ArchiveStores } from "../stores/archive/stores.js";

export interface MarksParts {
  readonly stores: Pick<ArchiveStores, "marks" | "rematches" | "missing" | "batches">;
  readonly surveys: readonly Survey[];
  /** Other processes make and hold marks too. */
  readonly shared: boolean;
  /** Null in a process that only serves. */
  readonly past: PastParts | null;
  readonly log: Logger;
}

/** What marks the alerts that were there before the mark. */
export interface PastParts {
  readonly held: HeldMarks;
  /** Whether this process is the one that works on the past. */
  readonly mayRun: () => boolean;
  readonly isBusy: () => boolean;
  readonly tell: Tell;
}

export interface OpenMarks extends Marks {
  close(): Promise<void>;
}

export function openMarks(parts: MarksParts): OpenMarks {
  const { marks, rematches } = parts.stores;
  const stop = parts.shared ? marks.registry.follow() : () => {};
  const past = parts.past && markPast(parts, parts.past);
  return {
    desk: new Desk({ stores: marks, held: parts.past?.held ?? null }),
    page: (...args) => marks.marked.page(...args),
    events: (...args) => marks.registry.events(...args),
    past: (content) => rematches.rematches([pastKey({ content })]),
    async close() {
      stop();
      await past?.close();
    },
  };
}

function markPast({ stores, surveys, shared, log }: MarksParts, { held, mayRun, isBusy, tell }: PastParts): PastMarker {
  const { marks, rematches, missing, batches } = stores;
  return createPastMarker({
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
}
