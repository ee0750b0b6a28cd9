// What was read and not yet taken by the pipeline, bounded in bytes. Filled by source.ts, emptied by its items().

/** One reader, one writer. The writer asks for room first and waits for it. */
export class ByteQueue<T> {
  #entries: { readonly value: T; readonly bytes: number }[] = [];
  #head = 0;
  #bytes = 0;
  #isClosed = false;
  #wakeReader: (() => void) | null = null;
  #wakeWriters: (() => void)[] = [];

  constructor(readonly maxBytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** One entry always fits into an empty queue, however large. */
  hasRoom(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.maxBytes;
  }

  /** Resolves when something was taken out, or the queue is closed. */
  taken(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  /** What comes after close() is dropped. */
  push(value: T, bytes: number): void {
    if (this.#isClosed) return;
    this.#entries.push({ value, bytes });
    this.#bytes += bytes;
    this.#wakeReader?.();
  }

  /** The reader's end comes at once; what it did not take stays in Kafka. */
  close(): void {
    this.#isClosed = true;
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#wakeReader?.();
    this.#tellWriters();
  }

  async *values(): AsyncGenerator<T> {
    for (;;) {
      while (this.#head >= this.#entries.length) {
        if (this.#isClosed) return;
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
        this.#wakeReader = null;
      }
      yield this.#take();
    }
  }

  #take(): T {
    const { value, bytes } = this.#entries[this.#head]!;
    this.#head += 1;
    this.#bytes -= bytes;
    if (this.#head >= 1_024 || this.#head === this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    this.#tellWriters();
    return value;
  }

  #tellWriters(): void {
    for (const wake of this.#wakeWriters.splice(0)) wake();
  }
}
