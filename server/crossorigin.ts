// Browsers on other sites: only where the setting names them. Used by app.ts.
import type { RequestHandler } from "express";

/** What pages may read besides the body. */
const READABLE = "retry-after, ratelimit, ratelimit-policy";

export function crossOrigin(allowed: readonly string[]): RequestHandler {
  const origins = new Set(allowed.map((origin) => origin.toLowerCase()));
  return (request, response, next) => {
    const { origin } = request.headers;
    if (origin === undefined || !origins.has(origin.toLowerCase())) {
      response.set("cross-origin-resource-policy", "same-origin");
      next();
      return;
    }
    response.set({ "access-control-allow-origin": origin, vary: "origin", "access-control-expose-headers": READABLE });
    if (request.method !== "OPTIONS") {
      next();
      return;
    }
    response.set("access-control-allow-headers", "content-type, authorization").set("access-control-max-age", "600");
    response.status(204).end();
  };
}
