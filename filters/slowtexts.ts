// Texts that took too long when they stood alone: left out for a while, so that the stream does not wait for them batch
// after batch. Used by evaluate.ts.
import type { InFlightQuery } from "../stores/inflight.store.js";

/** After this they are tried again: alerts differ, and so does what else the machine does. */
const LEFT_OUT_MS = 10 * 60_000;

const ends = new WeakMap<InFlightQuery, Map<string, number>>();

export const slowTexts = {
  add(inFlight: InFlightQuery, sql: string): void {
    const texts = ends.get(inFlight) ?? new Map<string, number>();
    ends.set(inFlight, texts);
    texts.set(sql, performance.now() + LEFT_OUT_MS);
  },
  has(inFlight: InFlightQuery, sql: string): boolean {
    const end = ends.get(inFlight)?.get(sql);
    return end !== undefined && performance.now() < end;
  },
  /** It was too slow before and is tried again: alone, for together with others it would be sought among them anew. */
  isTriedAgain: (inFlight: InFlightQuery, sql: string): boolean => ends.get(inFlight)?.has(sql) ?? false,
  /** It was answered in time. */
  remove: (inFlight: InFlightQuery, sql: string): void => void ends.get(inFlight)?.delete(sql),
};

export const TOO_SLOW =
  "It took too long on the live stream and is left out for ten minutes; checkFilter tells its cost.";
