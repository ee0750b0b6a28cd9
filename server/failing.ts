// Errors of routes as callers get them: the status and the coded body. Last in app.ts, plain.ts and metrics.routes.ts.
import type { ErrorRequestHandler } from "express";
import { TocsinError } from "../domain/errors.js";
import type { Faults } from "./faults.js";

export const MAX_BODY = "1mb";

export function failing(faults: Faults): ErrorRequestHandler {
  return (error, _request, response, _next) => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { status, headers, body } = faults.respond(requestFault(error) ?? error);
    response.status(status).set(headers).json(body);
  };
}

/** What the router or the body parser found wrong. */
function requestFault(error: unknown): TocsinError | null {
  if (error instanceof URIError) return new TocsinError("BAD_REQUEST", "The address is not percent-encoded UTF-8.");
  const type = (error as { type?: unknown } | null)?.type;
  if (type === "entity.too.large") return new TocsinError("TOO_LARGE", `A body may have at most ${MAX_BODY}.`);
  if (type === "entity.parse.failed") return new TocsinError("BAD_REQUEST", "The body is not JSON.");
  if (typeof type === "string") return new TocsinError("BAD_REQUEST", "The body cannot be read.");
  return null;
}
