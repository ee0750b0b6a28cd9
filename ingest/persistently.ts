// A lost store is tried again until it is back: nothing is dropped after so many tries. Called by ingest/pipeline.ts and
// ingest/sequencer.ts.
import pRetry from "p-retry";
import { type ErrorCode, TocsinError } from "../domain/errors.js";

/** Anything else is a fault and goes up. */
const PASSING: readonly ErrorCode[] = ["ENGINE_UNAVAILABLE", "DISK_FULL", "QUERY_TIMEOUT"];

/** Whether it comes back by itself or by the hand of an operator. */
export const passes = (error: unknown): boolean => error instanceof TocsinError && PASSING.includes(error.code);

/** Hears of outages: each once when it begins, for all who wait for the same thing, and once when it is over. */
export interface Outages {
  /** `before`: what this failed by the last time, since when it has not succeeded; where that was something else, it is over. */
  failed(error: Error, before: Error | null): void;
  /** Something that had failed for this has succeeded. */
  over(error: Error): void;
}

/** `work` must be safe to repeat as a whole. */
export async function persistently<T>(work: () => Promise<T>, outages: Outages): Promise<T> {
  let failure: Error | null = null;
  try {
    return await pRetry(work, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 100,
      maxTimeout: 10_000,
      factor: 2,
      randomize: true,
      shouldRetry: ({ error }) => passes(error),
      onFailedAttempt({ error }) {
        // A fault is told by whoever it goes up to.
        if (!passes(error)) return;
        outages.failed(error, failure);
        failure = error;
      },
    });
  } finally {
    if (failure !== null) outages.over(failure);
  }
}
