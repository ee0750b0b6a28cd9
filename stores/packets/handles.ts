// Segment files open for reading: at most so many stay open, and none is closed under a read. Called by segments.ts.
import { type FileHandle, open } from "node:fs/promises";

interface Entry {
  readonly handle: Promise<FileHandle>;
  readers: number;
}

export class ReadHandles {
  readonly #path: (segment: number) => string;
  readonly #most: number;
  /** Least recently used first. */
  readonly #entries = new Map<number, Entry>();

  constructor(path: (segment: number) => string, most: number) {
    this.#path = path;
    this.#most = most;
  }

  async use<T>(segment: number, read: (handle: FileHandle) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(segment) ?? { handle: open(this.#path(segment), "r"), readers: 0 };
    this.#entries.delete(segment);
    this.#entries.set(segment, entry);
    entry.readers++;
    try {
      return await read(await entry.handle);
    } catch (error) {
      // A file that did not open must be tried anew next time.
      entry.handle.catch(() => this.#entries.delete(segment));
      throw error;
    } finally {
      entry.readers--;
      await this.#closeOldest(this.#most);
    }
  }

  /** Call when no reads are under way. */
  close(): Promise<void> {
    return this.#closeOldest(0);
  }

  async #closeOldest(most: number): Promise<void> {
    for (const [segment, entry] of this.#entries) {
      if (this.#entries.size <= most) return;
      if (entry.readers > 0) continue;
      this.#entries.delete(segment);
      await entry.handle.then(
        (handle) => handle.close(),
        () => undefined,
      );
    }
  }
}
