// How many of something each key has at the same time. Used for connections and sockets.

export class Seats {
  readonly #taken = new Map<string, number>();

  /** False, and nothing is taken, where the key has `most` already; 0 is no bound. */
  take(key: string, most: number): boolean {
    const taken = this.#taken.get(key) ?? 0;
    if (most > 0 && taken >= most) return false;
    this.#taken.set(key, taken + 1);
    return true;
  }

  leave(key: string): void {
    const taken = this.#taken.get(key) ?? 0;
    if (taken > 1) this.#taken.set(key, taken - 1);
    else this.#taken.delete(key);
  }
}
