// A subscription to corrections of one socket: graphql-ws takes one result after the other, each when the one before is
// sent, so nothing waits for a slow reader but the archive. Made by websocket.ts.
import { type ExecutionArgs, type ExecutionResult, execute } from "graphql";
import { withinLiveRequest } from "../stores/request.js";
import type { CorrectionStream } from "../subscriptions/corrections.js";
import { Endable } from "./endable.js";
import { lifetime } from "./lifetime.js";

export class CorrectionDelivery extends Endable<ExecutionResult> {
  constructor(
    readonly stream: CorrectionStream,
    readonly args: ExecutionArgs,
    readonly contextOf: (signal: AbortSignal) => object,
    readonly timeLimitMs: number,
  ) {
    super();
  }

  async next(): Promise<IteratorResult<ExecutionResult, undefined>> {
    const { done, value } = await this.stream.next();
    if (done) return { done: true, value: undefined };
    const life = lifetime(this.timeLimitMs);
    try {
      const contextValue = this.contextOf(life.signal);
      const result = await withinLiveRequest(life.signal, async () =>
        execute({ ...this.args, contextValue, rootValue: value }),
      );
      return { done: false, value: result };
    } finally {
      life.end();
    }
  }

  return(): Promise<IteratorResult<never, undefined>> {
    return this.stream.return() as Promise<IteratorResult<never, undefined>>;
  }
}
