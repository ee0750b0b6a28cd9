// How many operations run at once, how many wait, and who is turned away. Used by guard.ts and websocket.ts.
import { TocsinError } from "../domain/errors.js";
import type { AdmissionLimits } from "./bounds.js";
import { type Caller, LOCAL } from "./caller.js";
import { watchLoop } from "./looplag.js";

/** After so many seconds a caller that was turned away may try again: the lag is measured each second. */
const RETRY_AFTER_S = 2;

interface Waiting {
  readonly key: string;
  readonly enter: () => void;
}

/**
 * Waiting operations enter in order, but one caller's never take more than its share: whoever stands behind them passes.
 * The owner on this machine has no share, and is not turned away for the event loop's lag; the queue is bounded for all.
 */
export class Admission {
  readonly #lag = watchLoop();
  readonly #runningOf = new Map<string, number>();
  #running = 0;
  #waiting: Waiting[] = [];
  /** Operations turned away so far. */
  shed = 0;

  constructor(readonly limits: AdmissionLimits) {}

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get lagMs(): number {
    return this.#lag.ms;
  }

  /** Throws OVERLOADED where an operation would be turned away: to be asked before anything is done for it. */
  check({ key }: Pick<Caller, "key">): void {
    const { waiting, lagMs } = this.limits;
    if (key !== LOCAL && this.#lag.ms > lagMs) {
      throw this.#overloaded(`The service answers ${Math.round(this.#lag.ms)} ms late.`);
    }
    if (this.#waiting.length >= waiting && !this.#mayRun(key)) {
      throw this.#overloaded(`${waiting} operations wait already, the most that may.`);
    }
    const share = Math.ceil(waiting / 4);
    if (key !== LOCAL && this.#waiting.filter((other) => other.key === key).length >= share) {
      throw this.#overloaded(`${share} of your operations wait already, the most that may.`);
    }
  }

  /** Resolves when it is the operation's turn; the function must be called at its end. Throws OVERLOADED, QUERY_TIMEOUT. */
  async enter(caller: Pick<Caller, "key">, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw signal.reason instanceof TocsinError ? signal.reason : nobodyWaits();
    this.check(caller);
    const { key } = caller;
    if (!this.#mayRun(key)) await this.#turn(key, signal);
    else this.#count(key, 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#count(key, -1);
      this.#next();
    };
  }

  stop(): void {
    this.#lag.stop();
  }

  #mayRun(key: string): boolean {
    const { running, perCaller } = this.limits;
    const share = key === LOCAL ? running : perCaller;
    return this.#running < running && (this.#runningOf.get(key) ?? 0) < share;
  }

  #count(key: string, one: 1 | -1): void {
    this.#running += one;
    const now = (this.#runningOf.get(key) ?? 0) + one;
    if (now === 0) this.#runningOf.delete(key);
    else this.#runningOf.set(key, now);
  }

  #turn(key: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", gone);
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
      };
      const waiting = {
        key,
        enter: () => {
          leave();
          this.#count(key, 1);
          resolve();
        },
      };
      const gone = () => {
        leave();
        reject(signal.reason instanceof TocsinError ? signal.reason : nobodyWaits());
      };
      const timer = setTimeout(() => {
        leave();
        reject(this.#overloaded(`It was not the operation's turn within ${this.limits.waitMs} ms.`));
      }, this.limits.waitMs);
      signal.addEventListener("abort", gone);
      this.#waiting.push(waiting);
    });
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      if (this.#running >= this.limits.running) return;
      if (this.#mayRun(waiting.key)) waiting.enter();
    }
  }

  #overloaded(message: string): TocsinError {
    this.shed += 1;
    return new TocsinError("OVERLOADED", message, { details: { retryAfterSeconds: RETRY_AFTER_S } });
  }
}

const nobodyWaits = () => new TocsinError("QUERY_TIMEOUT", "Nobody waits for this operation any more.");
