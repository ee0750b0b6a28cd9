// Hits as an async iterable: what a subscription resolver returns. server/ reads its request and shares executions;
// any other consumer of GraphQL subscriptions may simply iterate it.
import type { DeliveredHit } from "../domain/filter.js";
import type { HitRequest, Sink, Subscribe } from "./request.js";

const MOST_QUEUED = 10_000;
const ROOM = 1_000;
let streams = 0;

export class HitStream implements AsyncIterable<DeliveredHit> {
  constructor(
    readonly subscribe: Subscribe,
    readonly request: HitRequest,
  ) {}

  [Symbol.asyncIterator](): AsyncIterator<DeliveredHit, undefined> {
    return new HitIterator(this.subscribe, this.request);
  }
}

class HitIterator implements AsyncIterator<DeliveredHit, undefined>, Sink<DeliveredHit> {
  readonly #queue: DeliveredHit[] = [];
  #stop: (() => void) | null = null;
  #over: { readonly error?: unknown } | null = null;
  #waiting: (() => void)[] = [];

  constructor(
    readonly subscribe: Subscribe,
    readonly request: HitRequest,
  ) {}

  /** Throws What ended the subscription is thrown after the last hit that was taken. */
  async next(): Promise<IteratorResult<DeliveredHit, undefined>> {
    if (this.#stop === null && this.#over === null) {
      this.#stop = this.subscribe(this.request, `stream ${streams++}`, async (hits) => hits, this);
    }
    while (this.#queue.length === 0 && this.#over === null) await this.#change();
    const hit = this.#queue.shift();
    this.#changed();
    if (hit !== undefined) return { done: false, value: hit };
    if (this.#over !== null && "error" in this.#over) throw this.#over.error;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<DeliveredHit, undefined>> {
    this.#queue.length = 0;
    this.#end({});
    return { done: true, value: undefined };
  }

  take(hits: readonly DeliveredHit[]): boolean {
    if (this.#queue.length > MOST_QUEUED) return false;
    this.#queue.push(...hits);
    this.#changed();
    return true;
  }

  async room(): Promise<void> {
    while (this.#queue.length > ROOM && this.#over === null) await this.#change();
  }

  fail(error: unknown): void {
    this.#end({ error });
  }

  #end(how: { readonly error?: unknown }): void {
    this.#over ??= how;
    this.#stop?.();
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
