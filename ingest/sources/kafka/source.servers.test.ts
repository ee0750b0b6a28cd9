// The source on a real broker: everything arrives once, bookmarks follow what is stored, bad messages are dead letters.
import kafkajs from "kafkajs";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Packet } from "../../../domain/packet.js";
import { servers } from "../../../test/servers.js";
import { until } from "../../../test/until.js";
import { keptBytes, readContainer } from "../../avro/container.js";
import { writeContainer } from "../../avro/write.js";
import { type KafkaConnection, kafkaClient, withAdmin } from "./client.js";
import {
  createTopic,
  deleteTopic,
  fresh,
  placeOf,
  produce,
  startWorker,
  untilBookmarked,
  untilCommitted,
  untilRead,
  type Worker,
  ztfMessages,
} from "./kafka.fixture.js";

let connection: KafkaConnection;
beforeAll(async () => {
  connection = { brokers: [(await servers.kafka()).settings.KAFKA_BROKERS!] };
});
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

test("real ZTF packets: each once, with its place and times; a restart goes on at the bookmark", async () => {
  const topic = fresh("ztf_20231012_programid1");
  const group = fresh("group");
  await createTopic(connection, topic, 3);
  const before = Date.now();
  await produce(
    connection,
    topic,
    packets.map((value, i) => ({ value, partition: i % 3 })),
  );

  const first = start({ connection, group, read: topic });
  await untilRead(first, packets.length);
  expect(new Set(first.places()).size).toBe(packets.length);
  for (const [i, value] of packets.entries()) {
    const place = `${topic}/${i % 3}/${Math.floor(i / 3)}`;
    const item = first.items.find((found) => placeOf(found) === place) as Packet;
    const [truth] = [...readContainer(value, "file")] as [Packet];
    expect(Buffer.compare(item.bytes, truth.bytes)).toBe(0);
    expect(item.schema).toEqual(truth.schema);
    expect(item.origin.position).toBe(`partition ${i % 3} offset ${Math.floor(i / 3)}`);
    expect(item.emittedAt).toBeGreaterThanOrEqual(before);
    expect(item.receivedAt).toBeGreaterThanOrEqual(item.emittedAt!);
  }
  await untilCommitted(first, packets.length);
  const lag = await first.source.lag();
  expect(lag.map(({ topic: name, partition, committed, end }) => [name, partition, committed, end])).toEqual([
    [topic, 0, 12n, 12n],
    [topic, 1, 12n, 12n],
    [topic, 2, 12n, 12n],
  ]);
  await first.close();

  await produce(connection, topic, [{ value: packets[0]!, partition: 1 }]);
  const second = start({ connection, group, read: topic });
  await untilRead(second, 1);
  expect(second.places()).toEqual([`${topic}/1/12`]);
});

test("what was read and not stored comes again; the bookmark stands before the first gap", async () => {
  const topic = fresh("gap");
  const group = fresh("group");
  await createTopic(connection, topic);
  await produce(connection, topic, packets.slice(0, 10));
  const first = start({ connection, group, read: topic }, ({ origin }) => origin.offset! !== 4n);
  await untilRead(first, 10);
  await untilCommitted(first, 4);
  await first.close();
  const second = start({ connection, group, read: topic });
  await untilRead(second, 6);
  expect(second.places()).toEqual([4, 5, 6, 7, 8, 9].map((offset) => `${topic}/0/${offset}`));
});

