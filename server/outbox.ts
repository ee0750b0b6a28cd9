// What one socket still has to send: how much waits, when there is room, and the end of a reader that is too slow.
// One for each socket, shared by its subscriptions; used by delivery.ts.
import type { Socket } from "node:net";
import type { WebSocket } from "ws";

/** Close code of a slow reader: of the range 4400-4499, none that graphql-transport-ws gives a meaning. */
const SLOW_CONSUMER_CODE = 4420;
/** How long a slow reader has to read what waits and to answer the close. */
const CLOSE_WAIT_MS = 5_000;

export class Outbox {
  #drained: Promise<void> | null = null;

  constructor(
    readonly socket: WebSocket,
    /** The TCP socket below. */
    readonly raw: Socket,
    readonly maxBytes: number,
  ) {}

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** False, and nothing is sent, where more than maxBytes wait already. */
  send(messages: readonly string[]): boolean {
    if (this.socket.bufferedAmount > this.maxBytes) return false;
    this.raw.cork();
    for (const message of messages) this.socket.send(message);
    this.raw.uncork();
    return true;
  }

  /** Resolves when the operating system has taken what waits, or the socket is gone. */
  async room(): Promise<void> {
    if (!this.raw.writableNeedDrain || this.raw.destroyed) return;
    this.#drained ??= new Promise<void>((resolve) => {
      const done = (): void => {
        this.raw.off("drain", done).off("close", done);
        this.#drained = null;
        resolve();
      };
      this.raw.on("drain", done).on("close", done);
    });
    await this.#drained;
  }

  closeSlow(cursor: string): void {
    if (!this.open) return;
    this.socket.close(SLOW_CONSUMER_CODE, `SLOW_CONSUMER: resume with after: ${cursor}`);
    const timer = setTimeout(() => this.socket.terminate(), CLOSE_WAIT_MS).unref();
    this.socket.once("close", () => clearTimeout(timer));
  }
}
