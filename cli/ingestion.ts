// The pipeline and the sequencer of a service, and what they tell of themselves. Called by cli/writing.ts.
import type { Logger } from "pino";
import type { AlertBatch } from "../domain/alert.js";
import type { ActiveFilters } from "../filters/active.js";
import { createFilterRun } from "../filters/run.js";
import type { Enrichment } from "../ingest/enrich/enrichment.js";
import { createGraphFollower } from "../ingest/follow.js";
import { BATCH_ALERTS } from "../ingest/intake.js";
import { persistently } from "../ingest/persistently.js";
import { createPipeline, type Pipeline, type PipelineStores, recover } from "../ingest/pipeline.js";
import type { RecentHits } from "../ingest/recent.js";
import type { Follower } from "../ingest/sequencer.followers.js";
import { createSequencer, type Sequencer } from "../ingest/sequencer.js";
import { settingAside } from "../ingest/setaside.js";
import type { InFlightQuery } from "../stores/inflight.store.js";
import type { Lease } from "../stores/lease.store.js";
import type { LinkStore } from "../stores/links.store.js";
import type { SequenceStore } from "../stores/sequence.store.js";
import type { HitHub } from "../subscriptions/hub.js";
import type { LoggedOutages } from "./outages.js";
import type { Watching } from "./watching.js";

/** A batch of another process that began this long ago and is not committed was given up. */
const GIVEN_UP_MS = 10 * 60_000;

export interface IngestionParts {
  readonly stores: PipelineStores & { readonly sequence: SequenceStore; readonly links: LinkStore };
  readonly inFlight: InFlightQuery;
  readonly active: ActiveFilters;
  readonly enrichments: readonly Enrichment[];
  readonly lease: Lease;
  /** Whether other processes work on the same archive. */
  readonly shared: boolean;
  readonly scope: "hits" | "all";
  readonly hub: Pick<HitHub, "publish" | "wake">;
  /** What the followers read. */
  readonly recent: RecentHits;
  /** Called with a batch whose objects have entered the graph, before it is committed. */
  readonly onEntered: (batch: AlertBatch) => Promise<void>;
  /** Who follows the numbers besides the graph. */
  readonly followers: readonly Follower[];
  readonly outages: LoggedOutages;
  readonly watching: Pick<Watching, "batches" | "sequence">;
  readonly log: Logger;
}

export interface Ingestion {
  readonly pipeline: Pipeline;
  readonly sequencer: Sequencer;
  /** The listener hears why batches wait, once per outage; the function ends it. */
  onWaiting(listener: (why: string) => void): () => void;
  close(): Promise<void>;
}

/** Finishes what a crash interrupted before it resolves. */
export async function openIngestion(parts: IngestionParts): Promise<Ingestion> {
  const { shared, hub, recent, outages, watching, log } = parts;
  const stores = watching.batches.stores(parts.stores);
  const follower = createGraphFollower({ ...stores, hits: recent, scope: parts.scope });
  const sequencer = watching.sequence.sequencer(
    createSequencer({
      sequence: watching.sequence.store(stores.sequence),
      lease: parts.lease,
      shared,
      publish(hits) {
        recent.add(hits);
        hub.publish(hits);
      },
      wake() {
        recent.missed();
        hub.wake();
      },
      followers: [{ catchUp: follower.catchUp, isAwaited: true }, ...parts.followers],
      outages,
      watch: watching.batches,
    }),
  );
  const taking = createPipeline({
    stores,
    filters: createFilterRun(parts.inFlight, parts.active),
    follower: {
      async enter(batch) {
        await follower.enter(batch);
        await parts.onEntered(batch);
      },
    },
    sequencer,
    enrichments: parts.enrichments,
    onMissing: ({ step, part, code, reason, cause }) => {
      // Models tell for themselves.
      if (code === "STEP_FAILED")
        log.error({ step, part, reason, err: cause }, "a step failed: its values are missing in a batch");
    },
    onBroken: (broken) => log.error({ broken }, "active filters could not run"),
    outages,
    watch: watching.batches,
  });
  const pipelineThat = (how: { readonly evenAlone: boolean }): Pipeline =>
    watching.batches.pipeline(
      settingAside(taking, {
        ...how,
        onSetAside: (letters) =>
          log.error(
            { packets: letters.length, reason: letters[0]!.message },
            "packets that fail alone are dead letters",
          ),
      }),
    );
  try {
    await sequencer.start();
    const before = Date.now() - (shared ? GIVEN_UP_MS : 0);
    const recovered = await persistently(
      () => recover(pipelineThat({ evenAlone: true }), stores, BATCH_ALERTS, before),
      outages,
    );
    if (recovered > 0) log.info({ alerts: recovered }, "finished the batches that a crash had interrupted");
  } catch (error) {
    await sequencer.close();
    throw error;
  }
  return {
    pipeline: pipelineThat({ evenAlone: false }),
    sequencer,
    onWaiting: outages.listen,
    close: () => sequencer.close(),
  };
}
