// Archived alerts gone through beside the stream. Used by crossmatch/rematch.ts and marks/past.ts.
import type { Block } from "../domain/columns.js";
import type { Survey } from "../domain/survey.js";
import type { MatchedAlert, RematchStore } from "../stores/matches.store.js";
import { bigColumn, numberColumn } from "./rows.js";
import type { Rest } from "./worker.js";

export interface ArchivedParts {
  readonly rematches: Pick<RematchStore, "alertsAfter">;
  /** Alerts at a time. */
  readonly chunk: number;
  readonly rest: Rest;
  readonly mayRun: () => boolean;
}

export interface Wanted {
  readonly survey: Survey;
  /** Null: from the first on. */
  readonly after: MatchedAlert | null;
  /** Only of batches that began then or later; epoch milliseconds. */
  readonly writtenSince?: number;
}

/**
 * By (jd, candid), chunk by chunk with rests, until `take` says that it is enough or everything ends. True where all were
 * taken.
 */
export type EachArchived = (
  wanted: Wanted,
  signal: AbortSignal,
  take: (alerts: Block, last: MatchedAlert) => Promise<boolean>,
) => Promise<boolean>;

export function createEachArchived({ rematches, chunk, rest, mayRun }: ArchivedParts): EachArchived {
  return async ({ survey, after, writtenSince }, signal, take) => {
    let from = after;
    for (;;) {
      if (signal.aborted || !mayRun()) return false;
      const startedAt = performance.now();
      const alerts = await rematches.alertsAfter(survey, from, chunk, writtenSince);
      if (alerts.rows === 0) return true;
      const jd = numberColumn(alerts, "jd").values;
      from = { jd: jd[alerts.rows - 1]!, candid: bigColumn(alerts, "candid").values[alerts.rows - 1]! };
      if (!(await take(alerts, from))) return false;
      if (alerts.rows < chunk) return true;
      await rest(startedAt, signal);
    }
  };
}
