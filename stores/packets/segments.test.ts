// The packet store on real files: round trip, torn ends, a writer killed, a full disk.
import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { batch, packet, packetContract, schemas } from "../packets.contract.js";
import type { PacketLocation } from "../packets.store.js";
import { dropOldSegments } from "./retention.js";
import { openPacketStore } from "./segments.js";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tocsin-packets-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const segmentFiles = () =>
  readdirSync(dir)
    .filter((name) => name.endsWith(".seg"))
    .sort();
const code = (expected: string) => expect.objectContaining({ code: expected });

describe("segment files", () => {
  it("are many when one is full", async () => {
    const store = await openPacketStore({ dir, segmentBytes: 40_000 });
    const locations: PacketLocation[] = [];
    for (let n = 0; n < 100; n += 10) locations.push(...(await store.append(batch(n, 10))));
    expect(new Set(locations.map((l) => l.segment)).size).toBeGreaterThan(3);
    for (const [n, location] of locations.entries()) expect(await store.read(location)).toEqual(packet(n));
    await store.close();

    const again = await openPacketStore({ dir });
    const [more] = await again.append([packet(100)]);
    expect(more!.segment).toBeGreaterThan(Math.max(...locations.map((l) => l.segment)));
    await again.close();
  });

  it("keep a location's bytes exactly where it says, for anybody to read", async () => {
    const store = await openPacketStore({ dir });
    const [, second] = await store.append(batch(0, 3));
    await store.close();
    const file = readFileSync(join(dir, "00000001.seg"));
    expect(file.subarray(second!.offset, second!.offset + second!.length)).toEqual(packet(1).bytes);
    expect(readFileSync(join(dir, "schemas", `${second!.schema}.json`), "utf8")).toBe(schemas[1].text);
  });

  it("read from more segments at once than may stay open", async () => {
    const store = await openPacketStore({ dir, segmentBytes: 1 });
    const locations: PacketLocation[] = [];
    for (let n = 0; n < 150; n++) locations.push(...(await store.append([packet(n)])));
    expect(segmentFiles()).toHaveLength(150);
    const read = await Promise.all(locations.concat(locations).map((location) => store.read(location)));
    for (const [n, got] of read.entries()) expect(got.bytes).toEqual(packet(n % 150).bytes);
    const open = readdirSync("/proc/self/fd").length;
    await store.close();
    expect(open - readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(65);
  });

  it("leave a torn end alone and go on in a new file", async () => {
    const store = await openPacketStore({ dir });
    const locations = await store.append(batch(0, 5));
    await store.close();
    const [torn] = segmentFiles();
    appendFileSync(join(dir, torn!), readFileSync(join(dir, torn!)).subarray(0, 1000));
    const size = statSync(join(dir, torn!)).size;
    const again = await openPacketStore({ dir });
    const [next] = await again.append([packet(5)]);
    for (const [n, location] of [...locations, next!].entries()) expect(await again.read(location)).toEqual(packet(n));
    expect(statSync(join(dir, torn!)).size).toBe(size);
    await again.close();
  });

  it("say so when bytes on disk are not those that were written", async () => {
    const store = await openPacketStore({ dir });
    const [a, b] = await store.append([packet(1, 500), packet(2, 500)]);
    const path = join(dir, segmentFiles()[0]!);
    const bytes = readFileSync(path);
    bytes[a!.offset + 100]! ^= 1;
    writeFileSync(path, bytes);
    await expect(store.read(a!)).rejects.toThrow(code("DATA_DAMAGED"));
    expect((await store.read(b!)).bytes).toEqual(packet(2, 500).bytes);
    truncateSync(path, b!.offset + 100);
    await expect(store.read(b!)).rejects.toThrow(code("DATA_DAMAGED"));
    await store.close();
  });

  it("are dropped whole when they are old, and packets of those say so", async () => {
    const store = await openPacketStore({ dir, segmentBytes: 1 });
    const locations: PacketLocation[] = [];
    for (let n = 0; n < 5; n++) locations.push(...(await store.append([packet(n)])));
    const longAgo = new Date(Date.now() - 40 * 86_400_000);
    for (const n of [0, 1, 3, 4]) utimesSync(join(dir, segmentFiles()[n]!), longAgo, longAgo);
    expect(await dropOldSegments(dir, 30)).toBe(2);
    for (const n of [0, 1]) await expect(store.read(locations[n]!)).rejects.toThrow(code("PACKET_EXPIRED"));
    for (const n of [2, 3, 4]) expect(await store.read(locations[n]!)).toEqual(packet(n));
    await expect(store.read({ ...locations[0]!, segment: 77 })).rejects.toThrow(code("DATA_DAMAGED"));
    await store.close();

    utimesSync(join(dir, segmentFiles()[0]!), longAgo, longAgo);
    expect(await dropOldSegments(dir, 30)).toBe(2);
    const again = await openPacketStore({ dir });
    expect(await again.read(locations[4]!)).toEqual(packet(4));
    await expect(again.read(locations[3]!)).rejects.toThrow(code("PACKET_EXPIRED"));
    expect((await again.append([packet(5)]))[0]!.segment).toBe(6);
    await again.close();
  });
});

packetContract(
  () => openPacketStore({ dir, segmentBytes: 40_000 }),
  () => openPacketStore({ dir }),
);

const root = join(import.meta.dirname, "..", "..");
const WRITER = `
import { openPacketStore } from "./stores/packets/segments.js";
const store = await openPacketStore({ dir: process.argv[2], segmentBytes: 300000 });
const schema = { fingerprint: ${JSON.stringify(schemas[0].fingerprint)}, text: ${JSON.stringify(schemas[0].text)} };
for (let n = 0; ; n++) {
  const batch = Array.from({ length: 20 }, (_, k) => ({ bytes: new Uint8Array(3000).fill(n + k), schema }));
  const locations = await store.append(batch);
  process.stdout.write(JSON.stringify({ n, locations }) + "\\n");
}`;

it("every batch that a writer was told of is there after kill -9", async () => {
  const build = join(dir, "build");
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const settings = ["--ignoreConfig", "--noCheck", "--module", "nodenext", "--target", "es2022", "--rootDir", root];
  mkdirSync(build);
  writeFileSync(join(build, "package.json"), '{"type":"module"}');
  execFileSync(process.execPath, [tsc, ...settings, "--outDir", build, join(root, "stores/packets/segments.ts")]);
  writeFileSync(join(build, "writer.js"), WRITER);
  const packets = join(dir, "packets");
  const told: { n: number; locations: PacketLocation[] }[] = [];
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [join(build, "writer.js"), packets], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let batches = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      told.push(JSON.parse(line));
      if (++batches === 10 + round * 7) child.kill("SIGKILL");
    }
    expect(batches).toBeGreaterThanOrEqual(10);
  }
  const store = await openPacketStore({ dir: packets });
  for (const { n, locations } of told) {
    for (const [k, location] of locations.entries()) {
      expect(Buffer.alloc(3000, n + k).equals((await store.read(location)).bytes)).toBe(true);
    }
  }
  await store.close();
});

/** A 1 MB disk of its own; needs the right to mount. */
function mountable(): boolean {
  const point = mkdtempSync(join(tmpdir(), "tocsin-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4k", "tmpfs", point], { stdio: "ignore" });
    execFileSync("umount", [point], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(point, { recursive: true, force: true });
  }
}

describe.skipIf(!mountable())("a full disk (needs the right to mount a tmpfs)", () => {
  it("is said by its code, leaves no half batch, and goes on when there is room", async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", dir]);
    try {
      const store = await openPacketStore({ dir });
      const locations = await store.append([packet(0, 400_000)]);
      const before = statSync(join(dir, segmentFiles()[0]!)).size;
      await expect(store.append([packet(1, 300_000), packet(2, 400_000)])).rejects.toThrow(code("DISK_FULL"));
      expect(statSync(join(dir, segmentFiles()[0]!)).size).toBe(before);
      locations.push(...(await store.append([packet(1, 300_000)])));
      for (const [n, location] of locations.entries()) {
        expect((await store.read(location)).bytes).toEqual(packet(n, location.length).bytes);
      }
      await store.close();
    } finally {
      // Lazily: a failed expectation leaves files open.
      execFileSync("umount", ["-l", dir]);
    }
  });
});
