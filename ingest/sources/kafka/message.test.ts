// Messages without a broker: containers, frames, and everything that is neither, each with its place.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DeadLetter, Packet } from "../../../domain/packet.js";
import { SHARED } from "../../../test/shared.js";
import { schemaLookup } from "../../avro/confluent.js";
import { keptBytes } from "../../avro/container.js";
import { schemasInFolder } from "../../avro/schemafolder.js";
import { avroFiles } from "../../avro/truth.fixture.js";
import { writeContainer } from "../../avro/write.js";
import { itemsOf, type KafkaMessage, SchemasUnavailable } from "./message.js";

const folder = join(SHARED, "data/lsst");
const schemas = schemaLookup(schemasInFolder(folder));
const message = (value: Uint8Array | null, fault: string | null = null): KafkaMessage => {
  return { topic: "ztf", partition: 2, offset: 77n, emittedAt: 1_000, value, fault };
};
const origin = { source: "ztf", position: "partition 2 offset 77", partition: 2, offset: 77n };
const ztf = readFileSync(avroFiles("ztf")[0]!);
const INT = '{"type":"record","name":"r","fields":[{"name":"x","type":"int"}]}';

test("a container and a frame, with place and times", async () => {
  const [packet, ...none] = (await itemsOf(message(ztf), schemas, 2_000)) as Packet[];
  expect(none).toEqual([]);
  expect(packet).toMatchObject({ origin, emittedAt: 1_000, receivedAt: 2_000 });
  const rubin = readFileSync(join(folder, "7912941781254298.avro"));
  const [framed] = (await itemsOf({ ...message(rubin), emittedAt: null }, schemas, 2_000)) as Packet[];
  expect(framed).toEqual({ bytes: rubin.subarray(5), schema: framed!.schema, origin, receivedAt: 2_000 });
});

test("a damaged block between good ones: one letter with the whole message, the rest arrives", async () => {
  const container = writeContainer(
    INT,
    [1, 2, 3, 4].map((x) => Buffer.from([x])),
    "deflate",
  );
  // The bytes of the second and third block, without their sizes and sync markers.
  const sync = container.subarray(-16);
  let at = container.indexOf(sync) + 16;
  for (const isDamaged of [false, true, true]) {
    if (isDamaged) container.fill(0xff, at + 2, container.indexOf(sync, at));
    at = container.indexOf(sync, at) + 16;
  }
  const items = await itemsOf(message(container), schemas, 0);
  expect(items.map((item) => ("reason" in item ? item.reason : item.bytes[0]))).toEqual([
    1,
    "MALFORMED",
    "MALFORMED",
    4,
  ]);
  const [, first, second] = items as [Packet, DeadLetter, DeadLetter];
  expect(Buffer.compare(first.bytes!, container)).toBe(0);
  expect(second).toMatchObject({ bytes: null, origin });
  expect(first.message).toContain("partition 2 offset 77 of ztf");
});

test.each([
  ["no value", null, "EMPTY"],
  ["nothing", Buffer.alloc(0), "EMPTY"],
  ["text", Buffer.from("an alert"), "NOT_AVRO"],
  ["a short frame", Buffer.from([0, 0, 3]), "NOT_AVRO"],
  ["an unknown schema", Buffer.from([0, 0, 0, 0, 9, 1]), "UNKNOWN_SCHEMA"],
  ["a cut container", ztf.subarray(0, 20_000), "TRUNCATED"],
  ["a container without records", writeContainer(INT, []), "EMPTY"],
  ["17 MiB", Buffer.alloc(17 * 1024 ** 2, 1), "TOO_LARGE"],
  ["17 MiB, zipped", writeContainer('"bytes"', [Buffer.alloc(17 * 1024 ** 2)], "deflate"), "NOT_AVRO"],
  ["many records", writeContainer(INT, Array(10_001).fill(Buffer.from([2]))), "TOO_LARGE"],
])("%s", async (_, value, reason) => {
  const items = await itemsOf(message(value), schemas, 0);
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({ reason, origin });
  expect(items[0]!.bytes?.length ?? 0).toBe(value === null ? 0 : keptBytes(value).length);
});

test("records that unpack to more than a message may hold", async () => {
  const schema = '{"type":"record","name":"r","fields":[{"name":"x","type":"bytes"}]}';
  const half = Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x0a]), Buffer.alloc(10 * 1024 ** 2)]);
  const items = await itemsOf(message(writeContainer(schema, [half, half], "deflate")), schemas, 0);
  expect(items).toMatchObject([{ reason: "TOO_LARGE" }]);
});

test("a batch that cannot be unpacked", async () => {
  const items = await itemsOf(message(Buffer.from("packed"), "it is damaged"), schemas, 0);
  expect(items).toMatchObject([{ reason: "MALFORMED", message: expect.stringContaining("it is damaged"), origin }]);
});

test("schemas that cannot be asked for are no fault of the message", async () => {
  const away = schemaLookup(() => Promise.reject(new Error("no registry")));
  const asked = itemsOf(message(Buffer.from([0, 0, 0, 3, 132, 1])), away, 0);
  await expect(asked).rejects.toBeInstanceOf(SchemasUnavailable);
});

test("whatever the bytes, there is an item and no exception", async () => {
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.tuple(fc.nat(), fc.nat({ max: 255 })).map(([where, value]) => {
      const bytes = Buffer.from(ztf);
      bytes[where % bytes.length] = value;
      return bytes;
    }),
  );
  await fc.assert(
    fc.asyncProperty(any, async (value) => {
      expect((await itemsOf(message(value), schemas, 0)).length).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});
