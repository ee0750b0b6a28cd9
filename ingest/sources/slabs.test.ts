// Packets in memory that is used again: each is what its file says until it is released, and the memory does not grow with
// the files.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Packet } from "../../domain/packet.js";
import { schemaLookup } from "../avro/confluent.js";
import { ContainerWriter, recordEncoder, writeContainer } from "../avro/write.js";
import { openFiles } from "./files.js";
import { SLAB_BYTES, Slabs } from "./slabs.js";

const SCHEMA = JSON.stringify({ type: "record", name: "r", fields: [{ name: "payload", type: "bytes" }] });
const BYTES = 400_000;
const encode = recordEncoder(SCHEMA);
/** Bytes that no other record has. */
const body = (id: number): Buffer => encode({ payload: Buffer.alloc(BYTES, `record ${id}, `) });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-slabs-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function oneContainer(records: number, codec: "null" | "deflate" = "null"): Promise<string[]> {
  const path = join(folder, `${codec}-${records}.avro`);
  const writer = new ContainerWriter(SCHEMA, codec);
  const blocks = Array.from({ length: records }, (_, id) => writer.block([body(id)]));
  await writeFile(path, Buffer.concat([writer.header(), ...blocks]));
  return [path];
}

async function tarred(records: number, zipped: boolean): Promise<string[]> {
  const packer = pack();
  for (let id = 0; id < records; id += 1) packer.entry({ name: `${id}.avro` }, writeContainer(SCHEMA, [body(id)]));
  packer.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packer) chunks.push(chunk as Buffer);
  const path = join(folder, zipped ? "night.tar.gz" : "night.tar");
  await writeFile(path, zipped ? gzipSync(Buffer.concat(chunks), { level: 1 }) : Buffer.concat(chunks));
  return [path];
}

async function manyFiles(records: number): Promise<string[]> {
  const paths = Array.from({ length: records }, (_, id) => join(folder, `alone-${String(id).padStart(5, "0")}.avro`));
  for (const [id, path] of paths.entries()) await writeFile(path, writeContainer(SCHEMA, [body(id)]));
  return paths;
}

/** Reads with at most `held` packets not yet released; says what was wrong, and how many pieces of memory there were. */
async function read(paths: string[], held: number) {
  const { items } = await openFiles(paths, () => schemaLookup(async () => null), new Slabs());
  const memory = new Set<ArrayBufferLike>();
  const waiting: [number, Packet][] = [];
  const wrong: number[] = [];
  let id = 0;
  const release = ([which, packet]: [number, Packet]): void => {
    if (!body(which).equals(packet.bytes)) wrong.push(which);
    packet.release?.();
  };
  for await (const item of items()) {
    if ("reason" in item) throw new Error(item.message);
    memory.add(item.bytes.buffer);
    waiting.push([id, item]);
    id += 1;
    if (waiting.length > held) release(waiting.shift()!);
  }
  waiting.forEach(release);
  return { read: id, wrong, memory: memory.size };
}

const PER_SLAB = Math.floor(SLAB_BYTES / BYTES);
const RECORDS = 4 * PER_SLAB;

describe.each([
  ["a container of many pieces", () => oneContainer(RECORDS)],
  ["a tar archive", () => tarred(RECORDS, false)],
  ["a zipped tar archive", () => tarred(RECORDS, true)],
  ["small files", () => manyFiles(RECORDS)],
])("%s", (_name, make) => {
  test("uses the memory of released packets again, and no other", async () => {
    const paths = await make();
    const some = await read(paths, PER_SLAB / 2);
    expect(some).toMatchObject({ read: RECORDS, wrong: [] });
    expect(some.memory).toBeLessThanOrEqual(3);
    const all = await read(paths, Number.POSITIVE_INFINITY);
    expect(all).toMatchObject({ read: RECORDS, wrong: [] });
    expect(all.memory).toBeGreaterThanOrEqual(4);
  });
});

test("unpacked records lie elsewhere and are what they were", async () => {
  expect(await read(await oneContainer(RECORDS, "deflate"), 10)).toMatchObject({ read: RECORDS, wrong: [] });
});
