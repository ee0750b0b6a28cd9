// What a real service tells of itself while it works and while its engine is dead: metrics against the numbers of what was
// sent, readiness with reasons, log lines, and spans as a collector gets them.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createLogger } from "../cli/logger.js";
import { type RunningService, startService } from "../cli/serve.js";
import { readSettings } from "../cli/settings.js";
import { traceOf } from "../cli/watching.trace.js";
import { type CollectedSpan, type Collector, startCollector } from "./collector.js";
import { type Sample, samplesOf, sumOf } from "./exposition.js";
import { HitFollower, startCursor } from "./follower.js";
import { childrenOf } from "./process.js";
import { ask } from "./service.js";
import { containerOf, type TrueAlert, trueAlerts } from "./truth.js";
import { until } from "./until.js";

const ZTF = 300;
const LSST = 120;

let folder: string;
let collector: Collector;
let service: RunningService;
let truth: { ztf: TrueAlert[]; lsst: TrueAlert[] };
const lines: Record<string, unknown>[] = [];

async function start(environment: Record<string, string>): Promise<RunningService> {
  const settings = readSettings({ PORT: "0", LOG_LEVEL: "debug", ...environment });
  const sink = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split("\n")) lines.push(JSON.parse(line));
      done();
    },
  });
  return startService(
    settings,
    createLogger(settings.LOG_LEVEL, sink as unknown as ReturnType<typeof pino.destination>),
  );
}

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}
const ingest = (...paths: string[]) => service.control!.ingestPaths(paths, () => {}, new AbortController().signal);
const scrape = async (): Promise<Sample[]> => samplesOf(await (await fetch(service.metricsUrl!)).text());

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-watching-"));
  const alerts = trueAlerts(
    "watching",
    new Map([
      ["ZTF", ZTF],
      ["LSST", LSST],
    ]),
  );
  truth = {
    ztf: alerts.filter(({ survey }) => survey === "ZTF"),
    lsst: alerts.filter(({ survey }) => survey === "LSST"),
  };
  collector = await startCollector();
  service = await start({
    DATA_DIR: join(folder, "data"),
    METRICS_PORT: "0",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER_ARG: "1",
  });
});
afterAll(async () => {
  await service?.close();
  await collector?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

describe("a service that takes alerts in", () => {
  let filterId: string;
  let follower: HitFollower;
  let passing: TrueAlert[];
  let samples: Sample[];

  beforeAll(async () => {
    const query = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }";
    const input = { name: "bright", survey: "ZTF", where: "magpsf < 19" };
    filterId = (await ask<{ createFilter: { id: string } }>(service.url, query, { input })).createFilter.id;
    passing = truth.ztf.filter(({ fields }) => (fields.magpsf as number) < 19);
    follower = new HitFollower(() => service.url, [filterId], await startCursor(service.url, [filterId]));
    const ztf = await file("ztf.avro", containerOf(truth.ztf));
    const lsst = await file("lsst.avro", containerOf(truth.lsst));
    const torn = containerOf(truth.ztf.slice(0, 50));
    await ingest(ztf, lsst);
    await ingest(ztf);
    await ingest(
      await file("torn.avro", torn.subarray(0, torn.length - 100)),
      await file("empty.avro", Buffer.alloc(0)),
    );
    await until("the hits", () => follower.seen.length >= passing.length);
    await expect(ask(service.url, "{ alert(survey: ZTF, candid: 1) { nothing } }")).rejects.toThrow();
    samples = await scrape();
  });
  afterAll(() => follower?.stop());

  test("has hits to count", () => {
    expect(passing.length).toBeGreaterThan(10);
    expect(passing.length).toBeLessThan(ZTF);
  });

  test("counts what was sent, by survey and reason", async () => {
    const letters = await ask<{ deadLetters: { edges: { node: { reason: string } }[] } }>(
      service.url,
      "{ deadLetters(first: 100) { edges { node { reason } } } }",
    );
    const reasons = letters.deadLetters.edges.map(({ node }) => node.reason);
    expect(reasons.length).toBeGreaterThanOrEqual(2);
    const deadLetters = sumOf(samples, "tocsin_dead_letters_total");
    expect(deadLetters).toBe(reasons.length);
    for (const reason of new Set(reasons)) {
      const count = reasons.filter((other) => other === reason).length;
      expect([reason, sumOf(samples, "tocsin_dead_letters_total", { reason })]).toEqual([reason, count]);
    }
    expect(sumOf(samples, "tocsin_alerts_stored_total", { survey: "ZTF" })).toBe(ZTF);
    expect(sumOf(samples, "tocsin_alerts_stored_total", { survey: "LSST" })).toBe(LSST);
    const again = sumOf(samples, "tocsin_alerts_duplicates_total", { survey: "ZTF" }) - ZTF;
    // What could be read of the file that was cut off.
    expect(again).toBeGreaterThanOrEqual(0);
    expect(again).toBeLessThan(50);
    expect(sumOf(samples, "tocsin_alerts_received_total", { survey: "ZTF" })).toBe(2 * ZTF + again);
    expect(sumOf(samples, "tocsin_packets_received_total", { source: "file" })).toBe(
      2 * ZTF + LSST + again + deadLetters,
    );
    expect(sumOf(samples, "tocsin_hits_found_total", { survey: "ZTF" })).toBe(passing.length);
    expect(sumOf(samples, "tocsin_hits_numbered_total", { survey: "ZTF" })).toBe(passing.length);
    expect(sumOf(samples, "tocsin_delivery_delay_seconds_count", { survey: "ZTF" })).toBe(passing.length);
  });

  test("tells batches, stages, engines, numbering, subscribers and operations", () => {
    expect(sumOf(samples, "tocsin_batch_alerts_sum")).toBe(sumOf(samples, "tocsin_packets_received_total"));
    for (const stage of ["dedupe", "packets", "store", "filter", "counterparts", "commit"]) {
      expect([stage, sumOf(samples, "tocsin_stage_duration_seconds_count", { stage, survey: "LSST" })]).toEqual([
        stage,
        1,
      ]);
    }
    expect(sumOf(samples, "tocsin_batches_in_flight")).toBe(0);
    expect(sumOf(samples, "tocsin_sequencer_leader")).toBe(1);
    expect(sumOf(samples, "tocsin_sequencer_pending_batches")).toBe(0);
    expect(sumOf(samples, "tocsin_engine_up", { engine: "archive" })).toBe(1);
    expect(sumOf(samples, "tocsin_engine_up", { engine: "graph" })).toBe(1);
    expect(samples.filter(({ labels }) => labels.engine === "kafka")).toEqual([]);
    expect(samples.filter(({ name }) => name.startsWith("tocsin_kafka"))).toEqual([]);
    expect(
      sumOf(samples, "tocsin_store_duration_seconds_count", { engine: "archive", operation: "insert" }),
    ).toBeGreaterThan(5);
    expect(
      sumOf(samples, "tocsin_store_duration_seconds_count", { engine: "graph", operation: "write" }),
    ).toBeGreaterThan(0);
    expect(sumOf(samples, "tocsin_subscriptions")).toBe(1);
    expect(sumOf(samples, "tocsin_sockets")).toBe(1);
    const operations = (kind: string, outcome: string) => sumOf(samples, "tocsin_operations_total", { kind, outcome });
    expect(operations("mutation", "OK")).toBe(1);
    expect(operations("subscription", "OK")).toBe(1);
    expect(operations("unknown", "GRAPHQL_VALIDATION_FAILED")).toBe(1);
    expect(sumOf(samples, "tocsin_http_request_duration_seconds_count", { route: "/graphql", status: "400" })).toBe(1);
    expect(sumOf(samples, "tocsin_disk_free_bytes")).toBeGreaterThan(0);
    expect(sumOf(samples, "tocsin_outage", { code: "ENGINE_UNAVAILABLE" })).toBe(0);
    expect(sumOf(samples, "process_resident_memory_bytes")).toBeGreaterThan(0);
  });

  test("names no user, filter or object in a label", () => {
    const labels = samples.flatMap((sample) => Object.values(sample.labels));
    const told = [filterId, ...truth.ztf.flatMap(({ candid, objectId }) => [candid, objectId])];
    expect(labels.filter((value) => told.some((secret) => value.includes(secret)))).toEqual([]);
    expect(new Set(samples.map(({ name, labels }) => `${name}${JSON.stringify(labels)}`)).size).toBe(samples.length);
  });

  test("logs each batch and dead letter for debugging, with the trace", () => {
    const batches = lines.filter(({ msg }) => msg === "batch");
    expect(batches.map(({ level }) => level)).toEqual(batches.map(() => 20));
    const first = batches.find(({ survey, stored }) => survey === "LSST" && stored === LSST)!;
    expect(first.traceId).toBe(traceOf(BigInt(first.batchId as string)).traceId);
    const numbered = lines.filter(({ msg }) => msg === "numbered");
    expect(JSON.stringify(numbered)).toContain(`"traceId":"${first.traceId}"`);
    expect(lines.filter(({ msg }) => msg === "dead letter").length).toBe(sumOf(samples, "tocsin_dead_letters_total"));
    expect(lines.filter(({ level }) => (level as number) > 30)).toEqual([]);
  });

  test("sends one trace for each batch, from packet to hit", async () => {
    const { batchId } = lines.find(({ msg, survey, stored }) => msg === "batch" && survey === "ZTF" && stored === ZTF)!;
    const { traceId, rootId } = traceOf(BigInt(batchId as string));
    const ofTrace = () => collector.spans.filter((span) => span.traceId === traceId);
    await until("the spans", () => ofTrace().some(({ name }) => name === "batch"));
    const spans = ofTrace();
    const root = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
    expect(root).toHaveLength(1);
    expect(root[0]).toMatchObject({
      name: "batch",
      spanId: rootId,
      attributes: { "tocsin.survey": "ZTF", "tocsin.stored": ZTF, "tocsin.hits": passing.length },
      resource: { "service.name": "tocsin", "tocsin.role": "all" },
    });
    expect(root[0]!.attributes["tocsin.origins"]).toContain(join(folder, "ztf.avro"));
    const children = spans.filter(({ parentSpanId }) => parentSpanId === rootId);
    expect(children).toHaveLength(spans.length - 1);
    const names = children.map(({ name }) => name);
    for (const name of [
      "decode",
      "dedupe",
      "packets",
      "store",
      "filter",
      "counterparts",
      "commit",
      "number",
      "deliver",
    ]) {
      expect([name, names.filter((other) => other === name).length]).toEqual([name, 1]);
    }
    const at = (name: string): CollectedSpan => children.find((span) => span.name === name)!;
    // Filters run while the alerts are written.
    for (const way of [
      ["decode", "dedupe", "packets", "store", "commit", "number", "deliver"],
      ["decode", "dedupe", "filter", "commit"],
    ]) {
      const order = way.map(at);
      for (const [n, span] of order.slice(1).entries()) expect(span.start).toBeGreaterThanOrEqual(order[n]!.end - 2);
    }
    expect(at("deliver").attributes["tocsin.hits"]).toBe(passing.length);
    expect(root[0]!.start).toBeLessThanOrEqual(at("decode").start + 1);
  });

  test("sends a span for each operation, with no word of it", async () => {
    const operations = () => collector.spans.filter(({ name }) => name.startsWith("graphql "));
    await until("the mutation", () => operations().some(({ name }) => name === "graphql mutation"));
    const [mutation] = operations().filter(({ name }) => name === "graphql mutation");
    expect(mutation!.attributes).toEqual({
      "graphql.operation.type": "mutation",
      "tocsin.transport": "http",
      "tocsin.outcome": "OK",
    });
  });

  test("shows its numbers on its own port to all and on the API's to the owner", async () => {
    const forwarded = { "x-forwarded-for": "203.0.113.9" };
    expect((await fetch(`${service.url}/metrics`)).status).toBe(200);
    expect((await fetch(`${service.url}/metrics`, { headers: forwarded })).status).toBe(401);
    expect((await fetch(service.metricsUrl!, { headers: forwarded })).headers.get("content-type")).toMatch(
      /^text\/plain/,
    );
    const { origin } = new URL(service.metricsUrl!);
    expect((await fetch(`${origin}/graphql`)).status).toBe(404);
    const page = { origin: "https://elsewhere.example" };
    expect((await fetch(service.metricsUrl!, { headers: page })).status).toBe(403);
  });
});

describe.skipIf(process.platform !== "linux")("a service whose engine is killed", () => {
  test("says which and why, counts the outage once, and goes on", async () => {
    const more = trueAlerts("outage", new Map([["ZTF", 900]]));
    const paths: string[] = [];
    for (let n = 0; n < 9; n += 1)
      paths.push(await file(`more-${n}.avro`, containerOf(more.slice(n * 100, n * 100 + 100))));
    const ready = async () => {
      const response = await fetch(`${service.url}/ready`);
      return { status: response.status, body: (await response.json()) as ReadyBody };
    };
    expect(await ready()).toMatchObject({ status: 200, body: { status: "ready", engines: { archive: { ok: true } } } });
    const told = lines.length;
    const outage = async () => sumOf(await scrape(), "tocsin_outage", { code: "ENGINE_UNAVAILABLE" });
    // As often as it is started again, until everything has been looked at.
    const killing = setInterval(killChildren, 50);
    const taken = ingest(...paths);
    try {
      const away = await vi.waitFor(
        async () => {
          const found = await ready();
          expect(found.status).toBe(503);
          return found.body;
        },
        { timeout: 30_000, interval: 50 },
      );
      expect(away.status).toBe("unavailable");
      const { archive, graph } = away.engines;
      expect(archive).toMatchObject({ ok: false, needed: true, code: "ENGINE_UNAVAILABLE" });
      expect(archive!.reason).toMatch(/archive/i);
      expect(Math.abs(Date.now() - Date.parse(archive!.since))).toBeLessThan(60_000);
      expect(graph).toMatchObject({ ok: true, reason: null });
      await vi.waitFor(async () => expect(await outage()).toBe(1), { timeout: 45_000, interval: 50 });
      expect(sumOf(await scrape(), "tocsin_engine_up", { engine: "archive" })).toBe(0);
      expect((await fetch(`${service.url}/health`)).status).toBe(200);
    } finally {
      clearInterval(killing);
    }
    expect(await taken).toMatchObject({ stored: 900 });
    expect(await outage()).toBe(0);
    await vi.waitFor(async () => expect((await ready()).status).toBe(200), { timeout: 45_000, interval: 50 });
    const during = lines.slice(told).filter(({ code }) => code === "ENGINE_UNAVAILABLE");
    expect(during.map(({ msg }) => msg)).toEqual([expect.stringMatching(/\(tried again\)$/), "It goes on."]);
    expect(during[0]!.traceId).toMatch(/^[0-9a-f]{32}$/);
  }, 180_000);
});

function killChildren(): void {
  for (const child of childrenOf(process.pid)) {
    try {
      process.kill(child, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

interface ReadyBody {
  readonly status: string;
  readonly engines: Record<string, { ok: boolean; reason: string | null; code: string | null; since: string }>;
}
