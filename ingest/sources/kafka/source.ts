// Alert packets out of Kafka: read by a group, bounded in memory, bookmarked only when they are stored, and never given
// up, whatever happens to the brokers. Called by cli/stream.ts.
import { setTimeout as delay } from "node:timers/promises";
import type { SchemaLookup } from "../../avro/confluent.js";
import { lags, type PartitionLag } from "./bookmarks.js";
import { setFirstBookmarks } from "./bookmarks.start.js";
import { type KafkaConnection, kafkaClient, sentence, withAdmin } from "./client.js";
import type { KafkaItem } from "./message.js";
import { Reader } from "./reader.js";
import { openSession, type Session } from "./session.js";
import type { Start } from "./start.js";
import { chosenTopics, type TopicChoice } from "./topics.js";
import { type KafkaState, Watch } from "./watch.js";

/** Messages that wait for the pipeline; those that are in it are bounded by ingest/intake.ts. */
const MAX_WAITING_BYTES = 128 * 1024 * 1024;
const TICK_MS = 1_000;
/** How soon a new nightly topic is read. */
const TOPICS_EVERY_MS = 10_000;
const MAX_RETRY_MS = 5_000;
/** Without a heartbeat for so long, Kafka is said to be away; then the consumer is begun anew. */
const SILENT_MS = 30_000;
const STUCK_MS = 90_000;
const LAST_COMMIT_MS = 5_000;
const END_MS = 12_000;

export interface KafkaOptions {
  readonly connection: KafkaConnection;
  /** Workers of one group share the partitions; the bookmarks are the group's. All of them must be given the same topics. */
  readonly group: string;
  readonly topics: TopicChoice;
  /** For partitions without bookmark. */
  readonly start: Start;
  readonly schemas: SchemaLookup;
  readonly log: (line: string) => void;
  readonly onState?: (state: KafkaState) => void;
  readonly maxWaitingBytes?: number;
}

export interface KafkaSource {
  /** Endless until close(). One reader at a time. An item's origin names topic, partition and offset. */
  items(): AsyncIterable<KafkaItem>;
  /**
   * These are stored everywhere. Bookmarks move to the first offset of a partition that is not, in the background;
   * what is told again or by somebody who lost the partition changes nothing.
   */
  stored(items: readonly KafkaItem[]): void;
  /** The partitions that this member reads. Throws ENGINE_UNAVAILABLE. */
  lag(): Promise<PartitionLag[]>;
  state(): KafkaState;
  /** Bytes that wait for the pipeline. */
  waitingBytes(): number;
  /** Commit what is stored, leave the group, end items(). To be called when nothing more is in the pipeline. */
  close(): Promise<void>;
}

