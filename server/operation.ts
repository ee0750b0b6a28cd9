// A query or mutation of a socket as something that can be ended: graphql-ws iterates it, and calls return() when the
// client completes the operation or leaves. Used by websocket.ts.
import type { ExecutionResult } from "graphql";
import type { Lifetime } from "./lifetime.js";

/** Its one result, then its end. Ends the lifetime in either case. */
export class EndableOperation implements AsyncGenerator<ExecutionResult, undefined> {
  #begun = false;

  constructor(
    readonly life: Lifetime,
    readonly run: (signal: AbortSignal) => Promise<ExecutionResult>,
  ) {}

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    if (this.#begun || this.life.signal.aborted) return { done: true, value: undefined };
    this.#begun = true;
    try {
      return { done: false, value: await this.run(this.life.signal) };
    } finally {
      this.life.end();
    }
  }

  async return(): Promise<IteratorResult<ExecutionResult, undefined>> {
    this.#begun = true;
    this.life.end();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<ExecutionResult, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
