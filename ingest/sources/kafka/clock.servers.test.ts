// The clock of a worker is set back and forth while it reads: kafkajs goes by it, we do not.
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { servers } from "../../../test/servers.js";
import type { KafkaConnection } from "./client.js";
import {
  createTopic,
  fresh,
  produce,
  startWorker,
  untilCommitted,
  untilRead,
  type Worker,
  ztfMessages,
} from "./kafka.fixture.js";

let connection: KafkaConnection;
beforeAll(async () => {
  connection = { brokers: [(await servers.kafka()).settings.KAFKA_BROKERS!] };
});
let worker: Worker;
afterEach(async () => {
  vi.restoreAllMocks();
  await worker.close();
});

test.each([-3_600_000, 3_600_000])("by %d ms: it reads on, and finds the next night's topic", async (jump) => {
  const stem = fresh("clock");
  const packets = ztfMessages().slice(0, 6);
  await createTopic(connection, `${stem}_a`);
  worker = startWorker({ connection, group: fresh("group"), read: `/${stem}_[abc]/` });
  await produce(connection, `${stem}_a`, packets.slice(0, 2));
  await untilRead(worker, 2);
  const { now } = Date;
  vi.spyOn(Date, "now").mockImplementation(() => now() + jump);
  await produce(connection, `${stem}_a`, packets.slice(2, 4));
  await untilRead(worker, 4);
  await createTopic(connection, `${stem}_b`);
  await produce(connection, `${stem}_b`, packets.slice(4));
  await untilRead(worker, 6);
  await untilCommitted(worker, 6);
  expect(new Set(worker.places()).size).toBe(6);
  expect(worker.log.filter((line) => /away|again/.test(line))).toEqual([]);
});
