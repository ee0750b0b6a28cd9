// Kafka as the publisher sees it: pages of messages go in whole, together with the position that they bring, or not at
// all. Opened by publisher.ts.
import { Kafka, type KafkaConfig, logLevel, type Message, Partitioners, type Transaction } from "kafkajs";
import pRetry from "p-retry";
import { TocsinError } from "../../domain/errors.js";
import { POSITION_TOPIC } from "./topic.js";

/** How to reach the brokers. */
export type BrokerSettings = Pick<KafkaConfig, "brokers" | "ssl" | "sasl">;

export interface TopicMessage {
  readonly topic: string;
  readonly message: Message;
}

/** Errors: ENGINE_UNAVAILABLE. After one this object is of no more use: close it and take over anew. */
export interface Broker {
  /** Every hit up to this seq is in its topic; null where the broker does not know (any more). */
  readonly position: bigint | null;
  /** Make those topics that do not exist. */
  create(topics: readonly string[]): Promise<void>;
  /** One transaction: messages in their order, and the position. */
  publish(messages: readonly TopicMessage[], position: bigint): Promise<void>;
  close(): Promise<void>;
}

const PARTITIONS = 4;
/** One call sends one batch per partition, and brokers take batches up to 1 MiB unless told otherwise. */
const MOST_BYTES_AT_ONCE = 500_000;
/** Bytes of a record besides its key, value and headers, and more. */
const RECORD_BYTES = 100;
/** No step waits longer, whatever the broker does. */
const PATIENCE_MS = 10_000;
const RETRIES = { minTimeout: 20, maxTimeout: 1_000, retries: 9 };
/** Longer than a step: the broker itself ends a transaction whose publisher is gone and not replaced. */
const TRANSACTION_MS = 30_000;

/**
 * Take over from whoever published under this id before: the broker ends its open transaction and refuses it from now on.
 * Only then is the position read, so nothing can be added to what it says.
 */
export async function takeOver(settings: BrokerSettings, id: string): Promise<Broker> {
  const kafka = new Kafka({
    ...settings,
    clientId: "tocsin",
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: PATIENCE_MS,
    retry: { initialRetryTime: RETRIES.minTimeout, maxRetryTime: RETRIES.maxTimeout, retries: RETRIES.retries },
  });
  const admin = kafka.admin();
  const producer = kafka.producer({
    transactionalId: id,
    transactionTimeout: TRANSACTION_MS,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  const existing = new Set<string>();

  async function step<T>(work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS / 1_000} s`)), PATIENCE_MS);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      throw unavailable(settings, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async function create(topics: readonly string[], numPartitions = PARTITIONS): Promise<void> {
    if (topics.every((topic) => existing.has(topic))) return;
    // Looked for first: where somebody else makes the topics, we may not have the right to.
    const there = new Set(await admin.listTopics());
    const missing = topics.filter((topic) => !there.has(topic));
    if (missing.length > 0) {
      await admin.createTopics({ topics: missing.map((topic) => ({ topic, numPartitions })) });
    }
    for (const topic of topics) existing.add(topic);
  }

  async function close(): Promise<void> {
    await step(() => Promise.all([producer.disconnect(), admin.disconnect()])).catch(() => {});
  }

  try {
    const position = await step(async () => {
      await Promise.all([admin.connect(), producer.connect()]);
      await create([POSITION_TOPIC], 1);
      // The first transaction of a producer is when the broker hears of it.
      await (await producer.transaction()).abort();
      // A broker that has just started is asked again.
      const [stored] = await pRetry(() => admin.fetchOffsets({ groupId: id, topics: [POSITION_TOPIC] }), RETRIES);
      const offset = BigInt(stored?.partitions[0]?.offset ?? -1);
      return offset < 0n ? null : offset;
    });
    return {
      position,
      create: (topics) => step(() => create(topics)),
      async publish(messages, upTo) {
        const transaction = await step(() => producer.transaction());
        try {
          for (const topicMessages of portions(messages)) await step(() => transaction.sendBatch({ topicMessages }));
          const partitions = [{ partition: 0, offset: upTo.toString() }];
          await step(() =>
            transaction.sendOffsets({ consumerGroupId: id, topics: [{ topic: POSITION_TOPIC, partitions }] }),
          );
          await step(() => transaction.commit());
        } catch (error) {
          giveUp(transaction);
          throw error;
        }
      },
      close,
    };
  } catch (error) {
    void close();
    throw error;
  }
}

/** Spares readers the wait for the broker's own limit; where it fails, that or the next take-over ends the transaction. */
function giveUp(transaction: Transaction): void {
  if (transaction.isActive()) transaction.abort().catch(() => {});
}

function* portions(messages: readonly TopicMessage[]): Generator<{ topic: string; messages: Message[] }[]> {
  let byTopic = new Map<string, Message[]>();
  let bytes = 0;
  for (const { topic, message } of messages) {
    const size = sizeOf(message);
    if (bytes > 0 && bytes + size > MOST_BYTES_AT_ONCE) {
      yield batches(byTopic);
      byTopic = new Map();
      bytes = 0;
    }
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), message]);
    bytes += size;
  }
  if (bytes > 0) yield batches(byTopic);
}

const batches = (byTopic: ReadonlyMap<string, Message[]>) =>
  [...byTopic].map(([topic, messages]) => ({ topic, messages }));

function sizeOf({ key, value, headers }: Message): number {
  const texts = [key, value, ...Object.entries(headers ?? {}).flat()] as (string | Buffer | null)[];
  return texts.reduce((bytes, text) => bytes + (text === null ? 0 : Buffer.byteLength(text)), RECORD_BYTES);
}

const FENCED = ["PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_ID_MAPPING"];

function unavailable({ brokers }: BrokerSettings, error: unknown): TocsinError {
  const { type, message, cause } = error as Error & { type?: string; cause?: { type?: string } };
  const fenced = FENCED.includes(type ?? cause?.type ?? "");
  const what = fenced ? "another process has taken over the publishing of hits" : message;
  const at = Array.isArray(brokers) ? brokers.join(",") : "KAFKA_BROKERS";
  return new TocsinError("ENGINE_UNAVAILABLE", `Kafka at ${at} does not take hits: ${what}`, {
    cause: error,
    engine: "kafka",
    remedy: "Hits wait in the archive and are published when it does.",
    details: { fenced },
  });
}
