// Everything that Prometheus reads here: names, units and labels; docs/watching.md explains them. No label ever holds a
// user, an object or anything else without a bound. Made by cli/watching.ts, shown by metrics.routes.ts.
import { collectDefaultMetrics, Registry } from "prom-client";
import { apiMetrics } from "./metrics.api.js";
import { correctionMetrics } from "./metrics.corrections.js";
import { engineMetrics } from "./metrics.engines.js";
import { ingestMetrics } from "./metrics.ingest.js";

export type Metrics = ReturnType<typeof createMetrics>;

/** Its own registry: a process may hold several services, as tests do. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    ingest: ingestMetrics(registry),
    engines: engineMetrics(registry),
    api: apiMetrics(registry),
    corrections: correctionMetrics(registry),
  };
}
