// A query or mutation of a socket as something that can be ended: graphql-ws iterates it, and calls return() when the
// client completes the operation or leaves. Used by websocket.ts.
import type { ExecutionResult } from "graphql";
import { Endable } from "./endable.js";
import type { Lifetime } from "./lifetime.js";

/** Its one result, then its end. Ends the lifetime in either case. */
export class EndableOperation extends Endable<ExecutionResult> {
  #begun = false;

  constructor(
    readonly life: Lifetime,
    readonly run: (signal: AbortSignal) => Promise<ExecutionResult>,
  ) {
    super();
  }

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
}
