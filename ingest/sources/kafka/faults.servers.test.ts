// Faults on a broker of our own: rebalances, kill -9, a long silence, a pipeline that waits longer than the group's patience.

import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Running } from "../../../cli/servers/background.js";
import { startKafka } from "../../../cli/servers/kafka.js";
import { serverFolder } from "../../../test/servers.js";
import { until } from "../../../test/until.js";
import { type KafkaConnection, kafkaClient, withAdmin } from "./client.js";
import {
  createTopic,
  fresh,
  placeOf,
  produce,
  startWorker,
  untilCommitted,
  untilRead,
  type Worker,
  ztfMessages,
} from "./kafka.fixture.js";

let server: Running;
let connection: KafkaConnection;
beforeAll(async () => {
  server = await startKafka({ folder: serverFolder(), secure: true });
  connection = { brokers: [server.settings.KAFKA_BROKERS!] };
});
afterAll(() => server?.kill());
const workers: Worker[] = [];
const start = (...given: Parameters<typeof startWorker>): Worker => {
  const worker = startWorker(...given);
  workers.push(worker);
  return worker;
};
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
});

const packets = ztfMessages();
const many = (count: number, partitions: number) =>
  Array.from({ length: count }, (_, i) => ({ value: packets[i % packets.length]!, partition: i % partitions }));
const places = (topic: string, count: number, partitions: number): string[] =>
  Array.from({ length: count }, (_, i) => `${topic}/${i % partitions}/${Math.floor(i / partitions)}`).sort();

test("a second worker joins in the middle of batches: nothing is lost, what was stored is not read again", async () => {
  const topic = fresh("rebalance");
  const group = fresh("group");
  await createTopic(connection, topic, 4);
  await produce(connection, topic, many(200, 4));
  const stored = new Set<string>();
  let isHeld = true;
  // The first stores a hundred and then holds everything, as a pipeline does whose archive is away.
  const first = start({ connection, group, read: topic }, async (item) => {
    if (stored.size >= 100) await until("the second one has joined", () => !isHeld);
    stored.add(placeOf(item));
    return true;
  });
  await untilRead(first, 101);
  await untilCommitted(first, 1);
  const second = start({ connection, group, read: topic }, (item) => {
    stored.add(placeOf(item));
    return true;
  });
  await untilRead(second, 1);
  isHeld = false;
  await produce(connection, topic, many(40, 4));
  await until("all are stored", () => stored.size >= 240);
  expect([...stored].sort()).toEqual(places(topic, 240, 4));
  // Twice at most what was on its way when the partitions moved.
  expect(first.items.length + second.items.length).toBeLessThan(240 + 200);
  await first.close();
  await second.close();
  const third = start({ connection, group, read: topic });
  await produce(connection, topic, many(4, 4));
  await untilRead(third, 4);
  expect(third.places().sort()).toEqual([0, 1, 2, 3].map((partition) => `${topic}/${partition}/60`));
});

test("kill -9 of the broker while reading: one line each way, nothing lost, nothing stored twice by this worker", async () => {
  const topic = fresh("killed");
  const group = fresh("group");
  await createTopic(connection, topic, 2);
  await produce(connection, topic, many(60, 2));
  const worker = start({ connection, group, read: topic });
  await untilRead(worker, 60);
  await server.kill();
  await until("it is said", () => worker.source.state().broker === "down", 60_000);
  await server.restart();
  await produce(connection, topic, many(60, 2));
  await untilRead(worker, 120, 60_000);
  expect([...worker.places()].sort()).toEqual(places(topic, 120, 2));
  await untilCommitted(worker, 120);
  expect(worker.log.slice(1)).toEqual([
    expect.stringMatching(/^Kafka at 127\.0\.0\.1:\d+ is away: .+\. Tried again until it is back\.$/),
    expect.stringMatching(/^Kafka is back after \d+ s; reading goes on at the bookmarks\.$/),
  ]);
});

