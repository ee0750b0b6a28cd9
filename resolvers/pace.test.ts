// Slices of long answers: how much of the time they take, and who never waits.
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { Pace } from "./pace.js";

const PIECE_MS = 2;
function work(): void {
  const end = performance.now() + PIECE_MS;
  while (performance.now() < end);
}

/** Answers of `pieces` each, all at once: the share of the time that they took, and turns of the event loop between. */
async function answer(pace: Pace, answers: number, pieces: number) {
  let over = false;
  let turns = 0;
  const counting = (async () => {
    while (!over) {
      await turn();
      turns += 1;
    }
  })();
  const from = performance.now();
  await Promise.all(
    Array.from({ length: answers }, async () => {
      const breathe = pace.ofAnswer();
      // As fields do: all of them wait at once, and each works when its turn has come.
      await Promise.all(
        Array.from({ length: pieces }, async () => {
          await breathe();
          work();
        }),
      );
    }),
  );
  const elapsed = performance.now() - from;
  over = true;
  await counting;
  // The first 50 pieces of each are a short answer's, which nothing holds back.
  const free = answers * Math.min(pieces, 50) * PIECE_MS;
  return { share: (answers * pieces * PIECE_MS - free) / (elapsed - free), turns, elapsed };
}

it("a short answer never waits", async () => {
  const breathe = new Pace(() => true).ofAnswer();
  for (let piece = 0; piece < 50; piece += 1) expect(breathe()).toBeUndefined();
  expect(breathe()).toBeInstanceOf(Promise);
});

it("long answers take a fifth of the time together while others are at work, else all of it, in slices", async () => {
  const pressed = await answer(new Pace(() => true), 2, 110);
  const alone = await answer(new Pace(() => false), 2, 110);
  expect(pressed.share).toBeLessThan(0.3);
  expect(alone.share).toBeGreaterThan(2 * pressed.share);
  // 240 ms of work in slices of 8 ms: the event loop turns between them.
  expect(pressed.turns).toBeGreaterThan(20);
  expect(alone.turns).toBeGreaterThan(8);
});
