// The queue between reader and pipeline: order, bound, waiting on both sides, end.
import { expect, test } from "vitest";
import { ByteQueue } from "./queue.js";

test("in order, and a writer that waits for room goes on when something was taken", async () => {
  const queue = new ByteQueue<number>(100);
  const written: number[] = [];
  const writing = (async () => {
    for (let i = 0; i < 5_000; i += 1) {
      while (!queue.hasRoom(30)) await queue.taken();
      queue.push(i, 30);
      written.push(i);
    }
  })();
  expect(written).toEqual([0, 1, 2]);
  expect(queue.bytes).toBe(90);
  const read: number[] = [];
  for await (const value of queue.values()) {
    read.push(value);
    expect(queue.bytes).toBeLessThanOrEqual(100);
    if (read.length === 5_000) break;
  }
  await writing;
  expect(read).toEqual(written);
  expect(queue.bytes).toBe(0);
});

test("an entry larger than the bound passes alone", () => {
  const queue = new ByteQueue<string>(10);
  expect(queue.hasRoom(50)).toBe(true);
  queue.push("large", 50);
  expect(queue.hasRoom(1)).toBe(false);
});

test("the end: a waiting reader and a waiting writer go on, what is left is dropped", async () => {
  const queue = new ByteQueue<string>(10);
  const reading = (async () => {
    const found: string[] = [];
    for await (const value of queue.values()) found.push(value);
    return found;
  })();
  queue.push("a", 10);
  await queue.taken();
  queue.push("b", 10);
  const waiting = queue.taken();
  queue.close();
  await waiting;
  queue.push("c", 1);
  expect(await reading).toEqual(["a"]);
  expect(queue.bytes).toBe(0);
});
