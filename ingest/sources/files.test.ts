// Files as people have them, whole and broken: every packet in order with its place, every fault a dead letter, and no
// more memory than the bounds say.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { mkdtemp, open, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TocsinError } from "../../domain/errors.js";
import type { DeadLetter, Packet } from "../../domain/packet.js";
import { schemaLookup } from "../avro/confluent.js";
import { writerSchema } from "../avro/schema.js";
import { ContainerWriter, recordEncoder, writeContainer } from "../avro/write.js";
import { openFiles } from "./files.js";
import { Slabs } from "./slabs.js";

const SCHEMA = JSON.stringify({
  type: "record",
  name: "r",
  fields: [
    { name: "id", type: "long" },
    { name: "payload", type: "bytes" },
  ],
});
const encode = recordEncoder(SCHEMA);
const body = (id: number, size = 20) => encode({ id: BigInt(id), payload: Buffer.alloc(size, id) });
const container = (...ids: number[]) =>
  writeContainer(
    SCHEMA,
    ids.map((id) => body(id)),
  );
const framed = (id: number) => Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), body(id)]);
/** Reads a record's id back: the first varint. */
const idOf = (packet: Packet): number => {
  let value = 0;
  for (let i = 0, scale = 1; ; i += 1, scale *= 128) {
    value += (packet.bytes[i]! & 0x7f) * scale;
    if (packet.bytes[i]! < 128) return value / 2;
  }
};

