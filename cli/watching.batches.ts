// Looks at batches as they pass through the pipeline: counts, log lines, spans. Made by watching.ts, put around stores and
// pipeline by cli/ingestion.ts.
import type { Logger } from "pino";
import type { DeadLetter, Packet } from "../domain/packet.js";
import type { Survey } from "../domain/survey.js";
import type { Pipeline } from "../ingest/pipeline.js";
import type { IngestWatch, StageDone } from "../ingest/watch.js";
import type { Metrics } from "../server/metrics.js";
import type { BatchStore } from "../stores/batches.store.js";
import type { DeadLetterStore } from "../stores/deadletters.store.js";
import type { MissingStore } from "../stores/missing.store.js";
import { around } from "./watching.around.js";
import { originsOf } from "./watching.origins.js";
import type { Spans } from "./watching.spans.js";
import { Throughput } from "./watching.throughput.js";
import { type Take, takes, traceOf } from "./watching.trace.js";

interface Watched {
  readonly batches: BatchStore;
  readonly deadLetters: DeadLetterStore;
  readonly missing: Pick<MissingStore, "add">;
}

export class BatchWatch implements IngestWatch {
  readonly throughput: Throughput;

  constructor(
    private readonly metrics: Metrics["ingest"],
    private readonly log: Logger,
    /** Null while nobody collects traces. */
    private readonly spans: Spans | null,
  ) {
    this.throughput = new Throughput(log);
  }

  /** Those that may come: a count that is absent until the first alert raises no alarm when none comes. */
  expect(surveys: Iterable<Survey>): void {
    const { received, stored, duplicates, hitsFound } = this.metrics;
    for (const survey of surveys) {
      for (const counter of [received, stored, duplicates, hitsFound]) counter.inc({ survey }, 0);
    }
  }

  stores<T extends Watched>(stores: T): T {
    const { batches, deadLetters, missing } = stores;
    return {
      ...stores,
      batches: around(batches, {
        begin: () => {
          const batchId = batches.begin();
          takes.getStore()?.batches.push({ batchId, receipt: null });
          return batchId;
        },
        commit: async (batchId, receipt, ...more) => {
          await batches.commit(batchId, receipt, ...more);
          const { survey, stored, duplicates, hits } = receipt;
          if (survey !== null) {
            this.metrics.stored.inc({ survey }, stored);
            this.metrics.duplicates.inc({ survey }, duplicates);
            this.metrics.hitsFound.inc({ survey }, hits);
          }
          const batch = takes.getStore()?.batches.find((known) => known.batchId === batchId);
          if (batch !== undefined) batch.receipt = receipt;
        },
      }),
      missing: around(missing, {
        add: async (batchId, survey, alerts, steps, ...more) => {
          await missing.add(batchId, survey, alerts, steps, ...more);
          for (const { step } of steps) this.metrics.missing.inc({ survey, step });
        },
      }),
      deadLetters: around(deadLetters, {
        add: async (letters, ...more) => {
          await deadLetters.add(letters, ...more);
          for (const letter of letters) this.#deadLetter(letter);
        },
      }),
    };
  }

  pipeline(pipeline: Pipeline): Pipeline {
    return around(pipeline, {
      take: (packets, letters, ...more) => {
        const startedAt = performance.now();
        const origins = originsOf([...packets, ...letters]);
        const take: Take = { startedAt, batches: [], origins, decoded: null };
        this.#received(packets, letters);
        this.metrics.inFlight.inc();
        return takes.run(take, async () => {
          try {
            const taken = await pipeline.take(packets, letters, ...more);
            this.throughput.add(taken);
            this.#done(take);
            return taken;
          } finally {
            this.metrics.inFlight.dec();
          }
        });
      },
    });
  }

  stageDone(done: StageDone): void {
    const { stage, survey, alerts, milliseconds } = done;
    this.metrics.stageSeconds.observe({ stage, survey: survey ?? "all" }, milliseconds / 1000);
    if (stage === "dedupe" && survey !== null) this.metrics.received.inc({ survey }, alerts);
    const take = takes.getStore();
    if (stage === "decode" && take !== undefined) take.decoded = [done.startedAt, done.startedAt + milliseconds];
    else if (stage !== "number") this.spans?.stage(done, take);
  }

  #received(packets: readonly Packet[], letters: readonly DeadLetter[]): void {
    this.metrics.batchAlerts.observe(packets.length + letters.length);
    const all = [...packets, ...letters];
    const fromKafka = all.filter(({ origin }) => origin.partition !== undefined).length;
    this.metrics.packets.inc({ source: "kafka" }, fromKafka);
    this.metrics.packets.inc({ source: "file" }, all.length - fromKafka);
  }

  #deadLetter({ reason, survey, message, origin: { source, position } }: DeadLetter): void {
    this.metrics.deadLetters.inc({ survey: survey ?? "unknown", reason });
    if (this.log.isLevelEnabled("debug"))
      this.log.debug({ survey, reason, source, position, cause: message }, "dead letter");
  }

  #done(take: Take): void {
    const milliseconds = Math.round(performance.now() - take.startedAt);
    for (const { batchId, receipt } of take.batches) {
      if (receipt === null) continue;
      const { survey, read, stored, duplicates, deadLetters, hits } = receipt;
      const counts = { read, stored, duplicates, deadLetters, hits };
      const { traceId } = traceOf(batchId);
      this.log.debug({ survey, batchId: String(batchId), traceId, ...counts, milliseconds }, "batch");
      this.spans?.batch(batchId, receipt, take);
    }
  }
}
