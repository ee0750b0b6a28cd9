// What a service has opened: closed again from the last to the first, also where a start breaks off halfway. Made by
// cli/service.ts for the parts that open something.
import { setTimeout as delay } from "node:timers/promises";

/**
 * What waits for an engine that is away is given up so long after the service began to close: the next start finishes it,
 * as after a crash. What comes behind it is still closed, each in a moment.
 */
const CLOSE_MS = 6_000;
const CLOSE_LATE_MS = 500;

export class Opened {
  readonly #ends: (() => unknown)[] = [];

  /** The same part, to be closed with the service. */
  keep<T extends { close(): unknown }>(part: T): T {
    this.onClose(() => part.close());
    return part;
  }

  /** For what ends otherwise than by a close(). */
  onClose(end: () => unknown): void {
    this.#ends.unshift(end);
  }

  async close(): Promise<void> {
    const patience = delay(CLOSE_MS, undefined, { ref: false });
    for (const end of this.#ends.splice(0)) {
      await Promise.race([end(), patience.then(() => delay(CLOSE_LATE_MS, undefined, { ref: false }))]);
    }
  }
}
