// A hit subscription of one socket: the group's text goes out as it is, framed with the subscriber's own id.
// Made by websocket.ts for every subscription operation.
import type { ExecutionArgs, GraphQLError, GraphQLFormattedError } from "graphql";
import { TocsinError } from "../domain/errors.js";
import type { Viewer } from "../domain/viewer.js";
import { withinLiveRequest } from "../stores/request.js";
import type { Render, Sink } from "../subscriptions/request.js";
import type { HitStream } from "../subscriptions/stream.js";
import { executePage } from "./delivery.page.js";
import { cursorVariable } from "./documents.js";
import { Endable } from "./endable.js";
import { lifetime } from "./lifetime.js";
import type { Outbox } from "./outbox.js";

/** What graphql-ws iterates: it yields nothing, and ends when the subscription ends. */
export class HitDelivery extends Endable<never> implements Sink<string> {
  readonly #prefix: string;
  #stop: (() => void) | null = null;
  #returned = false;
  #end!: { resolve: () => void; reject: (error: unknown) => void };
  readonly #ended = new Promise<void>((resolve, reject) => {
    this.#end = { resolve, reject };
  });

  constructor(
    readonly stream: HitStream,
    readonly key: string,
    readonly render: Render<string>,
    id: string,
    readonly outbox: Outbox,
  ) {
    super();
    this.#prefix = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  }

  async next(): Promise<IteratorResult<never, undefined>> {
    if (!this.#returned) this.#stop ??= this.stream.subscribe(this.stream.request, this.key, this.render, this);
    await this.#ended;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    this.#returned = true;
    this.#stop?.();
    this.#end.resolve();
    return { done: true, value: undefined };
  }

  take(payloads: readonly string[]): boolean {
    // A socket that is closing takes nothing more; graphql-ws calls return() once it is closed.
    return !this.outbox.open || this.outbox.send(payloads.map((payload) => `${this.#prefix}${payload}}`));
  }

  room(): Promise<void> {
    return this.outbox.room();
  }

  fail(error: unknown): void {
    this.#stop?.();
    if (error instanceof TocsinError && error.code === "SLOW_CONSUMER") {
      this.outbox.closeSlow(String(error.details.cursor));
    } else {
      this.#end.reject(error);
    }
  }
}

/** Subscribers with the same key get the same text for the same hit. `digest` is the document's. */
export function groupKey(args: ExecutionArgs, digest: string, viewer: Viewer): string {
  const variables = Object.entries(args.variableValues ?? {});
  const cursor = cursorVariable(args.document, args.operationName);
  const shared = variables.filter(([name]) => name !== cursor).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([viewer.scope, digest, args.operationName ?? null, shared]);
}

/**
 * Runs the operation on hits: a page of them shares one context and so its loaders. Texts are execution results. A page
 * ends at the time limit, or with the last of its subscribers.
 */
export function renderHits(
  args: ExecutionArgs,
  contextOf: (signal: AbortSignal) => object,
  formatError: (error: GraphQLError) => GraphQLFormattedError,
  timeLimitMs: number,
): Render<string> {
  return async (hits, gone) => {
    const life = lifetime(timeLimitMs);
    gone.addEventListener("abort", life.end, { once: true });
    try {
      const contextValue = contextOf(life.signal);
      const results = await withinLiveRequest(life.signal, () => executePage({ ...args, contextValue }, hits));
      return results.map(({ errors, ...rest }) =>
        JSON.stringify(errors === undefined ? rest : { ...rest, errors: errors.map(formatError) }),
      );
    } finally {
      gone.removeEventListener("abort", life.end);
      life.end();
    }
  };
}
