// Rubin's packets on a real broker: frames with schema ids, a registry that goes away, and one that knows nothing.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { Packet } from "../../../domain/packet.js";
import { servers } from "../../../test/servers.js";
import { SHARED } from "../../../test/shared.js";
import { until } from "../../../test/until.js";
import { schemaLookup } from "../../avro/confluent.js";
import { readContainer } from "../../avro/container.js";
import { readRecord } from "../../avro/record.js";
import { schemasInRegistry } from "../../avro/registry.js";
import { parseSchema } from "../../avro/schema.js";
import { schemasInFolder } from "../../avro/schemafolder.js";
import type { KafkaConnection } from "./client.js";
import {
  createTopic,
  type FakeRegistry,
  fresh,
  produce,
  startRegistry,
  startWorker,
  untilCommitted,
  untilRead,
  type Worker,
  ztfMessages,
} from "./kafka.fixture.js";

const folder = join(SHARED, "data/lsst");
const framed = readFileSync(join(folder, "7912941781254298.avro"));

let connection: KafkaConnection;
beforeAll(async () => {
  connection = { brokers: [(await servers.kafka()).settings.KAFKA_BROKERS!] };
});
let worker: Worker | undefined;
let registry: FakeRegistry | undefined;
afterEach(async () => {
  await worker?.close();
  await registry?.stop().catch(() => {});
});

/** A frame of another schema version, out of that version's sample. */
function sampleFrame(version: string, id: number): Buffer {
  const path = join(folder, version, "fakeAlert.avro");
  const [packet] = [...readContainer(readFileSync(path), path)] as [Packet];
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, packet.bytes]);
}

test("two schemas in one topic, each asked for once; an id that nobody knows is a dead letter", async () => {
  registry = await startRegistry();
  for (const id of [900, 1000]) registry.schemas.set(id, (await schemasInFolder(folder)(id))!.text);
  const topic = fresh("lsst-alerts-v9.0");
  await createTopic(connection, topic);
  const unknown = Buffer.from(framed);
  unknown.writeUInt32BE(77, 1);
  await produce(connection, topic, [framed, sampleFrame("v10_0", 1000), unknown, framed, unknown]);

  const schemas = schemaLookup(schemasInRegistry(registry.url));
  worker = startWorker({ connection, group: fresh("group"), read: topic, schemas });
  await untilRead(worker, 5);
  const [first, second, letter, last] = worker.items as [Packet, Packet, never, Packet];
  for (const packet of [first, last]) {
    expect(readRecord(parseSchema(packet.schema.text), packet.bytes).diaSourceId).toBe("7912941781254298");
    expect(packet.emittedAt).toBeGreaterThan(0);
  }
  expect(Buffer.compare(first.bytes, framed.subarray(5))).toBe(0);
  expect(first.origin).toEqual({ source: topic, position: "partition 0 offset 0", partition: 0, offset: 0n });
  expect(second.schema.fingerprint).not.toBe(first.schema.fingerprint);
  expect(Object.keys(readRecord(parseSchema(second.schema.text), second.bytes))).toContain("diaSource");
  expect(letter).toMatchObject({ reason: "UNKNOWN_SCHEMA", origin: { partition: 0, offset: 2n } });
  expect(registry.asked.sort((a, b) => a - b)).toEqual([77, 900, 1000]);
  await untilCommitted(worker, 5);
});

test("the registry is away: framed packets wait, others do not; then all arrive, with a line each way", async () => {
  registry = await startRegistry();
  registry.schemas.set(900, (await schemasInFolder(folder)(900))!.text);
  await registry.stop();
  const rubin = fresh("lsst");
  const ztf = fresh("ztf");
  for (const topic of [rubin, ztf]) await createTopic(connection, topic);
  await produce(connection, rubin, [framed, framed, framed]);
  const schemas = schemaLookup(schemasInRegistry(registry.url));
  worker = startWorker({ connection, group: fresh("group"), read: `${rubin},${ztf}`, schemas });
  await until("the line", () => worker!.log.some((line) => line.startsWith("Packets wait")));
  expect(worker.source.state()).toMatchObject({ broker: "up", schemas: "down" });

  await produce(connection, ztf, ztfMessages().slice(0, 5));
  await untilRead(worker, 5);
  expect(worker.items.map(({ origin }) => origin.source)).toEqual(Array(5).fill(ztf));

  await registry.restart();
  await untilRead(worker, 8);
  expect(worker.items.slice(5).map((item) => ["reason" in item, item.origin.source])).toEqual(
    Array(3).fill([false, rubin]),
  );
  await untilCommitted(worker, 8);
  expect(worker.log.slice(1)).toEqual([
    expect.stringMatching(/^Packets wait for their schema: /),
    expect.stringMatching(/^Schemas are there again after \d+ s\.$/),
  ]);
  expect(worker.source.state()).toMatchObject({ schemas: "up", why: null });
});

test("the registry is away and the folder knows the schema: nothing waits", async () => {
  registry = await startRegistry();
  await registry.stop();
  const topic = fresh("lsst");
  await createTopic(connection, topic);
  await produce(connection, topic, Array(20).fill(framed));
  const schemas = schemaLookup(schemasInRegistry(registry.url, schemasInFolder(folder)));
  worker = startWorker({ connection, group: fresh("group"), read: topic, schemas });
  await untilRead(worker, 20);
  expect(worker.items.some((item) => "reason" in item)).toBe(false);
});
