// The lane of heavy operations: one after the other while ingest is at work, with rests in which ingest and live hits have
// the machine. Entered once an operation's cost is known; used by app.ts and websocket.ts.
import type { Pace } from "../resolvers/pace.js";
import { Admission } from "./admission.js";
import type { AdmissionLimits } from "./bounds.js";
import type { Caller } from "./caller.js";

/** From here on an operation is heavy: a page of 200 alerts with 30 values is not, one of 1,000 rows is. */
export const HEAVY_COST = 20_000;
/** Heavy operations at once while nobody else is at work. */
const AT_ONCE = 2;
/** Work and rest of the lane are 1 to 4: a fifth of the time. */
const REST = 4;
const MOST_REST_MS = 10_000;

export class Lane {
  readonly #turns: Admission;

  constructor(
    limits: Pick<AdmissionLimits, "running">,
    timeLimitMs: number,
    readonly pace: Pace,
  ) {
    this.#turns = new Admission({
      get running() {
        return pace.pressed() ? 1 : AT_ONCE;
      },
      perCaller: AT_ONCE,
      // Who waits here has a place among the operations that run: half of them stay for all others.
      waiting: Math.ceil(limits.running / 2),
      // Somebody who would have no time left to run is told so.
      waitMs: (2 * timeLimitMs) / 3,
      lagMs: Number.POSITIVE_INFINITY,
    });
  }

  /** Resolves when it is the operation's turn; the function must be called at its end. Throws OVERLOADED. */
  async enter(cost: number, caller: Pick<Caller, "key">, signal: AbortSignal): Promise<() => void> {
    if (cost < HEAVY_COST) return () => {};
    const leave = await this.#turns.enter(caller, signal);
    const from = performance.now();
    const restedBefore = this.pace.restedMs;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      if (!this.pace.pressed()) {
        leave();
        return;
      }
      // What it has rested already, between its slices, counts.
      const rested = this.pace.restedMs - restedBefore;
      const owed = REST * (performance.now() - from - rested) - rested;
      setTimeout(leave, Math.min(Math.max(owed, 0), MOST_REST_MS)).unref();
    };
  }

  stop(): void {
    this.#turns.stop();
  }
}
