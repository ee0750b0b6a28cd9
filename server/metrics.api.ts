// Metrics of what goes out: requests, operations, sockets, live hits. Filled by cli/watching.*.ts.
import { Counter, Histogram, type Registry } from "prom-client";
import { readCounter, readGauge } from "./metrics.read.js";

const ANSWER_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const DELIVERY_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export function apiMetrics(registry: Registry) {
  const registers = [registry];
  return {
    httpSeconds: new Histogram({
      name: "tocsin_http_request_duration_seconds",
      help: "Time to the end of an HTTP answer, by the first part of its path.",
      labelNames: ["route", "status"],
      buckets: ANSWER_SECONDS,
      registers,
    }),
    operations: new Counter({
      name: "tocsin_operations_total",
      help: "GraphQL operations by outcome: OK, or the code of the first error. Subscriptions count when they begin.",
      labelNames: ["transport", "kind", "outcome"],
      registers,
    }),
    operationSeconds: new Histogram({
      name: "tocsin_operation_duration_seconds",
      help: "Time of a GraphQL operation, its waiting included; of a subscription that of its beginning.",
      labelNames: ["transport", "kind"],
      buckets: ANSWER_SECONDS,
      registers,
    }),
    running: readGauge(registry, "tocsin_operations_running", "Operations that execute now."),
    waiting: readGauge(registry, "tocsin_operations_waiting", "Operations that wait for their turn."),
    shed: readCounter(registry, "tocsin_operations_shed_total", "Operations turned away for load."),
    loopLag: readGauge(registry, "tocsin_event_loop_lag_seconds", "How late the event loop was in the last second."),
    sockets: readGauge(registry, "tocsin_sockets", "Open WebSockets."),
    outboxBytes: readGauge(registry, "tocsin_outbox_bytes", "Bytes that wait for readers of WebSockets, all together."),
    subscriptions: readGauge(registry, "tocsin_subscriptions", "Subscriptions in progress."),
    hubHits: readGauge(registry, "tocsin_hub_waiting_hits", "Announced hits that were not handed to subscribers yet."),
    deliverySeconds: new Histogram({
      name: "tocsin_delivery_delay_seconds",
      help: "From the moment a filter passed to the hit's handing to this process's subscribers, whether it has any or not.",
      labelNames: ["survey"],
      buckets: DELIVERY_SECONDS,
      registers,
    }),
  };
}