test("several records in a message: the offset is done when all are", async () => {
  const topic = fresh("several");
  const group = fresh("group");
  await createTopic(connection, topic);
  const schema = '{"type":"record","name":"r","fields":[{"name":"x","type":"int"}]}';
  const container = writeContainer(schema, [Buffer.from([2]), Buffer.from([4]), Buffer.from([6])]);
  await produce(connection, topic, [container, container]);
  const first = start(
    { connection, group, read: topic },
    (item) => item.origin.position !== "partition 0 offset 1 record 2",
  );
  await untilRead(first, 6);
  expect(first.items.map(({ origin }) => origin.position)).toEqual([
    "partition 0 offset 0",
    "partition 0 offset 0 record 2",
    "partition 0 offset 0 record 3",
    "partition 0 offset 1",
    "partition 0 offset 1 record 2",
    "partition 0 offset 1 record 3",
  ]);
  expect(first.items.map(({ bytes }) => bytes![0])).toEqual([2, 4, 6, 2, 4, 6]);
  await untilCommitted(first, 1);
  await first.close();
  const second = start({ connection, group, read: topic });
  await untilRead(second, 3);
  expect(new Set(second.places())).toEqual(new Set([`${topic}/0/1`]));
});

test("bad messages are dead letters with their place and bytes, and the good ones between them arrive", async () => {
  const topic = fresh("poison");
  await createTopic(connection, topic);
  const cut = packets[0]!.subarray(0, packets[0]!.length - 100);
  const zeros = (mib: number) => ({ value: Buffer.alloc(mib * 1024 ** 2) });
  await produce(connection, topic, [
    { value: null },
    Buffer.alloc(0),
    Buffer.from("not avro at all"),
    packets[0]!,
    cut,
  ]);
  await produce(connection, topic, [zeros(17), zeros(70)], kafkajs.CompressionTypes.GZIP);
  await produce(connection, topic, [Buffer.from([0, 0, 0, 3, 0x84, 1, 2, 3]), packets[1]!]);
  const worker = start({ connection, group: fresh("group"), read: topic });
  await untilRead(worker, 9);
  expect(worker.places()).toEqual(Array.from({ length: 9 }, (_, i) => `${topic}/0/${i}`));
  const found = worker.items.map((item) => ("reason" in item ? item.reason : "packet"));
  expect(found).toEqual([
    "EMPTY",
    "EMPTY",
    "NOT_AVRO",
    "packet",
    "TRUNCATED",
    "TOO_LARGE",
    "MALFORMED",
    "UNKNOWN_SCHEMA",
    "packet",
  ]);
  expect(Buffer.from(worker.items[2]!.bytes!).toString()).toBe("not avro at all");
  expect(Buffer.compare(worker.items[4]!.bytes!, cut)).toBe(0);
  expect(worker.items[5]!.bytes!.length).toBe(keptBytes(Buffer.alloc(17 * 1024 ** 2)).length);
  expect(worker.items[6]).toMatchObject({ message: expect.stringMatching(/batch that cannot be unpacked/) });
  await untilCommitted(worker, 9);
});

test("topics by pattern: a new night is read, a deleted one does not stop the others", async () => {
  const stem = fresh("ztf");
  const night = (day: number): string => `${stem}_2023101${day}_programid1`;
  await createTopic(connection, night(1));
  await produce(connection, night(1), packets.slice(0, 3));
  const worker = start({ connection, group: fresh("group"), read: `/${stem}_\\d{8}_programid1/, ${stem}_later` });
  await untilRead(worker, 3);
  await createTopic(connection, night(2), 2);
  await produce(connection, night(2), packets.slice(3, 6));
  await untilRead(worker, 6, 30_000);
  await deleteTopic(connection, night(1));
  await produce(connection, night(2), packets.slice(6, 9));
  await untilRead(worker, 9, 40_000);
  await until("the line about the deleted topic", () => worker.log.some((line) => line.startsWith("Gone")), 30_000);
  await produce(connection, night(2), packets.slice(9, 10));
  await untilRead(worker, 10, 40_000);
  expect(new Set(worker.places()).size).toBe(10);
  expect(worker.log).toEqual([
    expect.stringContaining(`: ${night(1)}.`),
    `Not in Kafka yet, and read as soon as they are: ${stem}_later.`,
    `New in Kafka and read from now on: ${night(2)}.`,
    `Gone from Kafka: ${night(1)}; the other topics are read on.`,
  ]);
});

