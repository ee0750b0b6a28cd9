// A lost store is tried again until it is back: nothing is dropped after so many tries. Called by ingest/pipeline.ts.
import pRetry from "p-retry";
import { type ErrorCode, TocsinError } from "../domain/errors.js";

/** What comes back by itself or by the hand of an operator. Anything else is a fault and goes up. */
const PASSING: readonly ErrorCode[] = ["ENGINE_UNAVAILABLE", "DISK_FULL", "QUERY_TIMEOUT"];

/** `work` must be safe to repeat as a whole. */
export function persistently<T>(work: () => Promise<T>, onRetry: (error: Error) => void): Promise<T> {
  return pRetry(work, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: 100,
    maxTimeout: 10_000,
    factor: 2,
    randomize: true,
    shouldRetry: ({ error }) => error instanceof TocsinError && PASSING.includes(error.code),
    onFailedAttempt: ({ error }) => onRetry(error),
  });
}
