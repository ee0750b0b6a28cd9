// Looks at numbering: hits that got their place, batches that wait for it, and when subscribers were handed them.
// Made by watching.ts, put around the store of the sequence by cli/ingestion.ts.
import type { Logger } from "pino";
import type { DeliveredHit } from "../domain/filter.js";
import type { CommittedBatch, Sequencer } from "../ingest/sequencer.js";
import type { Metrics } from "../server/metrics.js";
import type { SequenceStore } from "../stores/sequence.store.js";
import { around } from "./watching.around.js";
import type { Spans } from "./watching.spans.js";
import { traceOf } from "./watching.trace.js";

export class SequenceWatch {
  /** Batches of this process that wait for their numbers, and those that the archive last told of. */
  #own = 0;
  #told = 0;

  constructor(
    private readonly metrics: Metrics,
    private readonly log: Logger,
    private readonly spans: Spans | null,
  ) {
    metrics.ingest.pendingBatches.from(() => Math.max(this.#own, this.#told));
  }

  store(sequence: SequenceStore): SequenceStore {
    return around(sequence, {
      pending: async (...of) => {
        const batches = await sequence.pending(...of);
        this.#told = batches.length;
        return batches;
      },
      number: async (batches, known) => {
        const startedAt = performance.now();
        const hits = await sequence.number(batches, known);
        if (hits === null) return null;
        this.#told = Math.max(0, this.#told - batches.length);
        for (const { survey } of hits) this.metrics.ingest.hitsNumbered.inc({ survey });
        if (batches.length > 0 && this.log.isLevelEnabled("debug")) {
          const ids = batches.map((batchId) => ({ batchId: String(batchId), traceId: traceOf(batchId).traceId }));
          const [first, last] = [hits[0]?.seq.toString(), hits.at(-1)?.seq.toString()];
          this.log.debug({ batches: ids, hits: hits.length, first, last }, "numbered");
        }
        this.spans?.numbered(batches, known, hits, startedAt);
        return hits;
      },
    });
  }

  sequencer(sequencer: Sequencer): Sequencer {
    const { leader, epoch } = this.metrics.ingest;
    leader.from(() => (sequencer.epoch === null ? 0 : 1));
    epoch.from(() => Number(sequencer.epoch ?? 0n));
    return around(sequencer, {
      committed: async (batch: CommittedBatch) => {
        this.#own += 1;
        try {
          await sequencer.committed(batch);
        } finally {
          this.#own -= 1;
        }
      },
    });
  }

  /** Handed to the subscribers of this process. */
  delivered(hit: DeliveredHit): void {
    this.metrics.api.deliverySeconds.observe({ survey: hit.survey }, Math.max(0, Date.now() - hit.passedAt) / 1000);
    this.spans?.delivered(hit);
  }
}
