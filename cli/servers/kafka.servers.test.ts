// A broker of our own through kafkajs: what is acknowledged survives kill -9, and the secure listener lets in who may.
import { readFileSync } from "node:fs";
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverFolder } from "../../test/servers.js";
import type { Running } from "./background.js";
import { identify } from "./identity.js";
import { startKafka } from "./kafka.js";

process.env.KAFKAJS_NO_PARTITIONER_WARNING = "1";
const MiB = 1024 ** 2;

let server: Running;
beforeAll(async () => {
  server = await startKafka({ folder: serverFolder(), secure: true });
});
afterAll(() => server?.stop());

const client = (config: Partial<KafkaConfig> = {}): Kafka =>
  new Kafka({ brokers: [server.settings.KAFKA_BROKERS!], logLevel: logLevel.NOTHING, ...config });

async function create(topic: string): Promise<void> {
  const admin = client().admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic, configEntries: [{ name: "max.message.bytes", value: `${8 * MiB}` }] }],
  });
  await admin.disconnect();
}

async function produce(topic: string, values: Buffer[], kafka = client()): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  for (const value of values) await producer.send({ topic, acks: -1, messages: [{ value }] });
  await producer.disconnect();
}

async function consume(topic: string, count: number, groupId: string): Promise<Buffer[]> {
  const consumer = client().consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found: Buffer[] = [];
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        found.push(message.value!);
        if (found.length === count) resolve();
      },
    });
  });
  await consumer.disconnect();
  return found;
}

it("keeps what it acknowledged, and its address, through kill -9", async () => {
  await create("kept");
  const values = Array.from({ length: 100 }, (_, i) => Buffer.from(`alert ${i}`));
  await produce("kept", values);
  const [before] = server.pids;

  await server.kill();
  expect(server.pids).toEqual([]);
  expect(identify(before!)).toBeNull();
  await expect(produce("kept", values, client({ retry: { retries: 0 } }))).rejects.toThrow();

  await server.restart();
  expect(server.pids).not.toEqual([before]);
  expect(await consume("kept", 100, "after-kill")).toEqual(values);
});

it("takes messages of 4 MB", async () => {
  await create("large");
  const value = Buffer.alloc(4 * MiB + 4096, "x");
  await produce("large", [value]);
  const [found] = await consume("large", 1, "large");
  expect(found!.equals(value)).toBe(true);
});

it("makes no topic of a misspelt name", async () => {
  await expect(produce("mispelt", [Buffer.from("x")], client({ retry: { retries: 0 } }))).rejects.toMatchObject({
    cause: { type: "UNKNOWN_TOPIC_OR_PARTITION" },
  });
});

it("stands still while frozen, and is ended while frozen", async () => {
  server.freeze();
  const impatient = client({ requestTimeout: 300, connectionTimeout: 300, retry: { retries: 0 } }).admin();
  await expect(impatient.connect().then(() => impatient.listTopics())).rejects.toThrow();
  await impatient.disconnect();
  server.thaw();
  await create("thawed");

  server.freeze();
  await server.stop();
  expect(server.pids).toEqual([]);
  await server.restart();
});

describe("the secure listener", () => {
  const secure = (mechanism: "scram-sha-256" | "scram-sha-512", password: string) => {
    const { KAFKA_SECURE_BROKERS, KAFKA_SECURE_CA, KAFKA_SECURE_USER } = server.settings;
    return client({
      brokers: [KAFKA_SECURE_BROKERS!],
      ssl: { ca: [readFileSync(KAFKA_SECURE_CA!, "utf8")] },
      sasl: { mechanism, username: KAFKA_SECURE_USER!, password } as SASLOptions,
      retry: { retries: 0 },
    }).admin();
  };

  it.each(["scram-sha-256", "scram-sha-512"] as const)("lets in who knows the password, by %s", async (mechanism) => {
    const admin = secure(mechanism, server.settings.KAFKA_SECURE_PASSWORD!);
    await admin.connect();
    expect(await admin.listTopics()).toContain("kept");
    await admin.disconnect();
  });

  it("refuses a wrong password", async () => {
    const admin = secure("scram-sha-512", "wrong");
    await expect(admin.connect()).rejects.toThrow(/SASL/);
    await admin.disconnect();
  });
});
