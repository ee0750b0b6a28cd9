// What stands before every HTTP request that costs something: its caller's quota, the load, its turn, its end. Used by
// app.ts for GraphQL and for the routes that cli/ mounts.
import type { Request, RequestHandler, Response } from "express";
import { withinRequest } from "../stores/request.js";
import type { Admission } from "./admission.js";
import type { ServerLimits } from "./bounds.js";
import type { Caller, Callers } from "./caller.js";
import { type Lifetime, lifetime } from "./lifetime.js";
import type { Rates } from "./rates.js";

export interface Guard {
  /** Counts the request, or turns it away, before its body is read. Throws NOT_ALLOWED, RATE_LIMITED, OVERLOADED. */
  readonly count: RequestHandler;
  /** Waits for the request's turn; what follows runs within its lifetime. Throws OVERLOADED. */
  readonly admit: RequestHandler;
}

export interface GuardParts {
  readonly callers: Callers;
  readonly rates: Rates;
  readonly admission: Admission;
  readonly limits: Pick<ServerLimits, "timeLimitMs">;
}

/** Of a request that count has let through. */
export const callerOf = (response: Response): Caller => response.locals.caller;
/** Of a request that admit has let through. */
export const lifetimeOf = (response: Response): Lifetime => response.locals.lifetime;

export function createGuard({ callers, rates, admission, limits }: GuardParts): Guard {
  async function known(request: Request): Promise<Caller> {
    try {
      return callers.of(request, request.headers.authorization);
    } catch (error) {
      // Who tries tokens uses its address's requests.
      await rates.spend({ kind: "address", key: callers.addressKey(request) }, "requests", 1);
      throw error;
    }
  }

  return {
    async count(request, response, next) {
      const caller = await known(request);
      response.locals.caller = caller;
      admission.check(caller);
      try {
        await rates.spend(caller, "requests", 1);
      } finally {
        response.set(await rates.headers(caller));
      }
      next();
    },
    async admit(_request, response, next) {
      if (response.closed) return;
      const life = lifetime(limits.timeLimitMs);
      // An answer that is not read keeps its place, and its memory: not for ever.
      const cut = setTimeout(() => response.destroy(), 2 * limits.timeLimitMs);
      response.once("close", () => {
        clearTimeout(cut);
        life.end();
      });
      const leave = await admission.enter(callerOf(response), life.signal).catch((error: unknown) => {
        if (response.closed) return null;
        throw error;
      });
      if (leave === null) return;
      if (response.closed) {
        leave();
        return;
      }
      response.once("close", leave);
      response.locals.lifetime = life;
      withinRequest(life.signal, next);
    },
  };
}
