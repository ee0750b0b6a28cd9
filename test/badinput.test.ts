// Broken, foreign and hostile packets among good ones, through the whole service and the command: each bad one a dead
// letter with a reason that a person understands, every good one stored, the counts true, nothing poisoned.
import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { recordEncoder, writeContainer } from "../ingest/avro/write.js";
import { SIMULATED_SCHEMA as ZTF_SCHEMA } from "../ingest/surveys/ztf/simulated.schema.js";
import { type ZtfAlert, ztfFile, ztfRecord } from "./packets.js";
import { startCommand } from "./process.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const REAL = join(SHARED, "data/ztf/20231012");
const GOOD: ZtfAlert = {
  candid: 2_461_000_000_015_020_000n,
  objectId: "ZTF26goodone",
  jd: 2_461_000.75,
  ra: 150,
  dec: 2,
  programid: 1,
  magpsf: 18,
};
const good = (n: number, more: Partial<ZtfAlert> = {}): ZtfAlert => ({
  ...GOOD,
  candid: GOOD.candid + BigInt(n),
  ...more,
});

let folder: string;
let service: TestService | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-bad-"));
});
afterEach(async () => {
  await service?.close();
  service = null;
  await rm(folder, { recursive: true, force: true });
});
async function put(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, "in", name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

interface Letter {
  id: string;
  reason: string;
  message: string;
  source: string;
  position: string;
  survey: string | null;
  bytesKept: number;
}
/** All of them, a few at a time, newest first. */
async function lettersOf(of: TestService, first = 7): Promise<Letter[]> {
  const letters: Letter[] = [];
  for (let after: string | null = null; ; ) {
    const page: { deadLetters: { edges: { node: Letter }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } =
      await of.ask(
        `query ($n: Int, $a: String) { deadLetters(first: $n, after: $a) {
          edges { node { id reason message source position survey bytesKept } } pageInfo { hasNextPage endCursor } } }`,
        { n: first, a: after },
      );
    letters.push(...page.deadLetters.edges.map(({ node }) => node));
    if (!page.deadLetters.pageInfo.hasNextPage) return letters;
    after = page.deadLetters.pageInfo.endCursor;
  }
}
async function candidsOf(of: TestService): Promise<string[]> {
  const { alerts } = await of.ask<{ alerts: { edges: { node: { candid: string } }[] } }>(
    "{ alerts(first: 1000, where: { survey: ZTF }) { edges { node { candid } } } }",
  );
  return alerts.edges.map(({ node }) => node.candid).sort();
}
/** Asks for everything that the service has of every alert: what cannot be shown fails. */
async function showAll(of: TestService): Promise<void> {
  const { alerts } = await of.ask<{ alerts: { edges: { node: { candid: string } }[] } }>(
    `{ alerts(first: 500, where: { survey: ZTF }) { edges { node { candid objectId time jd ra dec band magnitude
      magnitudeError flux fluxError isPositive class solarSystemName packet
      object { firstSeen lastSeen alertCount lightCurve {
        detections { time band magnitude flux } nonDetections { time limitingMagnitude } forced { time flux } } } } } } }`,
  );
  for (const { node } of alerts.edges.slice(0, 50)) {
    const { status } = await fetch(`${of.url}/cutouts/ZTF/${node.candid}/science.fits`);
    expect([200, 404, 500]).toContain(status);
  }
}

/** A container header with these metadata, and then whatever follows. */
function container(metadata: Record<string, string>, ...rest: Uint8Array[]): Buffer {
  const parts: Buffer[] = [Buffer.from("Obj\x01", "latin1"), varint(Object.keys(metadata).length)];
  for (const [key, value] of Object.entries(metadata)) {
    parts.push(varint(key.length), Buffer.from(key), varint(Buffer.byteLength(value)), Buffer.from(value));
  }
  return Buffer.concat([...parts, Buffer.from([0]), SYNC, ...rest]);
}
const SYNC = Buffer.alloc(16, 7);
/** Zig-zag. */
function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}
const block = (count: number | bigint, bytes: Uint8Array, size: number | bigint = bytes.length) =>
  Buffer.concat([varint(count), varint(size), bytes, SYNC]);
const schema = (fields: object[], name = "alert", namespace = "ztf") =>
  JSON.stringify({ type: "record", name, namespace, fields });
const ztf = (codec: string, ...rest: Uint8Array[]) =>
  container({ "avro.schema": ZTF_SCHEMA, "avro.codec": codec }, ...rest);

/** The schema of ZTF's alerts where a field may be missing. */
const looseSchema = (() => {
  const loose = JSON.parse(ZTF_SCHEMA) as { fields: { name: string; type: unknown }[] };
  for (const field of loose.fields) if (["candid", "objectId"].includes(field.name)) field.type = ["null", field.type];
  return JSON.stringify(loose);
})();

interface Bad {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly reason: string;
  readonly says: RegExp;
}
const bad = (name: string, bytes: Uint8Array, reason: string, says: RegExp): Bad => ({ name, bytes, reason, says });

async function badFiles(): Promise<Bad[]> {
  const whole = ztfFile(good(900));
  const headerEnd = whole.length - ztfRecord(good(900)).length - 30;
  const other = await Promise.all(
    ["decam_alert", "pgir_114297926", "winter_3608694"].map((name) =>
      readFile(join(SHARED, `data/other/${name}.avro`)),
    ),
  );
  const zeros = Buffer.alloc(70 * 2 ** 20);
  const snappyBomb = Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04]), Buffer.alloc(64)]);
  const odd = (more: Partial<ZtfAlert>) => ztfFile(good(901, more));
  return [
    bad("empty", Buffer.alloc(0), "EMPTY", /is empty/),
    bad("one byte", Buffer.from("O"), "TRUNCATED", /header/),
    bad("cut in its header", whole.subarray(0, 1000), "TRUNCATED", /header/),
    bad("cut behind its header", whole.subarray(0, headerEnd + 25), "TRUNCATED", /./),
    bad("cut in its record", whole.subarray(0, -200), "TRUNCATED", /before its end/),
    bad("cut in its last byte", whole.subarray(0, -1), "TRUNCATED", /1 bytes? before/),
    bad("text", Buffer.from("to whom it may concern"), "NOT_AVRO", /not an Avro/),
    bad("a picture", Buffer.from("\x89PNG\r\n\x1a\n0000000", "latin1"), "NOT_AVRO", /not an Avro/),
    bad("a schema of nothing", container({ "avro.schema": "{}" }), "NOT_AVRO", /schema/),
    bad("no schema", container({ "avro.codec": "null" }), "NOT_AVRO", /schema/),
    bad("a schema that is no JSON", container({ "avro.schema": "{" }), "NOT_AVRO", /JSON/),
    bad(
      "a schema without end",
      container({ "avro.schema": `${'{"type":"array","items":'.repeat(200)}"int"${"}".repeat(200)}` }),
      "NOT_AVRO",
      /deeper|array/,
    ),
    bad("a codec that nobody knows", ztf("xz", block(1, Buffer.alloc(10))), "UNSUPPORTED_CODEC", /xz/),
    bad(
      "a header of a billion entries",
      Buffer.concat([Buffer.from("Obj\x01"), varint(2 ** 30), Buffer.alloc(100)]),
      "TRUNCATED",
      /./,
    ),
    bad(
      "a header entry of a terabyte",
      Buffer.concat([Buffer.from("Obj\x01"), varint(1), varint(2 ** 40), Buffer.alloc(100)]),
      "TRUNCATED",
      /./,
    ),
    bad("a block of a terabyte", ztf("null", block(1, Buffer.alloc(10), 2 ** 40)), "TOO_LARGE", /declares/),
    bad("a block of 2^62 records", ztf("null", block(2n ** 62n, Buffer.alloc(10))), "MALFORMED", /./),
    bad("a block of negative size", ztf("null", block(1, Buffer.alloc(10), -5)), "MALFORMED", /./),
    bad(
      "a block without its marker",
      Buffer.concat([ztf("null", block(1, ztfRecord(good(902)))).subarray(0, -16), Buffer.alloc(16)]),
      "MALFORMED",
      /marker/,
    ),
    bad(
      "a string of a terabyte",
      ztf("null", block(1, Buffer.concat([varint(2 ** 40), Buffer.alloc(100)]))),
      "MALFORMED",
      /damaged|fit/,
    ),
    bad(
      "a string of negative length",
      ztf("null", block(1, Buffer.concat([varint(-1), Buffer.alloc(100)]))),
      "MALFORMED",
      /damaged|fit/,
    ),
    bad("random bytes for a record", ztf("null", block(1, Buffer.alloc(5000, 0xff))), "MALFORMED", /damaged/),
    bad(
      "bytes behind the record",
      ztf("null", block(1, Buffer.concat([ztfRecord(good(903)), Buffer.alloc(3)]))),
      "MALFORMED",
      /left over|damaged/,
    ),
    bad("deflate that is none", ztf("deflate", block(1, Buffer.alloc(50, 0xab))), "MALFORMED", /unpack/),
    bad("a bomb in deflate", ztf("deflate", block(1, deflateRawSync(zeros))), "MALFORMED", /unpack/),
    bad("a bomb in snappy", ztf("snappy", block(1, snappyBomb)), "MALFORMED", /snappy/),
    bad("zstandard that is none", ztf("zstandard", block(1, Buffer.alloc(50, 0xab))), "MALFORMED", /zstandard/),
    bad(
      "a million empty records",
      container({ "avro.schema": schema([]) }, block(1_000_000, Buffer.alloc(0))),
      "MALFORMED",
      /nothing/,
    ),
    bad("an unknown schema id", Buffer.from([0, 0, 0, 9, 9, 1, 2, 3]), "UNKNOWN_SCHEMA", /2313/),
    ...other.map((bytes, i) => bad(`another survey ${i}`, bytes, "UNKNOWN_SURVEY", /No survey here/)),
    bad("ra NaN", odd({ ra: Number.NaN }), "BAD_VALUE", /ra is NaN/),
    bad("dec infinite", odd({ dec: Number.POSITIVE_INFINITY }), "BAD_VALUE", /dec is Infinity/),
    bad("dec over 90", odd({ dec: 90.0001 }), "BAD_VALUE", /dec is 90.0001/),
    bad("jd NaN", odd({ jd: Number.NaN }), "BAD_VALUE", /jd is NaN/),
    bad("no objectId", odd({ objectId: "" }), "BAD_VALUE", /objectId is empty/),
    bad("an objectId of blanks", odd({ objectId: "  \t" }), "BAD_VALUE", /objectId is empty/),
    bad("candid missing", withLoose({ candid: null }), "BAD_VALUE", /candid is missing/),
    bad("objectId missing", withLoose({ objectId: null }), "BAD_VALUE", /objectId is (missing|empty)/),
    bad("no candidate", noCandidate(), "BAD_VALUE", /missing/),
  ];
}
function withLoose(more: object): Buffer {
  const encode = recordEncoder(looseSchema);
  const fields = JSON.parse(ZTF_SCHEMA).fields[4].type.fields as { name: string; type: unknown }[];
  const candidate = Object.fromEntries(
    fields.map(({ name, type }) => [name, Array.isArray(type) ? null : type === "string" ? "t" : 1]),
  );
  return writeContainer(looseSchema, [
    encode({ schemavsn: "4", publisher: "x", objectId: "ZTF26loose", candid: 77n, candidate, ...more }),
  ]);
}
function noCandidate(): Buffer {
  const text = schema([
    { name: "objectId", type: "string" },
    { name: "candid", type: "long" },
  ]);
  return writeContainer(text, [recordEncoder(text)({ objectId: "ZTF26bare", candid: 78n })]);
}

