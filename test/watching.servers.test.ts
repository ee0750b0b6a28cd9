// What a service that reads a real Kafka tells of it: lag by partition, where a batch came from, and a broker that goes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type RunningService, startService } from "../cli/serve.js";
import type { Running } from "../cli/servers/background.js";
import { startKafka } from "../cli/servers/kafka.js";
import { readSettings } from "../cli/settings.js";
import { createTopic, fresh, produce, ztfMessages } from "../ingest/sources/kafka/kafka.fixture.js";
import { type Collector, startCollector } from "./collector.js";
import { type Sample, samplesOf, sumOf } from "./exposition.js";
import { available, serverFolder } from "./servers.js";

const LONG = { timeout: 90_000, interval: 200 };

describe.skipIf(!available("kafka"))("a service that reads Kafka", () => {
  const topic = fresh("ztf");
  const messages = ztfMessages();
  let folder: string;
  let kafka: Running;
  let collector: Collector;
  let service: RunningService;
  const scrape = async (): Promise<Sample[]> => samplesOf(await (await fetch(service.metricsUrl!)).text());

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tocsin-watching-"));
    kafka = await startKafka({ folder: serverFolder() });
    collector = await startCollector();
    const connection = { brokers: [kafka.settings.KAFKA_BROKERS!] };
    await createTopic(connection, topic, 2);
    await produce(
      connection,
      topic,
      messages.map((value, n) => ({ value, partition: n % 2 })),
    );
    const settings = readSettings({
      ...kafka.settings,
      KAFKA_TOPICS: topic,
      KAFKA_GROUP: fresh("group"),
      DATA_DIR: join(folder, "data"),
      PORT: "0",
      METRICS_PORT: "0",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_TRACES_SAMPLER_ARG: "1",
    });
    service = await startService(settings, pino({ level: "silent" }));
  });
  afterAll(async () => {
    await service?.close();
    await collector?.close();
    await kafka?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  test("counts what came out of it, and what is left in it by partition", async () => {
    await vi.waitFor(async () => {
      const samples = await scrape();
      const done = sumOf(samples, "tocsin_alerts_stored_total") + sumOf(samples, "tocsin_alerts_duplicates_total");
      expect(done).toBe(messages.length);
      const lag = samples.filter(({ name }) => name === "tocsin_kafka_lag_messages");
      expect(lag.map(({ labels, value }) => [labels.topic, labels.partition, value]).toSorted()).toEqual([
        [topic, "0", 0],
        [topic, "1", 0],
      ]);
    }, LONG);
    const samples = await scrape();
    expect(sumOf(samples, "tocsin_packets_received_total", { source: "kafka" })).toBe(messages.length);
    expect(sumOf(samples, "tocsin_packets_received_total", { source: "file" })).toBe(0);
    expect(sumOf(samples, "tocsin_kafka_topics")).toBe(1);
    expect(sumOf(samples, "tocsin_kafka_schemas_up")).toBe(1);
    expect(sumOf(samples, "tocsin_engine_up", { engine: "kafka" })).toBe(1);
    expect(samples.map(({ name }) => name)).toContain("tocsin_streams_behind_hits");
  });

  test("names partitions and offsets of each batch in its trace", async () => {
    const batches = () => collector.spans.filter(({ name }) => name === "batch");
    const offsets = () =>
      batches().flatMap(({ attributes }) =>
        (attributes["tocsin.origins"] as string[]).map((origin) => {
          const [, partition, first, last] = new RegExp(`^${topic}/(\\d): (\\d+)-(\\d+)$`).exec(origin)!;
          return { partition, first: Number(first), last: Number(last) };
        }),
      );
    const count = () => offsets().reduce((sum, { first, last }) => sum + last - first + 1, 0);
    await vi.waitFor(() => expect(count()).toBe(messages.length), LONG);
    for (const partition of ["0", "1"]) {
      const ranges = offsets().filter((range) => range.partition === partition);
      expect(Math.min(...ranges.map(({ first }) => first))).toBe(0);
      expect(Math.max(...ranges.map(({ last }) => last))).toBe(messages.length / 2 - 1);
    }
  });

  test("shows that it is away, and that the API does not need it", async () => {
    const kafkaReady = async () => {
      const response = await fetch(`${service.url}/ready`);
      const { engines } = (await response.json()) as { engines: { kafka: { ok: boolean; reason: string | null } } };
      return { status: response.status, ...engines.kafka };
    };
    expect(await kafkaReady()).toMatchObject({ status: 200, ok: true, needed: false, reason: null });
    await kafka.stop();
    await vi.waitFor(async () => expect(await kafkaReady()).toMatchObject({ status: 200, ok: false }), LONG);
    expect((await kafkaReady()).reason).toMatch(/^Kafka is away: /);
    const samples = await scrape();
    expect(sumOf(samples, "tocsin_engine_up", { engine: "kafka" })).toBe(0);
    expect(sumOf(samples, "tocsin_engine_up", { engine: "archive" })).toBe(1);
  });
});
