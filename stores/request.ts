// The request that a store call belongs to: its end stops what the call runs in an engine, and says how urgent that is.
// Entered by resolvers/deadline, server/ and subscriptions/; read by the clients of engines. So no store's method needs a signal.
import { AsyncLocalStorage } from "node:async_hooks";

interface Request {
  readonly signal: AbortSignal;
  readonly live: boolean;
}
const requests = new AsyncLocalStorage<Request | undefined>();

/** Calls of engines made within `call`, however deep, end with `signal`. They are live where an outer request is. */
export function withinRequest<T>(signal: AbortSignal, call: () => T): T {
  return requests.run({ signal, live: requests.getStore()?.live ?? false }, call);
}

/** The same for live hits: they go before everybody's queries, as ingest does. */
export function withinLiveRequest<T>(signal: AbortSignal, call: () => T): T {
  return requests.run({ signal, live: true }, call);
}

/** For work that one request begins and all wait for: it does not end with that one. */
export function outsideRequests<T>(call: () => T): T {
  return requests.run(undefined, call);
}

/** The end of the request that we are in; undefined outside of any (ingest, start, background work). */
export const requestSignal = (): AbortSignal | undefined => requests.getStore()?.signal;

/** Whether we answer somebody's query, which must wait for ingest and live hits. */
export function answersQuery(): boolean {
  const request = requests.getStore();
  return request !== undefined && !request.live;
}