interface Member {
  name: string;
  bytes?: Buffer;
  type?: "file" | "symlink" | "link" | "character-device" | "block-device" | "fifo" | "directory";
  linkname?: string;
}
async function tar(...members: Member[]): Promise<Buffer> {
  const packer = pack();
  for (const { name, bytes, type, linkname } of members) {
    packer.entry({ name, type: type ?? "file", ...(linkname !== undefined && { linkname }) }, bytes ?? Buffer.alloc(0));
  }
  packer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-sources-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

const schemas = () => schemaLookup(async (id) => (id === 7 ? writerSchema(SCHEMA) : null));
/** What comes out, in short: the ids of packets with their places, the reasons of letters with theirs. */
async function read(...paths: string[]) {
  const { items, progress } = await openFiles(paths, schemas, new Slabs());
  const found: [number | DeadLetter["reason"], string, string][] = [];
  const letters: DeadLetter[] = [];
  for await (const item of items()) {
    const { source, position } = item.origin;
    found.push(["reason" in item ? item.reason : idOf(item), source.replace(`${folder}/`, ""), position]);
    if ("reason" in item) letters.push(item);
  }
  for (const { message, bytes } of letters) {
    expect(message).toMatch(/^\S.*\.$/s);
    expect(message.length).toBeLessThan(400);
    expect(bytes?.length ?? 0).toBeLessThanOrEqual(16 * 1024 * 1024);
  }
  return { found, letters, progress };
}

describe("where packets lie", () => {
  test("a file, a folder of any depth in order, .tar, .tar.gz, .tgz, .avro.gz, a framed packet", async () => {
    const members = [
      { name: "x/a.avro", bytes: container(1, 2) },
      { name: "b.avro", bytes: framed(3) },
    ];
    await put("mixed/1.avro", container(10, 11));
    await put("mixed/2.avro", framed(12));
    await put("mixed/3/deep/er.avro", container(13));
    await put("mixed/4.tar", await tar(...members));
    await put("mixed/5.tar.gz", gzipSync(await tar(...members)));
    await put("mixed/6.TGZ", gzipSync(await tar(...members)));
    await put("mixed/7.avro.gz", gzipSync(container(14)));
    await put("mixed/8.avro.gz", gzipSync(framed(15)));
    await put("mixed/notes.txt", Buffer.from("not for us"));
    const alone = await put("alone", container(20));
    const { found, letters, progress } = await read(join(folder, "mixed"), alone);
    expect(letters).toEqual([]);
    const inside = (name: string) => [
      [1, `mixed/${name}!x/a.avro`, "record 1"],
      [2, `mixed/${name}!x/a.avro`, "record 2"],
      [3, `mixed/${name}!b.avro`, "record 1"],
    ];
    expect(found).toEqual([
      [10, "mixed/1.avro", "record 1"],
      [11, "mixed/1.avro", "record 2"],
      [12, "mixed/2.avro", "record 1"],
      [13, "mixed/3/deep/er.avro", "record 1"],
      ...inside("4.tar"),
      ...inside("5.tar.gz"),
      ...inside("6.TGZ"),
      [14, "mixed/7.avro.gz", "record 1"],
      [15, "mixed/8.avro.gz", "record 1"],
      [20, "alone", "record 1"],
    ]);
    expect([progress.filesDone, progress.bytesDone]).toEqual([progress.filesTotal, progress.bytesTotal]);
  });

  test("what is not there, not a file, or not to be read, does not stop the rest", async () => {
    const good = await put("odd/good.avro", container(1));
    await symlink(join(folder, "nowhere"), join(folder, "odd/dangling.avro"));
    await symlink(join(folder, "odd/circle.avro"), join(folder, "odd/circle.avro"));
    await symlink(folder, join(folder, "odd/folder.avro"));
    await symlink(good, join(folder, "odd/link.avro"));
    execFileSync("mkfifo", [join(folder, "odd/pipe.avro")]);
    mkdirSync(join(folder, "void"));
    const missing = join(folder, "missing.avro");
    const { found, letters } = await read(join(folder, "odd"), missing, join(folder, "void"), "/dev/zero");
    expect(found.filter(([what]) => typeof what === "number")).toEqual([
      [1, "odd/good.avro", "record 1"],
      [1, "odd/link.avro", "record 1"],
    ]);
    expect(letters.map(({ reason, message }) => [reason, message.replaceAll(folder, "")]).sort()).toEqual([
      ["UNREADABLE", "/dev/zero cannot be read: it is not a file."],
      ["UNREADABLE", "/missing.avro cannot be read: there is no such file or folder."],
      ["UNREADABLE", "/odd/circle.avro cannot be read: its links go round in circles."],
      ["UNREADABLE", "/odd/dangling.avro cannot be read: there is no such file or folder."],
      ["UNREADABLE", "/odd/folder.avro cannot be read: it is a link to a folder."],
      ["UNREADABLE", "/odd/pipe.avro cannot be read: it is not a file."],
    ]);
  });

  test.skipIf(process.getuid?.() === 0)("a file of somebody else's (not as root, who may read all)", async () => {
    const path = await put("locked.avro", container(1));
    execFileSync("chmod", ["000", path]);
    expect((await read(path)).letters[0]).toMatchObject({ reason: "UNREADABLE", message: /permission denied/ });
  });

  test("a lost registry is not the file's fault", async () => {
    const path = await put("framed/a.avro", framed(1));
    const lost = () =>
      schemaLookup(async () => {
        throw new TocsinError("ENGINE_UNAVAILABLE", "The registry is away.");
      });
    for (const each of [path, await put("framed/b.tar.gz", gzipSync(await tar({ name: "a", bytes: framed(1) })))]) {
      const { items } = await openFiles([each], lost, new Slabs());
      await expect(items().next()).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    }
  });
});

describe("hostile archives", () => {
  test("paths that climb, links and devices are passed over", async () => {
    const good = { name: "good.avro", bytes: container(1) };
    const path = await put(
      "climb.tar",
      await tar(
        { name: "../../escape.avro", bytes: container(2) },
        { name: "/etc/absolute.avro", bytes: container(3) },
        { name: "a/../../b.avro", bytes: container(4) },
        { name: "a\\..\\b.avro", bytes: container(5) },
        { name: "link", type: "symlink", linkname: "/etc/passwd" },
        { name: "hard", type: "link", linkname: "good.avro" },
        { name: "null", type: "character-device" },
        { name: "disk", type: "block-device" },
        { name: "pipe", type: "fifo" },
        { name: "folder", type: "directory" },
        good,
      ),
    );
    const { found } = await read(path);
    expect(found.map(([what]) => what)).toEqual(["UNSAFE_PATH", "UNSAFE_PATH", "UNSAFE_PATH", "UNSAFE_PATH", 1]);
  });

  test("a tar cut off anywhere gives what it holds before the cut, and a letter", async () => {
    const whole = await tar(...[1, 2, 3].map((id) => ({ name: `${id}.avro`, bytes: container(id) })));
    const ends = [1, 2, 3].map((n) => (n * whole.length) / 4);
    for (let cut = 300; cut < ends[2]!; cut += 173) {
      const { found } = await read(await put("cut.tar", whole.subarray(0, cut)));
      const ids = found.filter(([what]) => typeof what === "number").map(([id]) => id);
      expect(ids).toEqual([1, 2, 3].slice(0, ids.length));
      if (ids.length < 3) expect([cut, found.length]).toEqual([cut, ids.length + 1]);
    }
  });

  test("a tar of nothing, a member that declares too much", async () => {
    const nothing = Buffer.alloc(10_240);
    nothing.write("ustar", 257);
    expect((await read(await put("nothing.tar", nothing))).letters).toHaveLength(1);
    const large = await tar({ name: "large.avro", bytes: container(1) });
    large.write("77777777777 ", 124); // octal size: 8 GiB
    let sum = 8 * 32;
    for (let i = 0; i < 512; i += 1) if (i < 148 || i >= 156) sum += large[i]!;
    large.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    expect((await read(await put("large.tar", large))).found.map(([what]) => what)).toEqual(["TOO_LARGE", "TRUNCATED"]);
  });

  test("the archive of a night without alerts: a tar of no members, zipped or not, and no schema is asked for", async () => {
    const asked: number[] = [];
    const asking = () =>
      schemaLookup(async (id) => {
        asked.push(id);
        return null;
      });
    const none = await tar();
    for (const [name, bytes] of [
      ["none.tar.gz", gzipSync(none)],
      ["blocked.tar.gz", gzipSync(Buffer.alloc(10_240))],
      ["none.tar", none],
      ["zeros.avro", Buffer.alloc(5)],
    ] as const) {
      const { items } = await openFiles([await put(`empty/${name}`, bytes)], asking, new Slabs());
      const found = [];
      for await (const item of items()) found.push(item);
      expect(found).toMatchObject([{ reason: "EMPTY", message: expect.stringMatching(/nothing but zeros/) }]);
    }
    expect(asked).toEqual([]);
  });

  test("a .gz that is cut, damaged, or unpacks without an end", async () => {
    const zipped = gzipSync(container(...Array.from({ length: 50 }, (_, i) => i)));
    const damaged = Buffer.from(zipped);
    damaged[damaged.length - 6]! ^= 0xff; // its checksum
    expect((await read(await put("a.avro.gz", zipped.subarray(0, -20)))).found[0]![0]).toBe("TRUNCATED");
    expect((await read(await put("b.avro.gz", damaged))).letters).toHaveLength(1);
    const bomb = gzipSync(Buffer.alloc(300 * 2 ** 20), { level: 9 });
    const member = gzipSync(
      await tar(
        { name: "zeros.avro", bytes: Buffer.alloc(200 * 2 ** 20) },
        { name: "more", bytes: Buffer.alloc(200 * 2 ** 20) },
      ),
    );
    const before = process.memoryUsage().arrayBuffers;
    expect((await read(await put("bomb.avro.gz", bomb))).found.map(([what]) => what)).toEqual(["TOO_LARGE"]);
    const { found } = await read(await put("bomb.tar.gz", member));
    expect(found.at(-1)![0]).toBe("TOO_LARGE");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(900 * 2 ** 20);
  });
});

describe("files larger than memory should be", () => {
  const GIB = 2 ** 30;
  /** A file of this size, of which only the beginning is on the disk. */
  async function sparse(name: string, start: Uint8Array, bytes: number): Promise<string> {
    const path = await put(name, start);
    await truncate(path, bytes);
    return path;
  }
  const header = new ContainerWriter(SCHEMA).header();
  const declared = (bytes: number[]) => Buffer.concat([header, Buffer.from(bytes)]);

  test.each<[string, Uint8Array, string[]]>([
    ["zeros", Buffer.alloc(0), ["NOT_AVRO"]],
    ["a foreign file", Buffer.from("SIMPLE  =                    T"), ["NOT_AVRO"]],
    ["a container that goes on with zeros", header, ["MALFORMED"]],
    ["a block that declares a gigabyte", declared([2, 0x80, 0x80, 0x80, 0x80, 0x08]), ["TOO_LARGE"]],
    ["a block whose head never ends", declared(Array(64).fill(0xff)), ["TRUNCATED"]],
    ["a block of negative size", declared([2, 1]), ["MALFORMED"]],
    ["a header without a schema", Buffer.from("Obj\x01\x02\x16", "latin1"), ["NOT_AVRO"]],
    ["a header that never ends", Buffer.from("Obj\x01\x02\x80\x80\x80\x80\x08", "latin1"), ["TRUNCATED"]],
  ])(
    "%s",
    async (name, start, reasons) => {
      const before = process.resourceUsage().maxRSS;
      const path = await sparse(`${name}.avro`, start, 2.5 * GIB);
      const { found } = await read(path);
      expect(found.map(([what]) => what)).toEqual(reasons);
      expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(300);
      await rm(path);
    },
    120_000,
  );

  test("120 MB in one container: each record with its number, a torn end, a damaged block in the middle", async () => {
    const writer = new ContainerWriter(SCHEMA, "null");
    const path = join(folder, "night.avro");
    const file = await open(path, "w");
    const ends: number[] = [];
    let [at, records] = [0, 0];
    const write = async (bytes: Buffer) => {
      await file.write(bytes);
      at += bytes.length;
    };
    await write(writer.header());
    for (let block = 0; block < 220; block += 1) {
      const bodies = Array.from({ length: 1 + (block % 13) }, (_, i) => body(records + i + 1, 80_000));
      records += bodies.length;
      await write(writer.block(bodies));
      ends.push(at);
    }
    await file.close();
    expect(at).toBeGreaterThan(115_000_000);

    const { items } = await openFiles([path], schemas, new Slabs());
    let count = 0;
    for await (const item of items()) {
      count += 1;
      if ("reason" in item) throw new Error(item.message);
      if (idOf(item) !== count || item.origin.position !== `record ${count}`) throw new Error(`record ${count}`);
    }
    expect(count).toBe(records);

    await truncate(path, at - 1_000);
    const torn = await read(path);
    const lost = 1 + (219 % 13);
    expect(torn.found).toHaveLength(records - lost + 1);
    expect(torn.found.at(-1)).toEqual(["TRUNCATED", "night.avro", `byte ${ends[218]}`]);

    // The sync marker of a block far inside.
    const damaged = await open(path, "r+");
    await damaged.write(Buffer.from("damaged!"), 0, 8, ends[150]! - 8);
    await damaged.close();
    const { found } = await read(path);
    const whole = Array.from({ length: 150 }, (_, block) => 1 + (block % 13)).reduce((sum, n) => sum + n, 0);
    expect(found.slice(0, -1).map(([id]) => id)).toEqual(Array.from({ length: whole }, (_, i) => i + 1));
    expect(found.at(-1)).toEqual(["MALFORMED", "night.avro", `byte ${ends[149]}`]);
    await rm(path);
  }, 120_000);

  test("containers one behind the other in 120 MB, with schemas and sync markers of their own, the last one torn", async () => {
    const path = join(folder, "joined.avro");
    const file = await open(path, "w");
    const wide = SCHEMA.replace('"fields":[', '"fields":[{"name":"before","type":["null","int"]},');
    const encodeWide = recordEncoder(wide);
    const [starts, total]: [number[], number] = [[], 120];
    let at = 0;
    for (let n = 1; n <= total; n += 1) {
      const schema = n % 3 === 0 ? wide : SCHEMA;
      const payload = Buffer.alloc(1_000_000, n);
      const one = n % 3 === 0 ? encodeWide({ before: null, id: BigInt(n), payload }) : body(n, payload.length);
      starts.push(at);
      // Now and then a container without a block.
      const bytes = n % 10 === 0 ? new ContainerWriter(SCHEMA).header() : writeContainer(schema, [one]);
      await file.write(bytes);
      at += bytes.length;
    }
    await file.close();
    const filled = Array.from({ length: total }, (_, i) => i + 1).filter((n) => n % 10 !== 0);
    const { items } = await openFiles([path], schemas, new Slabs());
    const found: [number, string][] = [];
    for await (const item of items()) {
      if ("reason" in item) throw new Error(item.message);
      const payload = item.bytes.subarray(-1_000_000);
      found.push([payload[0]!, item.origin.position]);
      if (item.schema.text !== (payload[0]! % 3 === 0 ? wide : SCHEMA)) throw new Error(`schema of ${payload[0]}`);
    }
    expect(found).toEqual(filled.map((n, i) => [n, `record ${i + 1}`]));

    // The last but one holds a block.
    await truncate(path, starts.at(-1)! - 500_000);
    const torn = await read(path);
    expect(torn.found).toHaveLength(filled.length);
    expect(torn.found.at(-1)![0]).toBe("TRUNCATED");
    await rm(path);
  }, 120_000);
});
