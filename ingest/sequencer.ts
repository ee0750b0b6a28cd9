// Numbers what committed batches found and lets everybody follow who lives by those numbers: subscribers, graph, topics.
// One process at a time does it, whichever holds the lease; all others only commit. Called by ingest/pipeline.ts and cli/.
import pLimit from "p-limit";
import type { Alert } from "../domain/alert.js";
import { TocsinError } from "../domain/errors.js";
import type { DeliveredHit, Hit } from "../domain/filter.js";
import type { Lease } from "../stores/lease.store.js";
import type { Found, SequenceStore } from "../stores/sequence.store.js";
import { type Outages, persistently } from "./persistently.js";
import { type IngestWatch, timed, unwatched } from "./watch.js";

/** What another process still sends when we take over has arrived by then: its inserts take milliseconds. */
const SETTLE_MS = 1_000;
const RENEW_MS = 1_000;
/** How often the batches of other processes are looked for. */
const POLL_MS = 200;
const FOLLOW_AGAIN_MS = 2_000;
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

export interface Follower {
  /** Do what there is to do for everything that is numbered. */
  catchUp(): Promise<void>;
  /** Whether a batch is done only when this one has caught up, unless it fails. */
  readonly isAwaited: boolean;
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

/** Who follows, and how it stands with it. */
class Followed {
  readonly serially = pLimit(1);
  /** A call that has not begun yet: it does for all who ask for one meanwhile. */
  queued: Promise<void> | null = null;
  behind = true;
  failure: Error | null = null;
  /** performance.now() before which it is not called again. */
  notBefore = 0;
  constructor(readonly follower: Follower) {}

  /** What it follows may be away for hours: nobody waits for one that has failed. */
  get isAwaited(): boolean {
    return this.follower.isAwaited && this.failure === null;
  }
}

export function createSequencer(parts: SequencerParts): Sequencer {
  const { sequence, lease, shared, publish, wake, outages, watch = unwatched } = parts;
  const numbering = pLimit(1);
  const following = parts.followers.map((follower) => new Followed(follower));
  const own = new Map<bigint, CommittedBatch>();
  /** Of the archive, while this process numbers; and of the lease under which it began. */
  let epoch: bigint | null = null;
  let leaseEpoch: bigint | null = null;
  let heldAt = Number.NEGATIVE_INFINITY;
  /** When somebody else was found to hold it. */
  let refusedAt = Number.NEGATIVE_INFINITY;
  let renewing: Promise<void> | null = null;
  let sweptAt = Number.NEGATIVE_INFINITY;
  /** Hits may have become visible in a call that failed, without anybody being told of them. */
  let untold = false;
  let failure: Error | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  /** Whether this process numbers. By monotonic time: a clock that is set changes nothing. */
  async function leads(): Promise<boolean> {
    const now = performance.now();
    if (epoch !== null) {
      renew(now);
      return true;
    }
    if (now - refusedAt < RENEW_MS) return false;
    const held = await lease.hold();
    if (held === null) {
      refusedAt = now;
      return false;
    }
    heldAt = now;
    epoch = await sequence.begin(shared ? SETTLE_MS : 0);
    leaseEpoch = held;
    sweptAt = Number.NEGATIVE_INFINITY;
    untold = true;
    for (const each of following) each.behind = true;
    return true;
  }

  /**
   * Not waited for. While the lease's keeper is away nobody else takes it; and if somebody has, the archive refuses us.
   */
  function renew(now: number): void {
    if (renewing !== null || now - heldAt < RENEW_MS) return;
    heldAt = now;
    renewing = lease
      .hold()
      .then(
        (held) => {
          if (held !== leaseEpoch) stepDown();
        },
        () => {},
      )
      .finally(() => {
        renewing = null;
      });
  }

  /** Another process may number now, and let the others follow: what failed for us is not ours to wait for. */
  function stepDown(): void {
    epoch = null;
    for (const each of following) settle(each);
  }

  function settle(each: Followed): void {
    if (each.failure !== null) outages.over(each.failure);
    each.failure = null;
  }

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
    if (!(await leads())) return leaveToOthers();
    const batches = await next();
    if (batches.length === 0 && !untold) return false;
    const about = { stage: "number", survey: null, batchId: batches[0] ?? null, alerts: 0 } as const;
    const missed = untold;
    untold = true;
    const hits = await timed(watch, about, () => sequence.number(batches, own));
    if (hits === null) {
      stepDown();
      if (!shared) throw notAlone();
      return leaveToOthers();
    }
    tell(hits, missed);
    for (const batch of batches) own.delete(batch);
    for (const each of following) each.behind = true;
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

  async function follow(each: Followed): Promise<void> {
    if (!each.behind || epoch === null || performance.now() < each.notBefore) return;
    each.behind = false;
    try {
      await timed(watch, { stage: "link", survey: null, batchId: null, alerts: 0 }, () => each.follower.catchUp());
      settle(each);
    } catch (error) {
      each.behind = true;
      if (epoch === null) return;
      outages.failed(error as Error, each.failure);
      each.failure = error as Error;
      each.notBefore = performance.now() + FOLLOW_AGAIN_MS;
    }
  }
  async function followAll(): Promise<void> {
    const awaited = following.filter((each) => each.isAwaited);
    for (const each of following) {
      each.queued ??= each.serially(() => {
        each.queued = null;
        return follow(each);
      });
    }
    await Promise.all(awaited.map(({ queued }) => queued));
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
    await followAll();
    if (!closed) timer = setTimeout(poll, more ? 0 : POLL_MS).unref();
  }

  return {
    async start() {
      await persistently(() => number(() => shared), outages);
      await followAll();
      timer = setTimeout(poll, POLL_MS).unref();
    },
    async committed(batch) {
      if (shared && epoch === null) return;
      own.set(batch.batchId, batch);
      try {
        await persistently(() => number(() => !own.has(batch.batchId)), outages);
      } finally {
        // Another round may have found it in the archive before it came here.
        own.delete(batch.batchId);
      }
    },
    followed: followAll,
    nudge() {
      for (const each of following) each.behind = true;
    },
    get epoch() {
      return epoch;
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await numbering(async () => {});
      // The others may have much to do yet: whoever made them ends them.
      await Promise.all(
        following.filter(({ follower }) => follower.isAwaited).map(({ serially }) => serially(() => {})),
      );
      await renewing;
      await lease.release().catch(() => {});
    },
  };
}