describe("bad packets among good ones", () => {
  test("in a folder: a letter each, in words, and every good one stored", async () => {
    const files = await badFiles();
    for (const [i, { bytes }] of files.entries()) {
      await put(`${String(i).padStart(3, "0")}-a.avro`, ztfFile(good(i)));
      await put(`${String(i).padStart(3, "0")}-b.avro`, bytes);
    }
    // The same candid with another content, and the same bytes again.
    await put("900.avro", ztfFile(good(0, { magpsf: 12 })));
    await put("901.avro", ztfFile(good(1)));
    service = await startTestService();
    const counts = await service.ingest(join(folder, "in"));
    expect(counts).toMatchObject({
      read: 2 * files.length + 2,
      stored: files.length,
      duplicates: 1,
      deadLetters: files.length + 1,
    });
    const letters = new Map((await lettersOf(service)).map((letter) => [letter.source.split("/").at(-1)!, letter]));
    expect(letters.size).toBe(files.length + 1);
    for (const [i, { name, bytes, reason, says }] of files.entries()) {
      const letter = letters.get(`${String(i).padStart(3, "0")}-b.avro`)!;
      expect(`${name}: ${letter?.reason}`).toBe(`${name}: ${reason}`);
      expect(letter.message).toMatch(says);
      expect(letter.message).toMatch(/^\S.{5,399}\.$/s);
      expect(letter.position).toMatch(/^(file|record 1|byte \d+)$/);
      expect(letter.bytesKept).toBeGreaterThanOrEqual(Math.min(1, bytes.length));
      expect(letter.bytesKept).toBeLessThanOrEqual(16 * 1024 * 1024);
    }
    expect(letters.get("900.avro")).toMatchObject({ reason: "CANDID_CONFLICT", survey: "ZTF" });
    expect(letters.get("900.avro")!.message).toContain(String(GOOD.candid));
    expect(new Set((await lettersOf(service, 1000)).map(({ id }) => id)).size).toBe(letters.size);
    expect(await candidsOf(service)).toEqual(files.map((_, i) => String(good(i).candid)).sort());
    await showAll(service);
    // The first one stayed.
    const { alert } = await service.ask<{ alert: { magnitude: number } }>(
      "query ($c: Long!) { alert(survey: ZTF, candid: $c) { magnitude } }",
      { c: String(GOOD.candid) },
    );
    expect(alert.magnitude).toBe(18);
  });

  test("in one tar, zipped and not", async () => {
    const files = await badFiles();
    const packer = pack();
    for (const [i, { bytes }] of files.entries()) {
      packer.entry({ name: `${i}-a.avro` }, ztfFile(good(i)));
      packer.entry({ name: `${i}-b.avro` }, Buffer.from(bytes));
    }
    packer.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of packer) chunks.push(chunk as Buffer);
    const tar = Buffer.concat(chunks);
    service = await startTestService();
    const expected = { read: 2 * files.length, deadLetters: files.length };
    expect(await service.ingest(await put("a.tar", tar))).toMatchObject({ ...expected, stored: files.length });
    expect(await service.ingest(await put("b.tar.gz", gzipSync(tar)))).toMatchObject({
      ...expected,
      stored: 0,
      duplicates: files.length,
    });
  });

  test("one bad record in a container of good ones", async () => {
    const bodies = [0, 1, 2, 3, 4].map((n) => ztfRecord(good(n)));
    bodies[2] = ztfRecord(good(2, { ra: Number.NaN }));
    bodies[3] = bodies[3]!.subarray(0, 100);
    service = await startTestService();
    const path = await put("night.avro", writeContainer(ZTF_SCHEMA, bodies));
    expect(await service.ingest(path)).toMatchObject({ read: 5, stored: 3, duplicates: 0, deadLetters: 2 });
    expect((await lettersOf(service)).map(({ reason, position }) => [reason, position]).sort()).toEqual([
      ["BAD_VALUE", "record 3"],
      ["MALFORMED", "record 4"],
    ]);
  });
});

