// GET /metrics: for the owner on the API's port (mounted by cli/serve.ts behind hosts and quotas), and for whoever reaches
// it on METRICS_PORT, which has nothing else.
import express, { type Request, Router } from "express";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { TocsinError } from "../domain/errors.js";
import type { Viewer } from "../domain/viewer.js";
import { DEFAULT_LIMITS } from "./bounds.js";
import { boundedServer, listen } from "./connections.js";
import { failing } from "./failing.js";
import { createFaults } from "./faults.js";
import { hostCheck } from "./hosts.js";

/** Throws NOT_ALLOWED for everybody but the owner: the numbers tell how much is asked and found. */
export function metricsRoute(registry: Registry, viewerOf: (request: Request) => Viewer): Router {
  const router = Router();
  router.get("/metrics", (request, _response, next) => {
    if (!viewerOf(request).mayChange) {
      throw new TocsinError("NOT_ALLOWED", "Metrics are for the owner of the service.", {
        remedy: "Send the bearer token of the service, or set METRICS_PORT and let Prometheus ask there.",
      });
    }
    next();
  });
  return router.use(answering(registry));
}

export interface MetricsServer {
  /** "http://127.0.0.1:9464/metrics" */
  readonly url: string;
  close(): Promise<void>;
}

/** Throws PORT_TAKEN, BAD_SETTING. */
export async function serveMetrics(
  registry: Registry,
  { host, port }: { readonly host: string; readonly port: number },
  log: Logger,
): Promise<MetricsServer> {
  const app = express().disable("x-powered-by").disable("etag");
  // Prometheus asks by address, so any name will do beyond loopback; no web page may ask in either case.
  const checkHost = hostCheck({ host, allowedHosts: [], allowedOrigins: [] });
  app.use((request, _response, next) => {
    checkHost(request);
    next();
  });
  app.use(answering(registry));
  app.use(failing(createFaults(log)));
  const server = boundedServer(DEFAULT_LIMITS, app);
  const taken = await listen(server, { host, port }, log);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${taken}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const answering = (registry: Registry): Router =>
  Router().get("/metrics", async (_request, response) => {
    const text = await registry.metrics();
    response.set({ "content-type": registry.contentType, "cache-control": "no-store" }).send(text);
  });
