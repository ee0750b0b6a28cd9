// Long answers in slices, so that ingest and live hits come in between: they share the event loop with queries. Made once
// by server/; resolvers call context.breathe between the pieces of what may be large.
import { setTimeout as rest, setImmediate as turn } from "node:timers/promises";

/** A slice of long answers, all of them together. */
const SLICE_MS = 8;
/** While others are at work, long answers rest for so many times what they have worked: they take a fifth of the time. */
const REST = 4;
/** Longest rest: a slice that took long may have waited for the machine. */
const MOST_REST_MS = 200;
/** Pieces of an answer that count as short. */
const SHORT = 50;

export class Pace {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #since = 0;
  /** How long answers have rested so far: ms. */
  restedMs = 0;

  /** `pressed`: whether others (ingest, live hits) are at work. */
  constructor(readonly pressed: () => boolean) {}

  /** What one answer calls between its pieces. */
  ofAnswer(): () => Promise<void> | undefined {
    let pieces = 0;
    return () => {
      pieces += 1;
      return pieces > SHORT ? this.#next() : undefined;
    };
  }

  /** Resolves when it is the piece's turn: one piece after the other, of all long answers. */
  async #next(): Promise<void> {
    if (this.#waiting === 0) this.#since = performance.now();
    this.#waiting += 1;
    this.#last = this.#last.then(() => this.#slice());
    await this.#last;
    this.#waiting -= 1;
  }

  async #slice(): Promise<void> {
    const worked = performance.now() - this.#since;
    if (worked < SLICE_MS) return;
    if (this.pressed()) {
      const from = performance.now();
      await rest(Math.min(REST * worked, MOST_REST_MS));
      this.restedMs += performance.now() - from;
    } else await turn();
    this.#since = performance.now();
  }
}
