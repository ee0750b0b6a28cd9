// Everything by which a service is watched, in one place: metrics, readiness, traces, log lines. Made by cli/service.ts,
// which tells it of each part that it opens; shown by cli/serve.ts.
import { statfs } from "node:fs/promises";
import type { Logger } from "pino";
import { CORRECTED } from "../domain/correction.js";
import { ERROR_CODES, TocsinError } from "../domain/errors.js";
import { lagOf } from "../ingest/sources/kafka/bookmarks.js";
import type { KafkaSource } from "../ingest/sources/kafka/source.js";
import type { App } from "../server/app.js";
import { Readiness } from "../server/health.js";
import { createMetrics, type Metrics } from "../server/metrics.js";
import type { OperationWatch } from "../server/operation.watch.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import type { CorrectionStore } from "../stores/corrections.store.js";
import type { Graph } from "../stores/graph/graph.js";
import type { ReceiptStore } from "../stores/receipts.store.js";
import { outsideRequests } from "../stores/request.js";
import type { CorrectionFeed } from "../subscriptions/corrections.js";
import type { HitHub } from "../subscriptions/hub.js";
import type { HitPublisher } from "../subscriptions/streams/publisher.js";
import type { Settings } from "./settings.js";
import { around } from "./watching.around.js";
import { BatchWatch } from "./watching.batches.js";
import { askArchive, askGraph, watchArchive, watchGraph } from "./watching.engines.js";
import { remembered } from "./watching.remembered.js";
import { SequenceWatch } from "./watching.sequence.js";
import type { Spans } from "./watching.spans.js";

/** What persistently() waits for, and so what an operator looks for before it ever happened. */
const USUAL_OUTAGES = ["ENGINE_UNAVAILABLE", "DISK_FULL", "QUERY_TIMEOUT"];
const LAG_MS = 10_000;
const RECEIPTS_MS = 60_000;
const RECEIPTS_OF_MS = 3_600_000;

export async function createWatching(settings: Settings, log: Logger): Promise<Watching> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: ratio, TOCSIN_ROLE: role } = settings;
  if (endpoint === undefined) return new Watching(settings, log, null);
  // Only now is the SDK of OpenTelemetry loaded.
  const [{ openTracing }, { Spans }] = await Promise.all([import("./tracing.js"), import("./watching.spans.js")]);
  const attributes = { "service.name": "tocsin", "tocsin.role": role };
  return new Watching(settings, log, new Spans(await openTracing({ endpoint, ratio, attributes }, log)));
}

export class Watching {
  readonly metrics: Metrics = createMetrics();
  readonly readiness = new Readiness();
  readonly batches: BatchWatch;
  readonly sequence: SequenceWatch;
  readonly operations: OperationWatch;

  constructor(
    private readonly settings: Settings,
    log: Logger,
    /** Null while nobody collects traces. */
    private readonly spans: Spans | null,
  ) {
    const { ingest, engines } = this.metrics;
    this.batches = new BatchWatch(ingest, log, spans);
    this.sequence = new SequenceWatch(this.metrics, log, spans);
    this.operations = watchOperations(this.metrics, spans);
    for (const code of USUAL_OUTAGES) ingest.outage.set({ code }, 0);
    engines.info.from(() => [{ labels: { role: settings.TOCSIN_ROLE }, value: 1 }]);
    engines.up.from(async () =>
      Object.entries((await this.readiness.now()).engines).map(([engine, { ok }]) => ({
        labels: { engine },
        value: ok ? 1 : 0,
      })),
    );
    const disk = () => statfs(settings.DATA_DIR);
    engines.diskFree.from(async () => disk().then(({ bavail, bsize }) => bavail * bsize));
    engines.diskSize.from(async () => disk().then(({ blocks, bsize }) => blocks * bsize));
  }

  /** To be used in place of `client` from now on. */
  archive(client: ArchiveClient): ArchiveClient {
    this.readiness.add({ name: "archive", needed: true, check: () => outsideRequests(() => askArchive(client)) });
    return watchArchive(this.metrics, client);
  }

  /** To be used in place of `graph` from now on. */
  graph(graph: Graph): Graph {
    this.readiness.add({ name: "graph", needed: true, check: () => askGraph(graph) });
    return watchGraph(this.metrics, graph);
  }

