import { expect, test } from "vitest";
import type { Hit } from "../domain/filter.js";
import { createRecentHits } from "./recent.js";

const hits = (from: number, to: number): Hit[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({ seq: BigInt(from + n) }) as Hit);

/** An archive of 100 hits that notes how often it is read. */
function world() {
  const archive = hits(1, 100);
  let reads = 0;
  const recent = createRecentHits({
    async since(after, first) {
      reads += 1;
      return archive.filter(({ seq }) => seq > after).slice(0, first);
    },
    lastSeq: async () => archive.at(-1)!.seq,
  });
  const since = async (after: number, first = 1_000) =>
    (await recent.since(BigInt(after), first)).map(({ seq }) => Number(seq));
  return { recent, since, reads: () => reads };
}
const numbers = (from: number, to: number) => hits(from, to).map(({ seq }) => Number(seq));

test("what was numbered last comes from memory, page by page", async () => {
  const { recent, since, reads } = world();
  recent.add(hits(91, 95));
  recent.add([]);
  recent.add(hits(96, 100));
  expect(await since(90)).toEqual(numbers(91, 100));
  expect(await since(93, 4)).toEqual(numbers(94, 97));
  expect(await since(100)).toEqual([]);
  expect(reads()).toBe(0);
});

test("what is older comes from the archive", async () => {
  const { recent, since, reads } = world();
  expect(await since(98)).toEqual([99, 100]);
  recent.add(hits(91, 100));
  expect(await since(89)).toEqual(numbers(90, 100));
  expect(reads()).toBe(2);
});

test("after a gap, and where others numbered too, nothing is left out", async () => {
  const { recent, since } = world();
  recent.add(hits(80, 90));
  recent.add(hits(92, 95));
  expect(await since(85)).toEqual(numbers(86, 100));
  recent.missed();
  expect(await since(93)).toEqual(numbers(94, 100));
  recent.add(hits(99, 100));
  expect(await since(97)).toEqual(numbers(98, 100));
});

test("keeps the newest only", async () => {
  const { recent, since, reads } = world();
  recent.add(hits(1, 30_000));
  expect(await since(29_998)).toEqual([29_999, 30_000]);
  expect(reads()).toBe(0);
  await since(5_000);
  expect(reads()).toBe(1);
});
