// Metrics of what the service stands on: archive, graph, Kafka, disk. Filled by cli/watching.*.ts.
import { Counter, Histogram, type Registry } from "prom-client";
import { readGauge } from "./metrics.read.js";

const STORE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function engineMetrics(registry: Registry) {
  const registers = [registry];
  return {
    up: readGauge(registry, "tocsin_engine_up", "Whether an engine answers, as /ready says.", ["engine"]),
    seconds: new Histogram({
      name: "tocsin_store_duration_seconds",
      help: "Time of a call of an engine, its failures included.",
      labelNames: ["engine", "operation"],
      buckets: STORE_SECONDS,
      registers,
    }),
    errors: new Counter({
      name: "tocsin_store_errors_total",
      help: "Calls of an engine that failed, by error code; CANCELLED are those whose caller left.",
      labelNames: ["engine", "operation", "code"],
      registers,
    }),
    diskFree: readGauge(registry, "tocsin_disk_free_bytes", "Free room on the disk of DATA_DIR."),
    diskSize: readGauge(registry, "tocsin_disk_size_bytes", "Size of the disk of DATA_DIR."),
    info: readGauge(registry, "tocsin_info", "1; says the role of this process.", ["role"]),
  };
}
