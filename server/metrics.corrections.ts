// Metrics of what is told anew of objects, and of who listens to it. Filled by cli/watching.ts.
import { Counter, type Registry } from "prom-client";
import { readGauge } from "./metrics.read.js";

export function correctionMetrics(registry: Registry) {
  return {
    told: new Counter({
      name: "tocsin_corrections_told_total",
      help: "Corrections that this process told to listeners, by what changed.",
      labelNames: ["what"],
      registers: [registry],
    }),
    listeners: readGauge(registry, "tocsin_correction_subscriptions", "Subscriptions to corrections in progress."),
  };
}
