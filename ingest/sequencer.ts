// Numbers what committed batches found and lets everybody follow who lives by those numbers: subscribers, graph, topics.
// One process at a time does it, whichever holds the lease; all others only commit. Called by ingest/pipeline.ts and cli/.
import pLimit from "p-limit";
import type { Alert } from "../domain/alert.js";
import { TocsinError } from "../domain/errors.js";
import type { DeliveredHit, Hit } from "../domain/filter.js";
import type { Lease } from "../stores/lease.store.js";
import type { Found, SequenceStore } from "../stores/sequence.store.js";
import { type Outages, persistently } from "./persistently.js";
import { createFollowers, type Follower } from "./sequencer.followers.js";
import { createLead } from "./sequencer.lease.js";
import { type IngestWatch, timed, unwatched } from "./watch.js";

/** How often the batches of other processes are looked for. */
const POLL_MS = 200;
/**
 * A batch may be committed long after it began: those of the last minutes are looked for each time, those of the last week
 * each minute, all of them when the lease is taken, since ten million batches take seconds to look through.
 */
const RECENT_MS = 15 * 60_000;
const SWEEP_MS = 60_000;
const SWEPT_BACK_MS = 7 * 86_400_000;
const BATCHES_AT_ONCE = 200;

/** A batch of this process, with what is in memory of it. */
export interface CommittedBatch extends Found {
  readonly batchId: bigint;
  readonly alertOf: (candid: bigint) => Alert;
}

export interface SequencerParts {
  readonly sequence: SequenceStore;
  readonly lease: Lease;
  /** Whether other processes commit batches too, or may number them. */
  readonly shared: boolean;
  /** Called with numbered hits in the order of their seq. */
  readonly publish: (hits: readonly DeliveredHit[]) => void;
  /** There are hits in the archive that `publish` was not called with. */
  readonly wake: () => void;
  /** Those who follow the numbers. Only the process that numbers calls them; one that fails is called again. */
  readonly followers: readonly Follower[];
  readonly outages: Outages;
  readonly watch?: IngestWatch;
}

export interface Sequencer {
  /** After the commit. Resolves when the batch is numbered; at once where another process does that. */
  committed(batch: CommittedBatch): Promise<void>;
  /** Resolves when those who are awaited have followed what is numbered, or failed. */
  followed(): Promise<void>;
  /** Number what earlier processes left, if the lease is free; then go on by itself. */
  start(): Promise<void>;
  /** Followers may have something to do though nothing new was numbered: a filter was given a stream. */
  nudge(): void;
  /** The archive's epoch while this process numbers. */
  readonly epoch: bigint | null;
  close(): Promise<void>;
}

const notAlone = (): TocsinError =>
  new TocsinError("BAD_SETTING", "Another service numbers the hits of this archive.", {
    remedy: "Give each service an archive of its own, or let all of them share one Neo4j too: set NEO4J_URL.",
  });

export function createSequencer(parts: SequencerParts): Sequencer {
  const { sequence, lease, shared, publish, wake, outages, watch = unwatched } = parts;
  const numbering = pLimit(1);
  const own = new Map<bigint, CommittedBatch>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  /** Hits may have become visible in a call that failed, without anybody being told of them. */
  let untold = false;
  let failure: Error | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const lead = createLead({
    ...{ sequence, lease, shared },
    onTaken() {
      sweptAt = Number.NEGATIVE_INFINITY;
      untold = true;
      followers.nudge();
    },
    onLost: () => followers.leave(),
  });
  const followers = createFollowers({
    ...{ followers: parts.followers, outages, watch },
    leads: () => lead.epoch !== null,
  });

  /** The batches to number next: what the archive has where others commit too, and at first; else what is in hand. */
  async function next(): Promise<readonly bigint[]> {
    const now = performance.now();
    const first = sweptAt === Number.NEGATIVE_INFINITY;
    const sweep = first || (shared && now - sweptAt > SWEEP_MS);
    if (!sweep && !shared) return [...own.keys()];
    const since = first ? 0 : Date.now() - (sweep ? SWEPT_BACK_MS : RECENT_MS);
    const batches = await sequence.pending(since, BATCHES_AT_ONCE);
    if (sweep && batches.length === 0) sweptAt = now;
    return batches;
  }

  /** One round. Resolves with whether there may be more to number. */
  async function numberSome(): Promise<boolean> {
    if (!(await lead.held())) return leaveToOthers();
    const batches = await next();
    if (batches.length === 0 && !untold) return false;
    const about = { stage: "number", survey: null, batchId: batches[0] ?? null, alerts: 0 } as const;
    const missed = untold;
    untold = true;
    const hits = await timed(watch, about, () => sequence.number(batches, own));
    if (hits === null) {
      lead.lost();
      if (!shared) throw notAlone();
      return leaveToOthers();
    }
    tell(hits, missed);
    for (const batch of batches) own.delete(batch);
    followers.nudge();
    return true;
  }

  function leaveToOthers(): false {
    own.clear();
    return false;
  }

  /** Rounds until nothing is left, or it is done: others may commit as fast as this process numbers. */
  async function number(isDone: () => boolean): Promise<void> {
    while ((await numbering(numberSome)) && !isDone());
  }

  function tell(hits: readonly Hit[], missed: boolean): void {
    const alertOf = new Map<string, () => Alert>();
    for (const batch of own.values()) {
      for (const { survey, candid } of batch.hits) alertOf.set(`${survey}:${candid}`, () => batch.alertOf(candid));
    }
    const delivered = hits.flatMap((hit) => {
      const alert = alertOf.get(`${hit.survey}:${hit.candid}`)?.();
      return alert === undefined ? [] : [{ ...hit, alert }];
    });
    publish(delivered);
    if (missed || delivered.length < hits.length) wake();
    untold = false;
  }

  async function poll(): Promise<void> {
    let more = false;
    try {
      more = await numbering(numberSome);
      if (failure !== null) outages.over(failure);
      failure = null;
    } catch (error) {
      outages.failed(error as Error, failure);
      failure = error as Error;
    }
    await followers.catchUp();
    if (!closed) timer = setTimeout(poll, more ? 0 : POLL_MS).unref();
  }

  return {
    async start() {
      await persistently(() => number(() => shared), outages);
      await followers.catchUp();
      timer = setTimeout(poll, POLL_MS).unref();
    },
    async committed(batch) {
      if (shared && lead.epoch === null) return;
      // Where others take alerts in too, two may store the same one at the same time.
      own.set(batch.batchId, { ...batch, areNew: batch.areNew && !shared });
      try {
        await persistently(() => number(() => !own.has(batch.batchId)), outages);
      } finally {
        // Another round may have found it in the archive before it came here.
        own.delete(batch.batchId);
      }
    },
    followed: followers.catchUp,
    nudge: followers.nudge,
    get epoch() {
      return lead.epoch;
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await numbering(async () => {});
      await followers.finish();
      await lead.release();
    },
  };
}
