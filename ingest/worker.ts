// Work beside the stream: begun by a nudge or by time, tried again after a failure, one process at a time, with rests. Used by
// corrections/, crossmatch/rematch.ts and marks/past.ts.
import { setTimeout as delay } from "node:timers/promises";

export interface Worker {
  /** There is something to do. Returns at once. */
  nudge(): void;
  /** Resolves when nothing is left to do, or it has failed and waits. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface WorkerParts {
  /** Does what there is to do; ends soon after the signal. True: there may be more. */
  readonly work: (signal: AbortSignal) => Promise<boolean>;
  /** Whether this process is the one that does it. */
  readonly mayRun: () => boolean;
  /** It is done so often even where nobody nudges: for what other processes leave to it. */
  readonly everyMs: number;
  /** Hears of a failure, once until the work has succeeded again. */
  readonly onFault: (error: Error) => void;
}

export function createWorker({ work, mayRun, everyMs, onFault }: WorkerParts): Worker {
  const stopping = new AbortController();
  const { signal } = stopping;
  let stale = false;
  let failed = false;
  let working: Promise<void> | null = null;

  async function run(): Promise<void> {
    try {
      do stale = false;
      while (((await work(signal)) || stale) && !signal.aborted && mayRun());
      failed = false;
    } catch (error) {
      if (!signal.aborted && !failed) onFault(error as Error);
      failed = true;
    }
  }

  function nudge(): void {
    stale = true;
    if (signal.aborted || !mayRun()) return;
    working ??= run().finally(() => {
      working = null;
    });
  }

  const timer = setInterval(nudge, everyMs).unref();
  return {
    nudge,
    async idle() {
      while (working !== null) await working;
    },
    async close() {
      clearInterval(timer);
      stopping.abort();
      await working;
    },
  };
}

/** After a piece of work that began at `startedAt` (performance.now()) time is left to others. Ends with the signal. */
export type Rest = (startedAt: number, signal: AbortSignal) => Promise<void>;

/** So many times the work's own time: `busy` beside ingest, `alone` without. */
export function createRest(isBusy: () => boolean, busy = 9, alone = 0.2): Rest {
  return async (startedAt, signal) => {
    const milliseconds = (performance.now() - startedAt) * (isBusy() ? busy : alone);
    if (milliseconds > 0) await delay(milliseconds, undefined, { signal }).catch(() => {});
  };
}
