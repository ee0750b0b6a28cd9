// A million positions, in memory: what they take, how long an alert is, and lists that would make it long.
import { expect, it } from "vitest";
import { random } from "../../bench/random.js";
import type { WatchedPositions } from "../../domain/mark.js";
import { EntryCheck } from "./entries.js";
import { heldList } from "./held.js";

const PART = 100_000;
const COUNT = 1_000_000;

function* positions(place: (n: number) => readonly [number, number], radius: number): Generator<WatchedPositions> {
  for (let from = 0; from < COUNT; from += PART) {
    const ra = new Float64Array(PART);
    const dec = new Float64Array(PART);
    for (let n = 0; n < PART; n++) [ra[n], dec[n]] = place(from + n);
    const names = Array.from(ra, (_, n) => `object number ${from + n}`);
    yield { names, ra, dec, radiusArcsec: new Float32Array(PART).fill(radius) };
  }
}
const next = random(5);
const anywhere = () => [360 * next(), (Math.asin(2 * next() - 1) * 180) / Math.PI] as const;

async function* checked(blocks: Iterable<WatchedPositions>): AsyncGenerator<WatchedPositions> {
  const check = new EntryCheck();
  for (const block of blocks) yield check.take(block);
  check.end();
}

it("holds a million positions in less than 100 bytes each, names included", { timeout: 60_000 }, async () => {
  const before = process.memoryUsage().arrayBuffers;
  const list = await heldList(checked(positions(anywhere, 5)));
  expect(list.join.size).toBe(COUNT);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * COUNT);
  expect(list.names.of(654_321)).toBe("object number 654321");
  const { rows } = list.join.join([list.ra[777_777]!], [list.dec[777_777]!]);
  expect(list.names.of(rows[0]!)).toBe("object number 777777");
});

it.each([
  [
    "identical ones",
    () => [150, 2] as const,
    1,
    /^1000000 positions stand within about 3 arcsec of each other near ra 150\.00[01], dec 2\.00[01];/,
  ],
  ["ones around a pole", (n: number) => [n / 3000, 89.9999] as const, 3, "positions stand within about 3 arcsec"],
  ["ones of wide circles", (n: number) => [150 + n / 1e6, 2] as const, 300, "positions stand within about 412 arcsec"],
])("refuses a million %s", { timeout: 60_000 }, async (_, place, radius, message) => {
  await expect(heldList(checked(positions(place, radius)))).rejects.toThrow(message);
});

it("takes as many on a spot as an alert can bear, and tells of the nearest", async () => {
  const rows = 200;
  const list = await heldList(
    checked([
      {
        names: Array.from({ length: rows }, (_, n) => `${n}`),
        ra: new Float64Array(rows).fill(10),
        dec: Float64Array.from({ length: rows }, (_, n) => 5 + n / 1e7),
        radiusArcsec: new Float32Array(rows).fill(60),
      },
    ]),
  );
  const { rows: found } = list.join.join([10], [5], 100);
  expect([...found]).toEqual(Array.from({ length: 100 }, (_, n) => n));
});
