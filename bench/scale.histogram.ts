// Percentiles of many times, kept in bins of two percent. Used by scale.model.ts.

const [LEAST, GROWTH] = [1e-5, 1.02];

export class Histogram {
  readonly #bins = new Map<number, number>();
  #count = 0;
  #most = Number.NaN;

  /** `count` times of so many seconds. */
  add(seconds: number, count: number): void {
    const bin = Math.max(0, Math.ceil(Math.log(seconds / LEAST) / Math.log(GROWTH)));
    this.#bins.set(bin, (this.#bins.get(bin) ?? 0) + count);
    this.#count += count;
    if (!(seconds <= this.#most)) this.#most = seconds;
  }

  /** The time that this share stays below; NaN without times. */
  at(share: number): number {
    if (this.#count === 0 || share >= 1) return this.#most;
    let left = share * this.#count;
    for (const [bin, count] of [...this.#bins].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.min(this.#most, LEAST * GROWTH ** bin);
    }
    return this.#most;
  }
}