test("no broker at the start: it is waited for", async () => {
  const topic = fresh("late");
  await createTopic(connection, topic);
  await produce(connection, topic, many(3, 1));
  await server.kill();
  const worker = start({ connection, group: fresh("group"), read: topic });
  await until("it is said", () => worker.log.length > 0, 60_000);
  await server.restart();
  await untilRead(worker, 3, 60_000);
  expect(worker.log.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
    expect.stringMatching(/^Kafka at/),
    "Reading from Kafka",
    "Kafka is back",
  ]);
});

test("a frozen broker is an outage as well", async () => {
  const topic = fresh("frozen");
  await createTopic(connection, topic);
  const worker = start({ connection, group: fresh("group"), read: topic });
  await until("it reads", () => worker.source.state().broker === "up");
  server.freeze();
  try {
    await until("it is said", () => worker.source.state().broker === "down", 60_000);
  } finally {
    server.thaw();
  }
  await produce(connection, topic, many(3, 1));
  await untilRead(worker, 3, 60_000);
  expect(worker.log).toHaveLength(3);
}, 180_000);

test("the pipeline waits longer than the group's patience: the worker stays a member, bounded in memory", async () => {
  const topic = fresh("waits");
  const group = fresh("group");
  await createTopic(connection, topic, 2);
  await produce(connection, topic, many(100, 2));
  const maxWaitingBytes = 1_000_000;
  let isOpen = false;
  const worker = start({ connection, group, read: topic, maxWaitingBytes }, async () => {
    await until("the archive is back", () => isOpen, 120_000);
    return true;
  });
  await untilRead(worker, 1);
  const memberBefore = await members(group);
  const since = Date.now();
  let most = 0;
  await until(
    "25 s have passed",
    () => {
      most = Math.max(most, worker.source.waitingBytes());
      return Date.now() - since > 15_000;
    },
    30_000,
  );
  expect(worker.items).toHaveLength(1);
  expect(most).toBeLessThanOrEqual(maxWaitingBytes);
  expect(await members(group)).toEqual(memberBefore);
  isOpen = true;
  await untilRead(worker, 100);
  expect([...worker.places()].sort()).toEqual(places(topic, 100, 2));
  expect(worker.log).toHaveLength(1);
}, 180_000);

async function members(group: string): Promise<string[]> {
  const { groups } = await withAdmin(kafkaClient(connection), (admin) => admin.describeGroups([group]));
  return groups[0]!.members.map(({ memberId }) => memberId);
}

describe("TLS and a login", () => {
  const secure = (mechanism: "scram-sha-256" | "scram-sha-512", password?: string): KafkaConnection => ({
    brokers: [server.settings.KAFKA_SECURE_BROKERS!],
    ssl: { ca: [readFileSync(server.settings.KAFKA_SECURE_CA!, "utf8")] },
    sasl: {
      mechanism: mechanism as "scram-sha-512",
      username: server.settings.KAFKA_SECURE_USER!,
      password: password ?? server.settings.KAFKA_SECURE_PASSWORD!,
    },
  });

  test.each(["scram-sha-256", "scram-sha-512"] as const)("%s", async (mechanism) => {
    const topic = fresh("secure");
    await createTopic(connection, topic);
    await produce(connection, topic, packets.slice(0, 2));
    const worker = start({ connection: secure(mechanism), group: fresh("group"), read: topic });
    await untilRead(worker, 2);
    await untilCommitted(worker, 2);
  });

  test("a wrong password, and a certificate of somebody else: said once, with the reason", async () => {
    const wrong = start({ connection: secure("scram-sha-512", "wrong"), group: fresh("group"), read: "any" });
    const { brokers } = secure("scram-sha-512");
    const distrusting = start({ connection: { brokers, ssl: true }, group: fresh("group"), read: "any" });
    await until("both are said", () => wrong.log.length > 0 && distrusting.log.length > 0, 60_000);
    expect(wrong.log[0]).toMatch(/authentication failed|SASL/i);
    expect(distrusting.log[0]).toMatch(/self.signed|certificate/i);
  });
});
