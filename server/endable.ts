// An operation of a socket as graphql-ws wants it: something that is iterated, and ended by return() when the client
// completes the operation or leaves. Extended by operation.ts, delivery.ts and corrections.delivery.ts.

export abstract class Endable<Result> implements AsyncGenerator<Result, undefined> {
  abstract next(): Promise<IteratorResult<Result, undefined>>;
  /** Ends it, whoever is waiting for next() too. */
  abstract return(): Promise<IteratorResult<Result, undefined>>;

  async throw(error: unknown): Promise<IteratorResult<Result, undefined>> {
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
