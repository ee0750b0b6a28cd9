// One line a minute of what was taken in, in place of one for each batch. Used by watching.batches.ts.
import type { Logger } from "pino";
import { addCounts, type Counts, noCounts } from "../ingest/pipeline.js";

const EVERY_MS = 60_000;

export class Throughput {
  #counts = noCounts();
  #batches = 0;
  #since = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly log: Logger,
    everyMs = EVERY_MS,
  ) {
    this.#timer = setInterval(() => this.#tell(), everyMs).unref();
  }

  add({ read, stored, duplicates, deadLetters, hits }: Counts): void {
    addCounts(this.#counts, { read, stored, duplicates, deadLetters, hits });
    this.#batches += 1;
  }

  /** Tells of the last part of a minute too. */
  close(): void {
    clearInterval(this.#timer);
    this.#tell();
  }

  #tell(): void {
    const now = performance.now();
    const seconds = Math.round((now - this.#since) / 100) / 10;
    if (this.#batches > 0) this.log.info({ ...this.#counts, batches: this.#batches, seconds }, "taken in");
    this.#counts = noCounts();
    this.#batches = 0;
    this.#since = now;
  }
}
