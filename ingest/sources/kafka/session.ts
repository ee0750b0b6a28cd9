// One life of a kafkajs consumer: joins the group, hands on batches, ends by a crash or by us. What outlives it (the
// partitions, the queue, the decision to begin anew) is in source.ts, which calls this.
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { ConsumerCommitOffsetsEvent, EachBatchPayload, Kafka } from "kafkajs";
import type { PartitionOffset } from "./bookmarks.js";
import { fetchBegins } from "./codecs.js";

/** A member that is not heard of for so long is taken for dead, and its partitions go to others. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 3_000;
const LOOK_AFTER_HEARTBEAT_MS = 1_000;
/** How soon new partitions of a topic are seen. */
const METADATA_AGE_MS = 10_000;
/** A partition gives at most this much at once, unless one batch of the producer is larger. */
const PARTITION_BYTES = 4 * 1024 * 1024;
const FETCH_BYTES = 16 * 1024 * 1024;
const MAX_WAIT_MS = 500;
const END_PATIENCE_MS = 10_000;

export type Assignment = Readonly<Record<string, readonly number[]>>;

export interface SessionOptions {
  readonly kafka: Kafka;
  readonly group: string;
  readonly topics: readonly string[];
  /** The group gave us these partitions; replaces what it gave before. */
  readonly onJoin: (assignment: Assignment, isLeader: boolean) => void;
  /** The broker answered: we are a member of the group. */
  readonly onBeat: () => void;
  readonly onCommitted: (offsets: readonly PartitionOffset[]) => void;
  /** Called before the first batch after each join: bookmarks are set, and `seek` called, where there are none yet. */
  readonly prepare: (session: Session) => Promise<void>;
  readonly onBatch: (batch: BatchInHand) => Promise<void>;
}

/** A batch while it is handled, with what may be done meanwhile. */
export interface BatchInHand extends Pick<EachBatchPayload, "batch" | "resolveOffset" | "pause"> {
  /** Wait for something while the membership in the group stays. Rejects when it is lost, or the session ends. */
  waitFor<T>(work: Promise<T>): Promise<T>;
}

export interface Session {
  /** Resolves with the cause when the consumer has crashed. */
  readonly crashed: Promise<Error>;
  commit(offsets: readonly PartitionOffset[]): Promise<void>;
  seek(at: PartitionOffset): void;
  /** Leave the group. Waits for at most 10 s. */
  end(): Promise<void>;
}

/** Resolves when the consumer is connected and about to join the group. Throws where there is no broker. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { kafka, group, topics, onJoin, onBeat, onCommitted, prepare, onBatch } = options;
  const consumer = kafka.consumer({
    groupId: group,
    allowAutoTopicCreation: false,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    metadataMaxAge: METADATA_AGE_MS,
    maxBytesPerPartition: PARTITION_BYTES,
    maxBytes: FETCH_BYTES,
    maxWaitTimeInMs: MAX_WAIT_MS,
    // source.ts begins anew after a crash, of whatever kind; kafkajs does after some kinds only.
    retry: { retries: 5, initialRetryTime: 200, maxRetryTime: 2_000, restartOnFailure: async () => false },
  });
  const ending = new AbortController();
  const { CRASH, GROUP_JOIN, HEARTBEAT, FETCH_START, COMMIT_OFFSETS } = consumer.events;
  let fail: (error: Error) => void = () => {};
  const crashed = new Promise<Error>((resolve) => {
    fail = resolve;
  });
  consumer.on(CRASH, ({ payload }) => fail(payload.error));

  let joins = 0;
  let isPrepared = false;
  let preparing: Promise<void> | null = null;
  consumer.on(GROUP_JOIN, ({ payload }) => {
    joins += 1;
    isPrepared = false;
    onBeat();
    onJoin(payload.memberAssignment, payload.isLeader);
  });
  consumer.on(HEARTBEAT, onBeat);
  consumer.on(COMMIT_OFFSETS, ({ payload }) => onCommitted(committedOf(payload)));
  // Not in GROUP_JOIN: kafkajs commits nothing before the fetching begins, and does not say so.
  consumer.on(FETCH_START, () => {
    fetchBegins();
    if (isPrepared || preparing !== null) return;
    const join = joins;
    preparing = prepare(session)
      .then(() => {
        isPrepared = join === joins;
      })
      // The next fetch tries again.
      .catch(() => {})
      .finally(() => {
        preparing = null;
      });
  });

  const session: Session = {
    crashed,
    async commit(offsets) {
      await consumer.commitOffsets(offsets.map((at) => ({ ...at, offset: at.offset.toString() })));
    },
    seek: ({ topic, partition, offset }) => consumer.seek({ topic, partition, offset: offset.toString() }),
    async end() {
      const disconnected = consumer.disconnect().catch(() => {});
      ending.abort();
      await Promise.race([disconnected, delay(END_PATIENCE_MS, undefined, { ref: false })]);
    },
  };

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const waitFor = <T>(work: Promise<T>) => beating(work, payload.heartbeat, ending.signal);
    try {
      if (!isPrepared && preparing !== null) await waitFor(preparing);
      // `prepare` may have moved the position, and this batch was fetched before.
      if (!isPrepared || payload.isStale() || !payload.isRunning()) return;
      await onBatch({ batch: payload.batch, resolveOffset: payload.resolveOffset, pause: payload.pause, waitFor });
    } catch (error) {
      // Nothing is resolved by returning: what was not handed on is fetched again by whoever gets the partition.
      if (!ending.signal.aborted) throw error;
    }
  }

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    // Not waited for: joining takes until those who died unseen are given up by the group. Its failure is a crash.
    consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }).catch(fail);
    return session;
  } catch (error) {
    await session.end();
    throw error;
  }
}

async function beating<T>(work: Promise<T>, heartbeat: () => Promise<void>, signal: AbortSignal): Promise<T> {
  const settled = work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  let outcome = await Promise.race([settled, turn(null)]);
  while (outcome === null) {
    signal.throwIfAborted();
    await heartbeat();
    const timer = new AbortController();
    const stop = () => timer.abort();
    signal.addEventListener("abort", stop, { once: true });
    const pause = delay(LOOK_AFTER_HEARTBEAT_MS, null, { signal: timer.signal }).catch(() => null);
    outcome = await Promise.race([settled, pause]);
    signal.removeEventListener("abort", stop);
    timer.abort();
  }
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

function committedOf({ topics }: ConsumerCommitOffsetsEvent["payload"]): PartitionOffset[] {
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ partition, offset }) => ({ topic, partition, offset: BigInt(String(offset)) })),
  );
}