export function openKafka(options: KafkaOptions): KafkaSource {
  const { connection, group, topics: choice, start, schemas, log, onState = () => {} } = options;
  const kafka = kafkaClient(connection);
  const watch = new Watch({ brokers: connection.brokers, group, log, onState });
  const maxWaitingBytes = options.maxWaitingBytes ?? MAX_WAITING_BYTES;
  const reader = new Reader({ schemas, maxWaitingBytes, onSchemas: (fault) => watch.schemas(fault) });
  const closing = new AbortController();
  let session: Session | null = null;
  let lastBeat = 0;
  let committing: Promise<void> | null = null;

  /** One commit at a time; what was stored meanwhile follows at once, what failed with the next tick. */
  function commit(): void {
    const offsets = reader.toCommit();
    if (session === null || committing !== null || offsets.length === 0) return;
    committing = session
      .commit(offsets)
      .then(
        () => true,
        () => false,
      )
      .then((isDone) => {
        committing = null;
        // kafkajs may drop a commit without a word; then it is still to be done, and waits for the tick as well.
        if (
          isDone &&
          reader
            .toCommit()
            .every(
              (at) =>
                !offsets.some(
                  (before) =>
                    at.topic === before.topic && at.partition === before.partition && at.offset === before.offset,
                ),
            )
        )
          commit();
      });
  }

  async function commitAll(): Promise<void> {
    while (session !== null && reader.toCommit().length > 0) {
      commit();
      await committing;
      await delay(20);
    }
  }

  const listTopics = async (): Promise<string[]> =>
    chosenTopics(choice, await withAdmin(kafka, (admin) => admin.listTopics()));

  async function open(topics: readonly string[]): Promise<{ opened: Session; hasJoined: () => boolean }> {
    let hasJoined = false;
    let isLeader = false;
    const beat = (): void => {
      lastBeat = performance.now();
      watch.up();
    };
    const opened = await openSession({
      kafka,
      group,
      topics,
      onJoin(assignment, leads) {
        hasJoined = true;
        isLeader = leads;
        reader.assign(assignment);
      },
      onBeat: beat,
      onCommitted: (offsets) => reader.confirm(offsets),
      async prepare(current) {
        if (start.at === "earliest") return;
        const set = { group, topics, start, isLeader, commit: current.commit };
        const fresh = await withAdmin(kafka, (admin) => setFirstBookmarks(admin, set));
        for (const at of fresh) if (reader.assignment[at.topic]?.includes(at.partition)) current.seek(at);
      },
      onBatch: (batch) => reader.read(batch),
    });
    return { opened, hasJoined: () => hasJoined };
  }

  /** Resolves when the session is to end: with the error of its crash, or null. */
  async function lasts(current: Session, topics: readonly string[]): Promise<Error | null> {
    let crash: Error | null = null;
    void current.crashed.then((error) => {
      crash = error;
    });
    let looked = performance.now();
    let looking: Promise<void> | null = null;
    let isOther = false;
    lastBeat = performance.now();
    while (crash === null && !isOther && !closing.signal.aborted) {
      await Promise.race([current.crashed, pause(TICK_MS)]);
      commit();
      const silence = performance.now() - lastBeat;
      if (silence > SILENT_MS) watch.down(`no answer for ${Math.round(silence / 1000)} s`);
      if (silence > STUCK_MS) return null;
      if (performance.now() - looked < TOPICS_EVERY_MS || looking !== null) continue;
      looked = performance.now();
      looking = listTopics()
        .then((found) => {
          isOther = found.join() !== topics.join();
        })
        // That the brokers are away is noticed by the session as well.
        .catch(() => {})
        .finally(() => {
          looking = null;
        });
    }
    return crash;
  }

  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal: closing.signal }).catch(() => {});

  async function run(): Promise<void> {
    let failures = 0;
    while (!closing.signal.aborted) {
      try {
        const topics = await listTopics();
        watch.topics(topics, choice.names);
        reader.keep(topics);
        // The brokers answer: what fails from here on is tried again soon.
        failures = Math.min(failures, 2);
        if (topics.length === 0) {
          watch.up();
          await pause(TOPICS_EVERY_MS);
          continue;
        }
        const { opened, hasJoined } = await open(topics);
        session = opened;
        const crash = await lasts(opened, topics);
        session = null;
        await opened.end();
        if (hasJoined()) failures = 0;
        if (crash === null) continue;
        failures += 1;
        // A crash alone says little: the brokers may be away (the list of topics will tell), or a topic is gone.
        if (failures > 1) watch.down(sentence(crash));
        else if ((await listTopics()).join() === topics.join()) watch.restarted(crash);
      } catch (error) {
        failures += 1;
        if (!closing.signal.aborted) watch.down(sentence(error as Error));
      }
      await pause(Math.min(MAX_RETRY_MS, 250 * 2 ** Math.min(failures, 5)));
    }
  }
  const running = run();

  return {
    items: () => reader.queue.values(),
    stored(items) {
      reader.stored(items);
      commit();
    },
    async lag() {
      const ours = reader.assignment;
      const all = await withAdmin(kafka, (admin) => lags(admin, group, Object.keys(ours)));
      return all.filter(({ topic, partition }) => ours[topic]?.includes(partition));
    },
    state: () => watch.state,
    waitingBytes: () => reader.queue.bytes,
    async close() {
      await Promise.race([commitAll(), delay(LAST_COMMIT_MS, undefined, { ref: false })]);
      closing.abort();
      reader.queue.close();
      await Promise.race([running, delay(END_MS, undefined, { ref: false })]);
    },
  };
}