  /** `source` gives the one that is read at present. */
  kafka(source: () => Pick<KafkaSource, "lag" | "state" | "waitingBytes">): void {
    const { ingest } = this.metrics;
    const lag = remembered(() => source().lag(), LAG_MS);
    ingest.kafkaLag.from(async () =>
      (await lag()).map((of) => ({
        labels: { topic: of.topic, partition: of.partition },
        value: Number(lagOf(of)),
      })),
    );
    ingest.kafkaSchemas.from(() => (source().state().schemas === "up" ? 1 : 0));
    ingest.kafkaTopics.from(() => source().state().topics.length);
    ingest.waitingBytes.from(() => source().waitingBytes());
    this.readiness.add({
      name: "kafka",
      // Of a process that has the API as well, the API goes on without Kafka.
      needed: this.settings.TOCSIN_ROLE === "ingest",
      check() {
        const { broker, why } = source().state();
        if (broker === "down") throw new TocsinError("ENGINE_UNAVAILABLE", `Kafka is away: ${why}.`);
      },
    });
  }

  publisher(publisher: Pick<HitPublisher, "behind">): void {
    this.metrics.ingest.streamsBehind.from(() => Number(publisher.behind()));
  }

  hub(hub: Pick<HitHub, "subscriptions" | "waiting">): void {
    this.metrics.api.subscriptions.from(() => hub.subscriptions);
    this.metrics.api.hubHits.from(() => hub.waiting);
  }

  /** To be used in place of `store` by those who tell. */
  corrections<T extends Pick<CorrectionStore, "tell">>(store: T, feed: Pick<CorrectionFeed, "listeners">): T {
    const { told, listeners } = this.metrics.corrections;
    listeners.from(() => feed.listeners);
    for (const what of CORRECTED) told.inc({ what }, 0);
    return around(store, {
      tell: async (batchId, corrections) => {
        await store.tell(batchId, corrections);
        for (const { what, isShown } of corrections) if (isShown) told.inc({ what });
      },
    } as Partial<T>);
  }

  /** `isOurs`: whether it is this process's turn to ask; one is enough. */
  receipts(receipts: Pick<ReceiptStore, "discrepancies">, isOurs: () => boolean): void {
    const found = remembered(() => receipts.discrepancies(Date.now() - RECEIPTS_OF_MS), RECEIPTS_MS);
    this.metrics.ingest.discrepancies.from(async () => (isOurs() ? (await found()).length : null));
  }

  /** Null where there is no sky index. */
  skyIndex(positions: () => number | null): void {
    this.metrics.ingest.skyIndex.from(positions);
  }

  /** Bytes of each catalog in memory. */
  catalogs(held: () => ReadonlyMap<string, number>): void {
    this.metrics.ingest.catalogBytes.from(() =>
      [...held()].map(([catalog, value]) => ({ labels: { catalog }, value })),
    );
  }

  /** Seconds of a batch, by model. */
  models(paces: () => ReadonlyMap<string, number>): void {
    this.metrics.ingest.modelSeconds.from(() => [...paces()].map(([model, value]) => ({ labels: { model }, value })));
  }

  app(app: Pick<App, "load" | "sockets" | "queuedBytes">): void {
    const { api } = this.metrics;
    api.running.from(() => app.load().running);
    api.waiting.from(() => app.load().waiting);
    api.shed.from(() => app.load().shed);
    api.loopLag.from(() => app.load().lagMs / 1000);
    api.sockets.from(() => app.sockets());
    api.outboxBytes.from(() => app.queuedBytes());
  }

  lost(error: Error): void {
    this.metrics.ingest.outage.inc({ code: outageCode(error) });
  }
  back(error: Error): void {
    this.metrics.ingest.outage.dec({ code: outageCode(error) });
  }

  async close(): Promise<void> {
    this.batches.throughput.close();
    await this.spans?.close();
  }
}

const outageCode = (error: Error): string =>
  error instanceof TocsinError && error.code in ERROR_CODES ? error.code : "INTERNAL";

function watchOperations({ api }: Metrics, spans: Spans | null): OperationWatch {
  return {
    began(transport) {
      const startedAt = performance.now();
      let ended = false;
      return (kind, outcome) => {
        if (ended) return;
        ended = true;
        api.operations.inc({ transport, kind, outcome });
        api.operationSeconds.observe({ transport, kind }, (performance.now() - startedAt) / 1000);
        spans?.operation(transport, kind, outcome, startedAt);
      };
    },
  };
}