describe("odd packets that are packets", () => {
  const ODD: [string, Partial<ZtfAlert>, object][] = [
    ["ra 360", { ra: 360 }, { ra: 0 }],
    ["ra -0.5", { ra: -0.5 }, { ra: 359.5 }],
    ["the north pole", { dec: 90 }, { dec: 90 }],
    ["the south pole", { dec: -90 }, { dec: -90 }],
    ["a negative candid", { candid: -5n }, { candid: "-5" }],
    ["the smallest candid", { candid: -(2n ** 63n) }, { candid: "-9223372036854775808" }],
    ["the largest candid", { candid: 2n ** 63n - 1n }, { candid: "9223372036854775807" }],
    ["magnitude NaN", { magpsf: Number.NaN }, { magnitude: null, flux: null }],
    ["magnitude infinite", { magpsf: Number.POSITIVE_INFINITY }, { magnitude: null }],
    ["a programid of the future", { programid: 2 ** 31 - 1 }, { ra: 150 }],
    ["jd 0", { jd: 0 }, { jd: 0 }],
    ["jd -1e9", { jd: -1e9 }, { jd: -1e9 }],
    ["jd 1e300", { jd: 1e300 }, {}],
    ["a magnitude that no flux can have", { magpsf: -3e38 }, { flux: null }],
    ["a magnitude that no telescope measures", { magpsf: 3e38 }, { magnitude: null, flux: null }],
    [
      "a history of nonsense",
      {
        history: [1e300, Number.NaN, -1e13, 5].flatMap((jd, i) => [
          { jd, pid: BigInt(i), programid: 1, candid: BigInt(i), magpsf: -3e38, diffmaglim: Number.POSITIVE_INFINITY },
          { jd, pid: BigInt(i), programid: 1, diffmaglim: Number.POSITIVE_INFINITY },
          { jd, pid: BigInt(10 + i), programid: 1, diffmaglim: 3e38 },
        ]),
        forced: [1e300, Number.NaN, 5].map((jd, i) => ({
          jd,
          pid: BigInt(i),
          programid: 1,
          forcediffimflux: i === 2 ? 3.4e38 : Number.NEGATIVE_INFINITY,
        })),
      },
      { ra: 150 },
    ],
    [
      "an objectId in another script",
      { objectId: "ZTF26\u0416\u661f\u{1f30c}" },
      { objectId: "ZTF26\u0416\u661f\u{1f30c}" },
    ],
    ["an objectId with a zero byte and quotes", { objectId: "ZTF26\0'\"\\" }, { objectId: "ZTF26\0'\"\\" }],
    ["an objectId of 1 MB", { objectId: "x".repeat(1_000_000) }, { ra: 150 }],
  ];
  // One service for all of them: none may spoil what comes after it, nor what is shown of those before.
  let odd: TestService;
  beforeAll(async () => {
    // All stores take it: the graph as well, by a hit and by itself.
    odd = await startTestService({ GRAPH_SCOPE: "all" });
    await odd.ask(
      `mutation { createFilter(input: { name: "any", survey: ZTF, where: "candid is not null or magpsf < 99", annotations: [{ name: "m", expression: "magpsf" }] }) { id } }`,
    );
  });
  afterAll(() => odd?.close());
  let [cases, letters] = [0, 0];
  test.each(ODD)("%s", async (_, more, shown) => {
    cases += 1;
    const own = { objectId: `ZTF26odd${cases}` };
    const alert = good(10 * cases, { ...own, ...more });
    const counts = await odd.ingest(await put("odd.avro", ztfFile(alert, good(10 * cases + 1, own))));
    expect(counts.read).toBe(2);
    expect(counts.stored + counts.deadLetters).toBe(2);
    expect(counts.stored).toBeGreaterThanOrEqual(1);
    expect(counts.hits).toBe(counts.stored);
    letters += counts.deadLetters;
    const told = await lettersOf(odd);
    expect(told).toHaveLength(letters);
    if (counts.stored === 1) {
      expect(told[0]!.reason).toBe("BAD_VALUE");
    } else {
      const found = await odd.ask<{ alert: object }>(
        "query ($c: Long!) { alert(survey: ZTF, candid: $c) { candid objectId jd ra dec magnitude flux time } }",
        { c: String(alert.candid) },
      );
      expect(found.alert).toMatchObject(shown);
    }
    await showAll(odd);
  });
});

