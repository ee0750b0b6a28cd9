// How long HTTP answers take, by route. Mounted before everything else by cli/serve.ts.
import type { RequestHandler } from "express";
import type { Metrics } from "./metrics.js";

/** First parts of the paths that there are; callers may ask for anything. */
const ROUTES = new Set(["graphql", "cutouts", "streams", "page", "health", "ready", "metrics"]);

export function requestTimes({ httpSeconds }: Pick<Metrics["api"], "httpSeconds">): RequestHandler {
  return (request, response, next) => {
    const first = request.path.split("/", 2)[1] ?? "";
    const route = first === "" ? "/" : ROUTES.has(first) ? `/${first}` : "other";
    const end = httpSeconds.startTimer({ route });
    // 499: the caller left before the answer was whole.
    response.once("close", () => end({ status: response.writableFinished ? response.statusCode : 499 }));
    next();
  };
}
