// How long a model takes for its batches, all of which wait for it. Kept by registry.ts.

/** A batch is a fifth of a second of a night, or 1,000 alerts. */
const SLOW_MS = 1_000;
/** What is looked at. One long batch is none. */
const LAST = 10;
const LEAST = 5;

export interface BatchTime {
  readonly ms: number;
  /** Alerts. */
  readonly rows: number;
}

export class Pace {
  #last: BatchTime[] = [];

  took(time: BatchTime): void {
    this.#last = [...this.#last, time].slice(-LAST);
  }

  /** Median of its last batches; 0 before the first one. */
  get seconds(): number {
    const sorted = this.#last.map(({ ms }) => ms).sort((a, b) => a - b);
    return (sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) / 1_000;
  }

  /** What that means for the stream, where it regularly takes long; else null. */
  get slow(): string | null {
    if (this.#last.length < LEAST || this.seconds * 1_000 <= SLOW_MS) return null;
    const [ms, rows] = [this.#sum("ms"), this.#sum("rows")];
    const rate = Math.max(1, Math.round((1_000 * rows) / ms));
    return `It takes ${this.seconds.toFixed(1)} s a batch: no more than ${rate} alerts a second get through.`;
  }

  #sum(of: keyof BatchTime): number {
    return this.#last.reduce((sum, time) => sum + time[of], 0);
  }
}