describe("random damage", () => {
  test("real packets with flipped, lost and doubled bytes: no crash, and every packet is accounted for", async () => {
    let state = 4;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const names = (await readdir(REAL)).sort().slice(0, 8);
    const wholes = await Promise.all(names.map((name) => readFile(join(REAL, name))));
    for (const [i, whole] of wholes.entries()) {
      for (let variant = 0; variant < 40; variant += 1) {
        const bytes = Buffer.from(whole);
        // The header, the fields and the history are what can be misread; the cutouts are most of the bytes.
        const near = variant % 4 === 0 ? bytes.length : 12_000;
        const damage = variant % 3;
        for (let n = 0; n <= random(6); n += 1) bytes[bytes.length - 1 - random(near)]! ^= 1 << random(8);
        for (let n = 0; n <= random(3); n += 1) bytes[1_000 + random(30_000)]! ^= 1 << random(8);
        const at = random(bytes.length);
        const cut =
          damage === 0
            ? bytes
            : damage === 1
              ? bytes.subarray(0, at)
              : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - 50)]);
        await put(`${i}-${variant}.avro`, cut);
      }
      await put(`${i}-whole.avro`, whole);
    }
    service = await startTestService();
    const counts = await service.ingest(join(folder, "in"));
    expect(counts.read).toBe(counts.stored + counts.duplicates + counts.deadLetters);
    expect(counts.read).toBeGreaterThanOrEqual(8 * 41);
    expect(counts.stored).toBeGreaterThan(0);
    expect(await lettersOf(service, 1000)).toHaveLength(counts.deadLetters);
    await showAll(service);
    // The service lives and takes the next one in.
    expect(await service.ingest(await put("z/next.avro", ztfFile(good(1))))).toMatchObject({ stored: 1 });
  });
});

