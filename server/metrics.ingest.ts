// Metrics of what comes in: packets, batches, stages, numbering, Kafka. Filled by cli/watching.*.ts.
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { readGauge } from "./metrics.read.js";

const STAGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];
const BATCH_ALERTS = [1, 10, 50, 100, 250, 500, 1_000, 2_000, 4_000];

export function ingestMetrics(registry: Registry) {
  const registers = [registry];
  return {
    packets: new Counter({
      name: "tocsin_packets_received_total",
      help: "Packets, and what a source could not read as one, that entered the pipeline, by kind of source.",
      labelNames: ["source"],
      registers,
    }),
    received: new Counter({
      name: "tocsin_alerts_received_total",
      help: "Packets that decoded as alerts of a survey.",
      labelNames: ["survey"],
      registers,
    }),
    stored: new Counter({
      name: "tocsin_alerts_stored_total",
      help: "New alerts in committed batches.",
      labelNames: ["survey"],
      registers,
    }),
    duplicates: new Counter({
      name: "tocsin_alerts_duplicates_total",
      help: "Alerts in committed batches that were stored before.",
      labelNames: ["survey"],
      registers,
    }),
    deadLetters: new Counter({
      name: "tocsin_dead_letters_total",
      help: "Packets set aside, by reason; survey is unknown where nobody can tell it.",
      labelNames: ["survey", "reason"],
      registers,
    }),
    hitsFound: new Counter({
      name: "tocsin_hits_found_total",
      help: "Alerts in committed batches that passed a filter, counted for each filter.",
      labelNames: ["survey"],
      registers,
    }),
    missing: new Counter({
      name: "tocsin_enrichment_missing_total",
      help: "Batches that lack what a step, or a part of it, should have added.",
      labelNames: ["survey", "step"],
      registers,
    }),
    hitsNumbered: new Counter({
      name: "tocsin_hits_numbered_total",
      help: "Hits that got their place in the order of all hits from this process.",
      labelNames: ["survey"],
      registers,
    }),
    batchAlerts: new Histogram({
      name: "tocsin_batch_alerts",
      help: "Packets in a micro-batch.",
      buckets: BATCH_ALERTS,
      registers,
    }),
    stageSeconds: new Histogram({
      name: "tocsin_stage_duration_seconds",
      help: "Time of a batch in a stage, retries included; survey is all where a stage takes them together.",
      labelNames: ["stage", "survey"],
      buckets: STAGE_SECONDS,
      registers,
    }),
    inFlight: new Gauge({
      name: "tocsin_batches_in_flight",
      help: "Batches between their reading and their end.",
      registers,
    }),
    outage: new Gauge({
      name: "tocsin_outage",
      help: "How many lost things work waits for, by error code.",
      labelNames: ["code"],
      registers,
    }),
    waitingBytes: readGauge(
      registry,
      "tocsin_intake_waiting_bytes",
      "Bytes of packets that were read from Kafka and wait for the pipeline.",
    ),
    pendingBatches: readGauge(
      registry,
      "tocsin_sequencer_pending_batches",
      "Committed batches whose hits this process knows to have no number yet (at most 200 of other processes).",
    ),
    leader: readGauge(registry, "tocsin_sequencer_leader", "1 in the process that numbers hits, 0 in others that may."),
    epoch: readGauge(
      registry,
      "tocsin_sequencer_epoch",
      "How often numbering has changed hands; 0 where it is not ours.",
    ),
    skyIndex: readGauge(registry, "tocsin_sky_index_positions", "Positions of objects in the memory of this process."),
    catalogBytes: readGauge(
      registry,
      "tocsin_catalog_memory_bytes",
      "Memory of each catalog that alerts are matched with here; the archive is asked for the others.",
      ["catalog"],
    ),
    modelSeconds: readGauge(
      registry,
      "tocsin_model_batch_seconds",
      "Time that a model usually takes for a batch in this process: the median of its last ten.",
      ["model"],
    ),
    discrepancies: readGauge(
      registry,
      "tocsin_receipt_discrepancies",
      "Batches of the last hour whose numbers do not add up: received = stored + duplicates + dead letters.",
    ),
    kafkaLag: readGauge(
      registry,
      "tocsin_kafka_lag_messages",
      "Messages after the bookmark, of the partitions that this process reads.",
      ["topic", "partition"],
    ),
    kafkaSchemas: readGauge(registry, "tocsin_kafka_schemas_up", "0 while packets from Kafka wait for their schema."),
    kafkaTopics: readGauge(registry, "tocsin_kafka_topics", "Topics that this process reads."),
    streamsBehind: readGauge(
      registry,
      "tocsin_streams_behind_hits",
      "Numbered hits that the publisher of Kafka topics has not looked at yet.",
    ),
  };
}
