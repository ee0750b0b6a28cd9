// Features that the stream could not make because the step broke, made after all. Made by cli/corrections.ts.
import type { NumberArray } from "../../domain/columns.js";
import { FEATURES_STEP } from "../../domain/features/features.js";
import { type Fillable, fillIn } from "../fillin.js";
import type { Reenricher } from "../reenrich.js";
import { numberColumn, objectsOf } from "../rows.js";
import { createRest, createWorker, type Worker } from "../worker.js";

const EVERY_MS = 30_000;

export interface MissedFeaturesParts {
  readonly missing: Fillable;
  readonly remake: Reenricher["remake"];
  readonly mayRun: () => boolean;
  /** Whether ingest is at work. */
  readonly isBusy: () => boolean;
  readonly log: (line: string) => void;
}

/** While the step is still broken it fails with the first batch, each time. */
export function createMissedFeatures({ missing, remake, mayRun, isBusy, log }: MissedFeaturesParts): Worker {
  const rest = createRest(isBusy);
  async function work(signal: AbortSignal): Promise<boolean> {
    await fillIn(missing, FEATURES_STEP, async ({ survey }, alerts) => {
      if (signal.aborted || !mayRun()) return false;
      const startedAt = performance.now();
      const programid: NumberArray = numberColumn(alerts, "programid").values;
      await remake(
        survey,
        objectsOf(alerts).map((alert, row) => ({ ...alert, programid: programid[row]! })),
      );
      await rest(startedAt, signal);
      return true;
    });
    return false;
  }
  return createWorker({
    ...{ work, mayRun, everyMs: EVERY_MS },
    onFault: (error) => log(`Features that are missing could not be made: ${error.message}`),
  });
}