describe("the command", () => {
  const run = async (...paths: string[]) => {
    const command = startCommand(["ingest", ...paths], { DATA_DIR: join(folder, "data") });
    let peak = 0;
    const timer = setInterval(async () => {
      const status = await readFile(`/proc/${command.pid}/status`, "utf8").catch(() => "");
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    }, 20);
    const { code } = await command.ended;
    clearInterval(timer);
    return {
      code,
      last: JSON.parse(command.output.at(-1) ?? "null") as object,
      errors: command.errors.join("\n"),
      peak,
    };
  };

  test("all good: 0; a folder of nothing: 0; something bad: 1, said in words; the last line is the sums", async () => {
    const path = await put("good.avro", ztfFile(good(1), good(2)));
    await mkdir(join(folder, "void"));
    expect(await run(path)).toMatchObject({ code: 0, last: { read: 2, stored: 2, duplicates: 0, deadLetters: 0 } });
    expect(await run(join(folder, "void"))).toMatchObject({ code: 0, last: { read: 0, stored: 0 } });
    await put("bad.avro", Buffer.from("nothing of use"));
    const mixed = await run(join(folder, "in"), join(folder, "missing"));
    expect(mixed).toMatchObject({ code: 1, last: { read: 4, stored: 0, duplicates: 2, deadLetters: 2 } });
    expect(mixed.errors).toMatch(/2 packets were set aside.*deadLetters/);
  });

  test("2 GB of zeros, bombs and a large container go through in bounded memory", async () => {
    await put("a.avro", ztfFile(good(1)));
    const zeros = await put("zeros.avro", "");
    await truncate(zeros, 2 * 2 ** 30);
    const declared = await put("declared.avro", ztf("null", varint(1), varint(2 ** 31 - 1)));
    await truncate(declared, 2 * 2 ** 30);
    await put("bomb.avro.gz", gzipSync(Buffer.alloc(400 * 2 ** 20), { level: 9 }));
    const bomb = block(1, deflateRawSync(Buffer.alloc(60 * 2 ** 20)));
    await put("deflate.avro", ztf("deflate", ...Array.from({ length: 20 }, () => bomb)));
    const night = await open(join(folder, "in/night.avro"), "w");
    const image = Buffer.alloc(100_000, 1);
    const text = schema([
      { name: "id", type: "long" },
      { name: "image", type: "bytes" },
    ]);
    await night.write(container({ "avro.schema": text }));
    const encode = recordEncoder(text);
    for (let i = 0; i < 2_000; i += 1) await night.write(block(1, encode({ id: i, image })));
    await night.close();
    await put("z.avro", ztfFile(good(2)));
    const { code, last, peak } = await run(join(folder, "in"));
    expect([code, last]).toEqual([1, { read: 2 + 2 + 1 + 20 + 2_000, stored: 2, duplicates: 0, deadLetters: 2_023 }]);
    expect(peak / 1024).toBeLessThan(1_600);
  }, 180_000);
});
