// Container files: codecs against fastavro, blocks of many records, and every way in which a file can be broken.
import { readFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { DeadLetter, Packet } from "../../domain/packet.js";
import { python, pythonHas } from "../../test/python.js";
import { readContainer } from "./container.js";
import { avroFiles } from "./truth.fixture.js";
import { ContainerWriter, recordEncoder, writeContainer } from "./write.js";

const SCHEMA = JSON.stringify({
  type: "record",
  name: "test.alert",
  fields: [
    { name: "candid", type: "long" },
    { name: "data", type: "bytes" },
  ],
});
const encode = recordEncoder(SCHEMA);
const bodies = (count: number) =>
  Array.from({ length: count }, (_, i) => encode({ candid: BigInt(i) - 2n ** 63n, data: Buffer.alloc(i * 7, i) }));

const isLetter = (item: Packet | DeadLetter): item is DeadLetter => "reason" in item;
function read(bytes: Uint8Array) {
  const items = [...readContainer(bytes, "night.avro")];
  return {
    items,
    letters: items.filter(isLetter),
    bodies: items.filter((item) => !isLetter(item)).map((item) => Buffer.from(item.bytes!).toString("hex")),
  };
}
const hex = (list: readonly Uint8Array[]) => list.map((body) => Buffer.from(body).toString("hex"));

describe("well-formed files", () => {
  test("one record a block, many records a block, no records, with and without deflate", () => {
    for (const codec of ["null", "deflate"] as const) {
      const writer = new ContainerWriter(SCHEMA, codec);
      const records = bodies(50);
      const parts = [
        writer.header(),
        writer.block(records.slice(0, 1)),
        writer.block([]),
        writer.block(records.slice(1)),
      ];
      const found = read(Buffer.concat(parts));
      expect(found.letters).toEqual([]);
      expect(found.bodies).toEqual(hex(records));
      expect(found.items[49]!.origin).toEqual({ source: "night.avro", position: "record 50" });
    }
  });

  test("files put one behind the other: of other schemas, codecs and sync markers, and a fault in a later one", () => {
    const wide = SCHEMA.replace('"fields":[', '"fields":[{"name":"before","type":["null","int"]},');
    const other = recordEncoder(wide)({ before: 7, candid: 9n, data: Buffer.from("x") });
    const parts = [
      writeContainer(SCHEMA, bodies(3)),
      new ContainerWriter(SCHEMA).header(),
      writeContainer(wide, [other], "deflate"),
      writeContainer(SCHEMA, bodies(2), "deflate"),
    ];
    const { items, letters, bodies: found } = read(Buffer.concat(parts));
    expect(letters).toEqual([]);
    expect(found).toEqual([...hex(bodies(3)), other.toString("hex"), ...hex(bodies(2))]);
    expect(items.map(({ origin }) => origin.position)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `record ${n}`));
    expect((items[3] as Packet).schema.text).toBe(wide);

    const second = parts.slice(0, 2).reduce((sum, { length }) => sum + length, 0);
    const broken = Buffer.concat(parts);
    broken.write("Oxj", second);
    expect(read(broken).letters.map(({ origin }) => origin.position)).toEqual([`byte ${second}`]);
    const cut = read(Buffer.concat(parts).subarray(0, second + 40));
    expect(cut.letters.map(({ reason, origin }) => [reason, origin.position])).toEqual([
      ["TRUNCATED", `byte ${second}`],
    ]);
    expect(cut.bodies).toHaveLength(3);
  });

  test("positions count on where a file is read in pieces", () => {
    const [item] = readContainer(writeContainer(SCHEMA, bodies(1)), "night.avro", 1000);
    expect(item!.origin.position).toBe("record 1001");
  });

  test("the same header gives the same schema object, with the fingerprint of its text", () => {
    const [a, b] = avroFiles("ztf/20231012").map((path) => [...readContainer(readFileSync(path), path)][0] as Packet);
    expect(a!.schema).toBe(b!.schema);
    expect(a!.schema.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  const CODECS = { null: "fastavro", deflate: "fastavro", snappy: "cramjam", zstandard: "backports.zstd" };
  for (const [codec, needed] of Object.entries(CODECS)) {
    test.skipIf(!pythonHas("fastavro", needed))(`as fastavro writes it with ${codec} (needs ${needed})`, () => {
      const [path] = avroFiles("ztf/20231012");
      const expected = read(readFileSync(path!)).bodies;
      const file = python<string>(
        `import base64, fastavro, io
reader = fastavro.reader(open(input[0], 'rb'))
rows, f = list(reader), io.BytesIO()
fastavro.writer(f, reader.writer_schema, rows * 20, codec=input[1], sync_interval=300000)
print(json.dumps(base64.b64encode(f.getvalue()).decode()))`,
        [path, codec],
      );
      const found = read(Buffer.from(file, "base64"));
      expect(found.letters).toEqual([]);
      expect(found.bodies.length).toBe(20);
      expect(new Set(found.bodies)).toEqual(new Set(expected));
    });
  }
});

describe("broken files", () => {
  const records = bodies(3);
  const file = writeContainer(SCHEMA, records);

  test("cut off anywhere: what was complete, then one letter", () => {
    for (let length = 0; length < file.length; length += 1) {
      const { letters, bodies: found } = read(file.subarray(0, length));
      const atBlockEnd = letters.length === 0;
      expect(hex(records).slice(0, found.length)).toEqual(found);
      if (!atBlockEnd) expect(letters.map(({ reason }) => reason)).toEqual([length === 0 ? "EMPTY" : "TRUNCATED"]);
    }
    expect(read(file.subarray(0, file.length - 1)).bodies.length).toBe(2);
  });

  const reasons = (bytes: Uint8Array) => read(bytes).letters.map(({ reason }) => reason);
  test("not Avro, no schema, a schema that is none, an unknown codec", () => {
    expect(reasons(Buffer.from("SIMPLE  =                    T"))).toEqual(["NOT_AVRO"]);
    const writer = (schema: string) => Buffer.concat([new ContainerWriter(schema).header()]);
    expect(reasons(writer("{"))).toEqual(["NOT_AVRO"]);
    expect(reasons(writer('"string"'))).toEqual(["NOT_AVRO"]);
    expect(reasons(writer('{"type":"record","name":"a","fields":[{"name":"x","type":"nowhere"}]}'))).toEqual([
      "NOT_AVRO",
    ]);
    expect(reasons(writer("[".repeat(500_000)))).toEqual(["NOT_AVRO"]);
    const text = new ContainerWriter(SCHEMA).header().toString("latin1").replace("\x08null", "\x08lzma");
    expect(reasons(Buffer.from(text, "latin1"))).toEqual(["UNSUPPORTED_CODEC"]);
  });

  test("a wrong sync marker, lying counts and lengths", () => {
    const broken = Buffer.from(file);
    broken[broken.length - 1]! ^= 1;
    expect(read(broken).bodies.length).toBe(2);
    expect(reasons(broken)).toEqual(["MALFORMED"]);

    const writer = new ContainerWriter(SCHEMA);
    const block = writer.block(records);
    const claim = (first: number) => {
      const copy = Buffer.from(block);
      copy[0] = first;
      return read(Buffer.concat([writer.header(), copy, writer.block(records.slice(0, 1))]));
    };
    // 3 records declared as 2, 5, -1 and 0; the block after it is read all the same where the file's frame holds.
    expect(claim(4).letters.map(({ message }) => message)).toEqual([
      "A block of night.avro cannot be read: bytes are left over after its records.",
    ]);
    expect(claim(4).bodies.length).toBe(3);
    expect(claim(10).bodies).toEqual([...hex(records), hex(records)[0]]);
    expect(claim(10).letters[0]!.reason).toBe("MALFORMED");
    expect(claim(1).letters[0]!.reason).toBe("MALFORMED");
    expect(claim(0).bodies).toEqual(hex(records.slice(0, 1)));
  });

  test("bombs: too large a block declared, zipped, or of records that hold nothing", () => {
    const writer = new ContainerWriter(SCHEMA);
    const huge = Buffer.from([2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]);
    expect(reasons(Buffer.concat([writer.header(), huge]))).toEqual(["TOO_LARGE"]);

    const zipped = new ContainerWriter(SCHEMA, "deflate");
    const bomb = deflateRawSync(Buffer.alloc(80 * 1024 * 1024));
    const plain = new ContainerWriter(SCHEMA).block([bomb]);
    // Same block, but with the zipped file's sync marker.
    const sync = zipped.header().subarray(-16);
    const block = Buffer.concat([plain.subarray(0, -16), sync]);
    expect(reasons(Buffer.concat([zipped.header(), block]))).toEqual(["MALFORMED"]);

    const nothing = new ContainerWriter('{"type":"record","name":"a","fields":[{"name":"x","type":"null"}]}');
    const many = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f, 0]);
    expect(reasons(Buffer.concat([nothing.header(), many, nothing.header().subarray(-16)]))).toEqual(["MALFORMED"]);
  });
});
