// How late the event loop is: what a request that arrives now would wait for. Used by admission.ts.
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 20;
const WINDOW_MS = 1_000;

export interface LoopLag {
  /** Of the last second. */
  readonly ms: number;
  stop(): void;
}

export function watchLoop(): LoopLag {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  let ms = 0;
  const timer = setInterval(() => {
    // Weighted by time, E[d²] / E[d]: of one pause of 400 ms and five of 20 an arrival meets the long one 4 times in 5.
    const mean = delays.mean / 1e6;
    const deviation = delays.stddev / 1e6;
    ms = mean > 0 ? Math.max(0, (mean ** 2 + deviation ** 2) / mean - RESOLUTION_MS) : 0;
    delays.reset();
  }, WINDOW_MS).unref();
  return {
    get ms() {
      return ms;
    },
    stop() {
      clearInterval(timer);
      delays.disable();
    },
  };
}
