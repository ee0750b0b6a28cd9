// Readers of the hit topics in the benchmark of faults: one that is there all the time, and one that reads all at the end,
// in Python where that is there. Both see committed messages only.
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Consumer, Kafka, logLevel } from "kafkajs";
import { python, pythonHas } from "../test/python.js";

export interface TopicHit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly candid: string;
  readonly cursor: string;
}

/** Reads from the beginning, by any accident of the broker again from its bookmark. */
export class TopicReader {
  /** By place: a message that is read again is no second one. */
  readonly seen = new Map<string, TopicHit>();
  readonly #over = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    readonly broker: string,
    readonly topics: readonly string[],
    readonly group: string = randomUUID(),
  ) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const kafka = new Kafka({ brokers: [this.broker], logLevel: logLevel.NOTHING });
      const consumer = kafka.consumer({ groupId: this.group, sessionTimeout: 10_000, retry: { retries: 2 } });
      const ended = new Promise<void>((resolve) => {
        consumer.on("consumer.crash", () => resolve());
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      try {
        await this.#read(consumer);
        await ended;
      } catch {
        // The broker is away, or a topic not there yet.
      }
      await consumer.disconnect().catch(() => {});
      await delay(500, undefined, { signal }).catch(() => {});
    }
  }

  async #read(consumer: Consumer): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topics: [...this.topics], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ topic, partition, message: { offset, key, headers } }) => {
        const hit = {
          topic,
          partition,
          offset,
          key: `${key}`,
          candid: `${headers?.candid}`,
          cursor: `${headers?.cursor}`,
        };
        this.seen.set(`${topic} ${partition} ${offset}`, hit);
      },
    });
  }
}

/** All committed messages of topics, and by what they were read. */
export async function readWhole(broker: string, topics: readonly string[], live: TopicReader) {
  if (pythonHas("confluent_kafka")) {
    const hits = python<TopicHit[]>(READ, { broker, topics, group: randomUUID() });
    return { by: "confluent-kafka", hits };
  }
  const reader = new TopicReader(broker, topics);
  const deadline = performance.now() + 60_000;
  while (reader.seen.size < live.seen.size && performance.now() < deadline) await delay(100);
  await reader.stop();
  return { by: "kafkajs", hits: [...reader.seen.values()] };
}

const READ = `
from confluent_kafka import Consumer, KafkaError
consumer = Consumer({"bootstrap.servers": input["broker"], "group.id": input["group"], "auto.offset.reset": "earliest",
  "enable.partition.eof": True, "enable.auto.commit": False, "isolation.level": "read_committed"})
consumer.subscribe(input["topics"])
partitions = sum(len(t.partitions) for n, t in consumer.list_topics(timeout=30).topics.items() if n in input["topics"])
found, ended = [], set()
while len(ended) < partitions:
    message = consumer.poll(60)
    if message is None: raise TimeoutError(str(ended))
    if message.error():
        if message.error().code() == KafkaError._PARTITION_EOF: ended.add((message.topic(), message.partition()))
        elif not message.error().retriable(): raise Exception(message.error())
        continue
    headers = {name: text.decode() for name, text in message.headers()}
    found.append({"topic": message.topic(), "partition": message.partition(), "offset": str(message.offset()),
      "key": message.key().decode(), "candid": headers["candid"], "cursor": headers["cursor"]})
consumer.close()
print(json.dumps(found))
`;

export interface Sent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Number of its line in the truth file. */
  readonly line: number;
  /** "survey candid"; null for poison. */
  readonly candid: string | null;
}

/** What stands in the alert topics: a message whose answer was lost stands there twice. */
export async function readSent(broker: string, topics: readonly string[]): Promise<Sent[]> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
  await admin.disconnect();
  const due = ends.flat().reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  const sent: Sent[] = [];
  const consumer = kafka.consumer({ groupId: randomUUID() });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on("consumer.crash", ({ payload }) => reject(payload.error));
    const eachMessage: NonNullable<Parameters<Consumer["run"]>[0]>["eachMessage"] = async ({
      topic,
      partition,
      message,
    }) => {
      const { line, candid } = message.headers ?? {};
      sent.push({
        topic,
        partition,
        offset: BigInt(message.offset),
        line: Number(`${line}`),
        candid: candid === undefined ? null : `${candid}`,
      });
      if (sent.length === due) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return sent;
}
