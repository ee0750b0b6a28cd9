// Decompression: what Python's cramjam packs is unpacked; damaged or lying bytes end at once and within their bound.
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import kafkajs from "kafkajs";
import { beforeAll, describe, expect, test } from "vitest";
import { python, pythonHas } from "../../../test/python.js";
import { fetchBegins, registerCodecs } from "./codecs.js";
import { unlz4 } from "./lz4.js";
import { faultOf } from "./unreadable.js";
import { unpackSnappy } from "./xerial.js";

const MAX = 4 * 1024 * 1024;
const plain = Buffer.from(Array.from({ length: 400_000 }, (_, i) => ((i * i) % 251) ^ (i >> 9)));
const texts = [
  plain,
  Buffer.alloc(0),
  Buffer.alloc(2_000_000),
  Buffer.from("light curve ".repeat(20_000)),
  Buffer.from("x"),
];

describe.skipIf(!pythonHas("cramjam"))("packed by Python's cramjam (needs cramjam)", () => {
  let packed: { lz4: Buffer[]; snappy: Buffer[] };
  beforeAll(() => {
    const answer = python<{ lz4: string[]; snappy: string[] }>(
      `import base64, cramjam
texts = [base64.b64decode(t) for t in input]
def b64(packed): return base64.b64encode(bytes(packed)).decode()
def streamed(t):
    c = cramjam.lz4.Compressor(level=9, content_checksum=True, block_linked=True)
    out = b''
    for i in range(0, len(t), 100000):
        c.compress(t[i:i + 100000])
        out += bytes(c.flush())
    return out + bytes(c.finish())
lz4 = [cramjam.lz4.compress(t, level=level) for t in texts for level in (1, 9)] + [streamed(t) for t in texts]
print(json.dumps({'lz4': [b64(p) for p in lz4], 'snappy': [b64(cramjam.snappy.compress_raw(t)) for t in texts]}))`,
      texts.map((text) => text.toString("base64")),
    );
    const decoded = (list: string[]) => list.map((text) => Buffer.from(text, "base64"));
    packed = { lz4: decoded(answer.lz4), snappy: decoded(answer.snappy) };
  });

  test("lz4 frames, linked blocks and checksums too", () => {
    const truth = [...texts.flatMap((text) => [text, text]), ...texts];
    expect(packed.lz4).toHaveLength(truth.length);
    for (const [i, frame] of packed.lz4.entries()) expect(Buffer.compare(unlz4(frame, MAX), truth[i]!)).toBe(0);
    expect(() => unlz4(packed.lz4[4]!, 1_000_000)).toThrow(/more than 1000000/);
  });

  test("snappy, raw and in Java's framing", () => {
    for (const [i, raw] of packed.snappy.entries()) {
      expect(Buffer.compare(unpackSnappy(raw, MAX), texts[i]!)).toBe(0);
    }
    const size = (bytes: Buffer) => Buffer.from([0, 0, bytes.length >> 8, bytes.length & 255]);
    const head = Buffer.from([0x82, ...Buffer.from("SNAPPY"), 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    const [words, x] = [packed.snappy[3]!, packed.snappy[4]!];
    const framed = Buffer.concat([head, size(words), words, size(x), x, size(words), words]);
    expect(Buffer.compare(unpackSnappy(framed, MAX), Buffer.concat([texts[3]!, texts[4]!, texts[3]!]))).toBe(0);
    expect(() => unpackSnappy(framed, 300_000)).toThrow();
    expect(() => unpackSnappy(framed.subarray(0, framed.length - 1), MAX)).toThrow(/cut off/);
  });

  test("damaged: an error at once, never more than the bound", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 255 }), fc.nat(), fc.boolean(), (where, value, which, isCut) => {
        const [kind, list] = which % 2 === 0 ? [unlz4, packed.lz4] : [unpackSnappy, packed.snappy];
        const bytes = Buffer.from(list[which % list.length]!.subarray(0, 5_000));
        if (bytes.length === 0) return;
        bytes[where % bytes.length] = value;
        try {
          const found = kind(isCut ? bytes.subarray(0, where % bytes.length) : bytes, MAX);
          expect(found.length).toBeLessThanOrEqual(MAX);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Bytes as kafkajs hands them on: after the number of records, in the same memory. */
function afterCount(bytes: Buffer, count: number): Buffer {
  const whole = Buffer.concat([Buffer.alloc(4), bytes]);
  whole.writeInt32BE(count);
  return whole.subarray(4);
}

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(packed: Buffer): Promise<Buffer>;
}
const codec = (type: 1 | 2 | 3 | 4): Codec => {
  registerCodecs();
  return kafkajs.CompressionCodecs[type]() as Codec;
};

test("gzip, there and back", async () => {
  fetchBegins();
  const packed = await codec(kafkajs.CompressionTypes.GZIP).compress({ buffer: plain });
  expect(Buffer.compare(await codec(kafkajs.CompressionTypes.GZIP).decompress(packed), plain)).toBe(0);
});

test.each([1, 2, 3, 4] as const)(
  "codec %i: a batch that cannot be unpacked becomes records that say so",
  async (type) => {
    fetchBegins();
    const records = await codec(type).decompress(afterCount(Buffer.from("no such thing"), 300));
    // Read by kafkajs' own decoder.
    const { default: Decoder } = await import("kafkajs/src/protocol/decoder.js" as string);
    const { default: record } = await import("kafkajs/src/protocol/recordBatch/record/v0/decoder.js" as string);
    const decoder = new Decoder(records);
    const found = Array.from({ length: 300 }, () =>
      record(new Decoder(decoder.readVarIntBytes()), { firstOffset: "1000", firstTimestamp: "5", magicByte: 2 }),
    );
    expect(decoder.offset).toBe(records.length);
    expect(found.map(({ offset }) => Number(offset))).toEqual(Array.from({ length: 300 }, (_, i) => 1000 + i));
    expect(found[0].value.toString()).toBe("no such thing");
    expect(found.slice(1).every(({ value, key }) => value === null && key === null)).toBe(true);
    for (const { headers } of found) expect(faultOf(headers)).toMatch(/\w/);
    expect(faultOf({})).toBeNull();
  },
);

test("one fetch unpacks so much and no more; the next one goes on", async () => {
  fetchBegins();
  const bomb = gzipSync(Buffer.alloc(60 * 1024 ** 2));
  const unpack = () => codec(kafkajs.CompressionTypes.GZIP).decompress(afterCount(bomb, 1));
  expect((await unpack()).length).toBe(60 * 1024 ** 2);
  expect((await unpack()).length).toBe(60 * 1024 ** 2);
  await expect(unpack()).rejects.toMatchObject({ name: "KafkaJSPartialMessageError" });
  fetchBegins();
  expect((await unpack()).length).toBe(60 * 1024 ** 2);
});
