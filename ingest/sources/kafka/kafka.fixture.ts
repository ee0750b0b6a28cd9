// A producer, a reader that stores what it reads, and a small schema registry, for the tests with a real broker.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import kafkajs, { type Kafka, type Message } from "kafkajs";
import { until } from "../../../test/until.js";
import { type SchemaLookup, schemaLookup } from "../../avro/confluent.js";
import { avroFiles } from "../../avro/truth.fixture.js";
import { bookmarks } from "./bookmarks.js";
import { type KafkaConnection, kafkaClient, withAdmin } from "./client.js";
import type { KafkaItem } from "./message.js";
import { type KafkaOptions, type KafkaSource, openKafka } from "./source.js";
import { parseTopics } from "./topics.js";

/** The 36 real ZTF packets, as ZTF sends them: one container file a message. */
export const ztfMessages = (): Buffer[] => avroFiles("ztf").map((path) => readFileSync(path));

export const fresh = (stem: string): string => `${stem}_${randomUUID().slice(0, 8)}`;

export const noSchemas: SchemaLookup = schemaLookup(async () => null);

export async function createTopic(connection: KafkaConnection, topic: string, partitions = 1): Promise<void> {
  await withAdmin(kafkaClient(connection), (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true }),
  );
}

export async function deleteTopic(connection: KafkaConnection, topic: string): Promise<void> {
  await withAdmin(kafkaClient(connection), (admin) => admin.deleteTopics({ topics: [topic] }));
}

export async function produce(
  connection: KafkaConnection,
  topic: string,
  messages: readonly (Message | Buffer)[],
  compression: kafkajs.CompressionTypes = kafkajs.CompressionTypes.None,
): Promise<void> {
  const kafka: Kafka = kafkaClient(connection);
  const producer = kafka.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  await producer.connect();
  try {
    for (const message of messages) {
      const one = Buffer.isBuffer(message) ? { value: message } : message;
      await producer.send({ topic, messages: [one], compression, acks: -1 });
    }
  } finally {
    await producer.disconnect();
  }
}

export interface Worker {
  readonly source: KafkaSource;
  readonly items: KafkaItem[];
  readonly log: string[];
  /** "topic/partition/offset" of what was read, in order. */
  places(): string[];
  close(): Promise<void>;
}

/** Reads on its own; stores each item when `keep` says so. */
export function startWorker(
  options: Partial<KafkaOptions> & Pick<KafkaOptions, "connection" | "group"> & { read: string },
  keep: (item: KafkaItem) => boolean | Promise<boolean> = () => true,
): Worker {
  const log: string[] = [];
  const source = openKafka({
    topics: parseTopics(options.read),
    start: { at: "earliest" },
    schemas: noSchemas,
    log: (line) => log.push(line),
    ...options,
  });
  const items: KafkaItem[] = [];
  const reading = (async () => {
    for await (const item of source.items()) {
      items.push(item);
      if (await keep(item)) source.stored([item]);
    }
  })();
  return {
    source,
    items,
    log,
    places: () => items.map(placeOf),
    async close() {
      await source.close();
      await reading;
    },
  };
}

export const placeOf = ({ origin }: KafkaItem): string => `${origin.source}/${origin.partition}/${origin.offset}`;

export async function untilRead(worker: Worker, count: number, withinMs = 30_000): Promise<void> {
  await until(`${count} items (log: ${worker.log.join(" | ")})`, () => worker.items.length >= count, withinMs);
}

/** Until the group has bookmarks in so many partitions. */
export async function untilBookmarked(connection: KafkaConnection, group: string, partitions: number): Promise<void> {
  await withAdmin(kafkaClient(connection), async (admin) => {
    const deadline = Date.now() + 20_000;
    while ((await bookmarks(admin, group, [])).length < partitions) {
      if (Date.now() > deadline) throw new Error(`the group ${group} has no ${partitions} bookmarks`);
    }
  });
}

/** Until what was stored is bookmarked too. */
export async function untilCommitted(worker: Worker, messages: number, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const lag = await worker.source.lag();
    const done = lag.reduce((sum, { committed, begin }) => sum + ((committed ?? begin) - begin), 0n);
    if (done >= BigInt(messages)) return;
    if (Date.now() > deadline) throw new Error(`only ${done} of ${messages} are bookmarked`);
  }
}

export interface FakeRegistry {
  readonly url: string;
  /** Schemas by id; a change holds from the next question on. */
  readonly schemas: Map<number, string>;
  readonly asked: number[];
  stop(): Promise<void>;
  restart(): Promise<void>;
}

/** As much of a schema registry as readers use: GET /schemas/ids/N. */
export async function startRegistry(): Promise<FakeRegistry> {
  const schemas = new Map<number, string>();
  const asked: number[] = [];
  let server: Server;
  let port = 0;
  const listen = async (): Promise<void> => {
    server = createServer((request, response) => {
      const id = Number(/\/schemas\/ids\/(\d+)$/.exec(request.url ?? "")?.[1]);
      asked.push(id);
      const schema = schemas.get(id);
      response.writeHead(schema === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(schema === undefined ? '{"error_code":40403}' : JSON.stringify({ schema }));
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  };
  await listen();
  return {
    url: `http://127.0.0.1:${port}`,
    schemas,
    asked,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    restart: listen,
  };
}