test("a topic that is deleted and made anew is read from its beginning, by the same worker", async () => {
  const topic = fresh("anew");
  await createTopic(connection, topic);
  await produce(connection, topic, packets.slice(0, 5));
  const worker = start({ connection, group: fresh("group"), read: topic });
  await untilRead(worker, 5);
  await untilCommitted(worker, 5);
  await deleteTopic(connection, topic);
  await until("the deletion", () => worker.log.some((line) => line.startsWith("Gone")), 40_000);
  await createTopic(connection, topic);
  await produce(connection, topic, packets.slice(0, 3));
  await untilRead(worker, 8, 40_000);
  expect(worker.places().slice(5)).toEqual([0, 1, 2].map((offset) => `${topic}/0/${offset}`));
});

test("what the broker deleted before it was read is passed over", async () => {
  const topic = fresh("old");
  const group = fresh("group");
  await createTopic(connection, topic);
  await produce(connection, topic, packets.slice(0, 10));
  const first = start({ connection, group, read: topic }, ({ origin }) => origin.offset! < 3n);
  await untilCommitted(first, 3);
  await first.close();
  await withAdmin(kafkaClient(connection), async (admin) => {
    // kafkajs learns of the topic by this, and wants to know it before it deletes.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "6" }] });
  });
  const second = start({ connection, group, read: topic });
  await untilRead(second, 4);
  expect(second.places()).toEqual([6, 7, 8, 9].map((offset) => `${topic}/0/${offset}`));
  await untilCommitted(second, 4);
});

describe("where a group begins", () => {
  const hour = 3_600_000;
  async function topicOfHours(): Promise<string> {
    const topic = fresh("hours");
    await createTopic(connection, topic, 2);
    const now = Date.now();
    await produce(
      connection,
      topic,
      [8, 7, 5, 1].flatMap((ago) =>
        [0, 1].map((partition) => ({ value: packets[ago]!, partition, timestamp: `${now - ago * hour}` })),
      ),
    );
    return topic;
  }

  test("at a time: what is older is left out, and the bookmark is set at once", async () => {
    const topic = await topicOfHours();
    const time = Date.now() - 6 * hour;
    const group = fresh("group");
    const worker = start({ connection, group, read: topic, start: { at: "time", time } }, () => false);
    await untilRead(worker, 4);
    expect(worker.places().sort()).toEqual([0, 1].flatMap((p) => [2, 3].map((offset) => `${topic}/${p}/${offset}`)));
    expect((await worker.source.lag()).map(({ committed }) => committed)).toEqual([2n, 2n]);
  });

  test("at the end: two workers of a new group read what comes from then on, a restart and a new topic lose nothing", async () => {
    const topic = await topicOfHours();
    const later = fresh("later");
    const group = fresh("group");
    const options = { connection, group, read: `${topic},${later}`, start: { at: "latest" } as const };
    const first = start(options);
    await untilBookmarked(connection, group, 2);
    // Two that begin a group in the same second may read older messages before the bookmarks are set: more, never less.
    const pair = [first, start(options)];
    await until("both are members", () => pair.every((worker) => worker.source.state().broker === "up"));
    await produce(connection, topic, [
      { value: packets[2]!, partition: 0 },
      { value: packets[3]!, partition: 1 },
    ]);
    await until("what came since", () => pair.flatMap((worker) => worker.places()).length >= 2);
    await Promise.all(pair.map((worker) => worker.close()));
    expect(pair.flatMap((worker) => worker.places()).sort()).toEqual([`${topic}/0/4`, `${topic}/1/4`]);

    await createTopic(connection, later);
    await produce(connection, topic, [{ value: packets[0]!, partition: 0 }]);
    await produce(connection, later, [{ value: packets[0]!, partition: 0 }]);
    const again = start(options);
    await untilRead(again, 2);
    expect(again.places().sort()).toEqual([`${topic}/0/5`, `${later}/0/0`].sort());
  });
});
