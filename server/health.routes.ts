// GET /health (the process lives) and GET /ready (the engines that it needs answer). Mounted before everything else by
// cli/serve.ts: a probe knows no host name and has no quota.
import { type Request, Router } from "express";
import type { EngineState, Readiness } from "./health.js";

/**
 * `maySeeWhy`: whoever else asks is told codes, never a sentence that may name an address. A lost engine makes /ready
 * answer 503 and leaves /health alone: to start the process anew would not bring the engine back.
 */
export function healthRoutes(readiness: Pick<Readiness, "now">, maySeeWhy: (request: Request) => boolean): Router {
  const router = Router();
  router.get("/health", (_request, response) => {
    response.set("cache-control", "no-store").json({ status: "ok" });
  });
  router.get("/ready", async (request, response) => {
    const { ready, engines } = await readiness.now();
    const whole = maySeeWhy(request);
    const shown = Object.entries(engines).map(([name, state]) => [name, whole ? state : withoutReason(state)]);
    response
      .status(ready ? 200 : 503)
      .set("cache-control", "no-store")
      .json({ status: ready ? "ready" : "unavailable", engines: Object.fromEntries(shown) });
  });
  return router;
}

const withoutReason = ({ reason: _, ...state }: EngineState) => state;
