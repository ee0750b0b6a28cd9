// The request that a store call belongs to: its end stops what the call runs in an engine. Entered by resolvers/deadline,
// server/ and subscriptions/; read by the clients of engines. So no method of a store needs a signal.
import { AsyncLocalStorage } from "node:async_hooks";

const requests = new AsyncLocalStorage<AbortSignal>();

/** Calls of engines made within `call`, however deep, end with `signal`. */
export function withinRequest<T>(signal: AbortSignal, call: () => T): T {
  return requests.run(signal, call);
}

/** The end of the request that we are in; undefined outside of any (ingest, start, background work). */
export const requestSignal = (): AbortSignal | undefined => requests.getStore();
