// What is written past the page cache is on the disk byte by byte, whatever the sizes are, and blocks are whole.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { alignedHalves, BLOCK_BYTES, SegmentFile } from "./segmentfile.js";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tocsin-segment-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const HALF = alignedHalves()[0].length;
const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES)]);

it.each([
  ["less than a block", [1, 24, 100]],
  ["a block", [24, BLOCK_BYTES - 24]],
  ["a block and a byte", [BLOCK_BYTES, 1]],
  ["a half", [HALF - 1, 1]],
  ["a half and a byte", [HALF, 1]],
  ["several halves in small parts", Array.from({ length: 300 }, (_, n) => 40_000 + n)],
  ["several halves in one part", [3 * HALF + 17]],
  ["nothing", []],
])("%s", async (_name, sizes) => {
  const path = join(dir, "a.seg");
  const file = await SegmentFile.create(path);
  const halves = alignedHalves();
  const batches = [0, 1, 2].map(() => sizes.map((size) => randomBytes(size)));
  let at = 0;
  for (const parts of batches) at = await file.write(parts, at, halves);
  await file.close();
  const told = Buffer.concat(batches.map((parts) => padded(Buffer.concat(parts))));
  expect(at).toBe(told.length);
  expect(readFileSync(path).equals(told)).toBe(true);
});

it("never takes over a file that is there", async () => {
  const path = join(dir, "a.seg");
  await (await SegmentFile.create(path)).close();
  await expect(SegmentFile.create(path)).rejects.toThrow(/EEXIST/);
});
