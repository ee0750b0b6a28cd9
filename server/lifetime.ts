// How long a piece of work may live: until its time limit, or until nobody waits for it any more. Made for every HTTP
// request, every operation of a socket and every page of live hits.
import { setMaxListeners } from "node:events";
import { TocsinError } from "../domain/errors.js";

const OVER = "nobody waits for this any more";

export interface Lifetime {
  /** Aborted at the end, whichever it is. */
  readonly signal: AbortSignal;
  /** To be called when the work is done or its caller has left: it also frees the timer. */
  end(): void;
}

export function lifetime(limitMs: number): Lifetime {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // one for each query under way
  const timer = setTimeout(() => {
    controller.abort(new TocsinError("QUERY_TIMEOUT", "The request took longer than its limit."));
  }, limitMs);
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      // With a reason of its own: making the default one, with its stack, costs more than a small query.
      controller.abort(OVER);
    },
  };
}
