// The whole path with Kafka on both sides: packets in a topic, a service on embedded engines, hits in another topic.
// Against what avsc reads in the packets.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Consumer, Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { available, servers } from "./servers.js";
import { startTestService, type TestService } from "./service.js";
import { containerOf, type TrueAlert, trueAlerts } from "./truth.js";
import { until } from "./until.js";

const PARTITIONS = 3;
const ALERTS = 300;

describe.skipIf(!available("kafka"))("alerts from Kafka, hits to Kafka", () => {
  const night = randomUUID().slice(0, 8);
  const topic = `ztf_${night}_programid1`;
  const closers: (() => Promise<unknown>)[] = [];
  let environment: Record<string, string>;
  let kafka: Kafka;
  let service: TestService;
  let truth: TrueAlert[];

  async function produce(name: string, values: readonly (Buffer | null)[]): Promise<void> {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: name, numPartitions: PARTITIONS }] });
    await admin.disconnect();
    const producer = kafka.producer();
    await producer.connect();
    for (let at = 0; at < values.length; at += 20) {
      const messages = values
        .slice(at, at + 20)
        .map((value, n) => ({ key: null, value, partition: (at + n) % PARTITIONS }));
      await producer.send({ topic: name, messages });
    }
    await producer.disconnect();
  }
  const stored = async (): Promise<string[]> => {
    const query = "{ alerts(where: { survey: ZTF }, first: 1000) { edges { node { candid } } } }";
    const { alerts } = await service.ask<{ alerts: { edges: { node: { candid: string } }[] } }>(query);
    return alerts.edges.map(({ node }) => node.candid).toSorted();
  };
  /** What `look` finds as soon as there is enough of it. */
  async function eventually<T>(count: number, look: () => Promise<T[]>): Promise<T[]> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const found = await look();
      if (found.length >= count || Date.now() > deadline) return found;
      await pause(100);
    }
  }
  const letters = async (): Promise<Record<string, string>[]> => {
    const { deadLetters } = await service.ask<{ deadLetters: { edges: { node: Record<string, string> }[] } }>(
      "{ deadLetters(first: 10) { edges { node { reason source position } } } }",
    );
    return deadLetters.edges.map(({ node }) => node).toSorted((x, y) => (x.reason! < y.reason! ? -1 : 1));
  };

  beforeAll(async () => {
    const broker = await servers.kafka();
    kafka = new Kafka({ brokers: broker.settings.KAFKA_BROKERS!.split(","), logLevel: logLevel.NOTHING });
    environment = {
      KAFKA_BROKERS: broker.settings.KAFKA_BROKERS!,
      KAFKA_TOPICS: `/ztf_${night}.*_programid1/`,
      KAFKA_GROUP: `tocsin-${night}`,
    };
    service = await startTestService(environment);
    closers.unshift(() => service.close());
    truth = trueAlerts(`stream ${night}`, new Map([["ZTF", ALERTS]]));
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });

  test("what is in the topic is taken in, what cannot be is a dead letter with its offset, hits go to their topic", async () => {
    const create = `mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id stream { topic } } }`;
    const input = { name: "all", survey: "ZTF", where: "magpsf < 99", stream: { format: "JSON" } };
    const { createFilter: filter } = await service.ask<{ createFilter: { id: string; stream: { topic: string } } }>(
      create,
      { input },
    );
    const values = truth.slice(0, 200).map((alert) => containerOf([alert]));
    await produce(topic, [...values, Buffer.from("not a packet"), null]);
    const candids = truth.slice(0, 200).map(({ candid }) => candid);
    expect(await eventually(200, stored)).toEqual(candids.toSorted());

    expect(await eventually(2, letters)).toEqual([
      { reason: "EMPTY", source: topic, position: "partition 0 offset 67" },
      { reason: "NOT_AVRO", source: topic, position: "partition 2 offset 66" },
    ]);

    const seen: { candid: string; cursor: string }[] = [];
    const consumer: Consumer = kafka.consumer({ groupId: `reader-${night}` });
    closers.unshift(() => consumer.disconnect());
    await consumer.connect();
    await consumer.subscribe({ topics: [filter.stream.topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { headers } }) =>
        void seen.push({ candid: `${headers?.candid}`, cursor: `${headers?.cursor}` }),
    });
    await until("all hits in the topic", () => seen.length >= 200, 60_000);
    const { hits } = await service.ask<{
      hits: { edges: { node: { cursor: string; alert: { candid: string } } }[] };
    }>("query ($id: ID!) { hits(filterIds: [$id], first: 1000) { edges { node { cursor alert { candid } } } } }", {
      id: filter.id,
    });
    const inTopic = new Map(seen.map(({ candid, cursor }) => [candid, cursor]));
    expect(seen).toHaveLength(200);
    expect([...inTopic].toSorted()).toEqual(
      hits.edges.map(({ node }) => [node.alert.candid, node.cursor] as [string, string]).toSorted(),
    );
  });

  test("the next night's topic is found; the bookmarks stand at the end of what is stored", async () => {
    const later = `ztf_${night}b_programid1`;
    await produce(
      later,
      truth.slice(200, 260).map((alert) => containerOf([alert])),
    );
    expect(await eventually(260, stored)).toHaveLength(260);
    await service.close();
    const admin = kafka.admin();
    await admin.connect();
    for (const name of [topic, later]) {
      const ends = await admin.fetchTopicOffsets(name);
      const [bookmarks] = await admin.fetchOffsets({ groupId: `tocsin-${night}`, topics: [name] });
      const offsets = (of: readonly { partition: number; offset: string }[]) =>
        of.map(({ partition, offset }) => `${partition}: ${offset}`).toSorted();
      expect(offsets(bookmarks!.partitions)).toEqual(offsets(ends));
    }
    await admin.disconnect();
  });
});
