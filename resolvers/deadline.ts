// The end of a request: every call of a store ends with it, and what runs for it in an engine. Used by resolvers/context.
import { TocsinError } from "../domain/errors.js";
import { withinRequest } from "../stores/request.js";

/**
 * The same stores, whose calls reject with QUERY_TIMEOUT once the signal is aborted, and are not made after it.
 * Resolvers wait for nothing but stores, so the request ends then.
 */
export function endingWith<T extends object>(stores: T, signal: AbortSignal): T {
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(timeout()), { once: true });
  });
  ended.catch(() => {});
  const ending = (store: object) =>
    new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          if (signal.aborted) throw timeout();
          return Promise.race([withinRequest(signal, () => member.apply(target, args)), ended]);
        };
      },
    });
  return Object.fromEntries(Object.entries(stores).map(([name, store]) => [name, ending(store)])) as T;
}

const timeout = () => new TocsinError("QUERY_TIMEOUT", "The request took longer than its limit.");
