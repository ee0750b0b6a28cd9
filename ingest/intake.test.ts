// How packets become micro-batches: their bounds, how many are on their way, and what a failing side leaves behind.
import { describe, expect, test } from "vitest";
import type { DeadLetter, Packet } from "../domain/packet.js";
import { until } from "../test/until.js";
import { BATCH_ALERTS, takeIn } from "./intake.js";
import { type Counts, noCounts, type Pipeline } from "./pipeline.js";

const packet = (bytes: number): Packet => ({
  bytes: new Uint8Array(bytes),
  schema: { fingerprint: "0123456789abcdef", text: "{}" },
  origin: { source: "test", position: "record 1" },
});
const letter = {
  ...packet(0),
  reason: "EMPTY",
  message: "Nothing.",
  survey: null,
  bytes: null,
} as unknown as DeadLetter;

/** Batches as they came; each waits until `release` is called, if it is to wait. */
function pipelineOf({ waits = false, fails = -1 } = {}) {
  const batches: { packets: number; letters: number }[] = [];
  let open = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  const release = () => {
    for (const resolve of waiting.splice(0)) resolve();
  };
  const pipeline: Pipeline = {
    async take(packets, letters) {
      const number = batches.push({ packets: packets.length, letters: letters.length }) - 1;
      open += 1;
      most = Math.max(most, open);
      if (waits) await new Promise<void>((resolve) => waiting.push(resolve));
      open -= 1;
      if (number === fails) throw new Error("the store is gone");
      return { ...noCounts(), read: packets.length + letters.length, stored: packets.length, letters };
    },
  };
  return { pipeline, batches, most: () => most, release };
}
async function* repeat<T>(item: T, times: number, told?: (n: number) => void): AsyncGenerator<T> {
  for (let n = 0; n < times; n += 1) {
    told?.(n);
    yield item;
  }
}

describe("takeIn", () => {
  test("releases each packet once, when its batch is through, and none of a batch that failed", async () => {
    const { pipeline, release, batches } = pipelineOf({ waits: true, fails: 1 });
    const released: number[] = [];
    async function* lent(): AsyncGenerator<Packet> {
      for (let n = 0; n < 2 * BATCH_ALERTS; n += 1) yield { ...packet(1), release: () => released.push(n) };
    }
    const taking = takeIn(lent(), pipeline);
    taking.catch(() => {});
    await until("both batches", () => batches.length === 2);
    expect(released).toEqual([]);
    release();
    await expect(taking).rejects.toThrow("the store is gone");
    expect(released).toEqual(Array.from({ length: BATCH_ALERTS }, (_, n) => n));
  });

  test("fills batches up to their number of alerts, and tells the sums after each", async () => {
    const { pipeline, batches } = pipelineOf();
    const told: Counts[] = [];
    const counts = await takeIn(repeat(packet(10), 2 * BATCH_ALERTS + 5), pipeline, {
      onBatch: (sums) => told.push({ ...sums }),
    });
    expect(counts).toMatchObject({ read: 2 * BATCH_ALERTS + 5, stored: 2 * BATCH_ALERTS + 5 });
    expect(batches.every(({ packets }) => packets <= BATCH_ALERTS)).toBe(true);
    expect(told.at(-1)).toEqual(counts);
    expect(told.map(({ read }) => read)).toEqual(told.map(({ read }) => read).toSorted((a, b) => a - b));
  });

  test("large packets fill a batch by their bytes, and letters count as well", async () => {
    const large = pipelineOf();
    await takeIn(repeat(packet(10 * 2 ** 20), 45), large.pipeline);
    expect(large.batches.every(({ packets }) => packets <= 20)).toBe(true);
    const letters = pipelineOf();
    expect(await takeIn(repeat(letter, 10_000), letters.pipeline)).toMatchObject({ read: 10_000, stored: 0 });
    expect(letters.batches.every(({ letters }) => letters <= BATCH_ALERTS)).toBe(true);
  });

  test("sends the next batch when the hits of the one before are delivered, though its links are not there yet", async () => {
    const taken: { packets: number; deliver?: () => void; link: () => void }[] = [];
    const pipeline: Pipeline = {
      async take(packets, letters, deliver) {
        await new Promise<void>((link) => taken.push({ packets: packets.length, ...(deliver && { deliver }), link }));
        return { ...noCounts(), read: packets.length, stored: packets.length, letters };
      },
    };
    let more = () => {};
    let end = () => {};
    async function* stream() {
      yield packet(10);
      await new Promise<void>((resolve) => {
        more = resolve;
      });
      yield* repeat(packet(10), 2);
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    }
    const stored: number[] = [];
    const done = takeIn(stream(), pipeline, { onStored: (items) => void stored.push(items.length) });
    await until("the first batch", () => taken.length === 1);
    more();
    taken[0]!.deliver!();
    await until("the second batch", () => taken.length === 2);
    expect(stored).toEqual([]);
    for (const { link } of taken) link();
    await until("both", () => stored.length === 2);
    end();
    expect(await done).toMatchObject({ stored: 3 });
    expect(taken.map(({ packets }) => packets)).toEqual([1, 2]);
  });

  test("does not read on while three batches wait", async () => {
    const { pipeline, batches, most, release } = pipelineOf({ waits: true });
    let read = 0;
    const done = takeIn(
      repeat(packet(10), 10 * BATCH_ALERTS, () => {
        read += 1;
      }),
      pipeline,
    );
    await until("three batches", () => batches.length === 3);
    const reached = read;
    expect(reached).toBeLessThanOrEqual(4 * BATCH_ALERTS);
    const timer = setInterval(release, 1);
    expect(await done).toMatchObject({ stored: 10 * BATCH_ALERTS });
    clearInterval(timer);
    expect(most()).toBe(3);
  });

  test("a lost store ends the reading with its error, a lost source after what it gave is stored", async () => {
    const store = pipelineOf({ fails: 1 });
    let read = 0;
    const endless = repeat(packet(10), 1_000 * BATCH_ALERTS, () => {
      read += 1;
    });
    await expect(takeIn(endless, store.pipeline)).rejects.toThrow("the store is gone");
    expect(read).toBeLessThan(10 * BATCH_ALERTS);

    const source = pipelineOf();
    async function* breaking() {
      yield* repeat(packet(10), 3);
      throw new Error("the registry is gone");
    }
    await expect(takeIn(breaking(), source.pipeline)).rejects.toThrow("the registry is gone");
    expect(source.batches.reduce((sum, { packets }) => sum + packets, 0)).toBe(3);
  });

  test("stops early when it is told to, with true sums", async () => {
    const { pipeline } = pipelineOf();
    const abort = new AbortController();
    const counts = await takeIn(
      repeat(packet(10), 100 * BATCH_ALERTS, (n) => n === 1_500 && abort.abort()),
      pipeline,
      { signal: abort.signal },
    );
    expect(counts.stored).toBe(counts.read);
    expect(counts.read).toBeLessThanOrEqual(1_501);
  });

  test("sends what has come after a while, though no more comes; tells of what is stored, in order", async () => {
    const { pipeline, batches } = pipelineOf();
    const stored: number[] = [];
    let end = () => {};
    const idle = new Promise<void>((resolve) => {
      end = resolve;
    });
    async function* trickle() {
      yield* repeat(packet(10), 3);
      yield letter;
      await idle;
    }
    const done = takeIn(trickle(), pipeline, { onStored: (items) => void stored.push(items.length) });
    await until("the batch", () => stored.length === 1);
    expect(batches).toMatchObject([{ packets: 3, letters: 1 }]);
    end();
    await done;
    expect(stored).toEqual([4]);
  });

  test("ends when it is told to, though the source is silent", async () => {
    const { pipeline } = pipelineOf();
    const abort = new AbortController();
    async function* silent() {
      yield packet(10);
      await new Promise(() => {});
    }
    const stored: unknown[] = [];
    const done = takeIn(silent(), pipeline, { signal: abort.signal, onStored: (items) => void stored.push(...items) });
    await until("the batch", () => stored.length === 1);
    abort.abort();
    expect(await done).toMatchObject({ stored: 1 });
  });

  test("keeps a source's bookmark before the batch that failed", async () => {
    const { pipeline } = pipelineOf({ fails: 1 });
    const stored: number[] = [];
    const reading = takeIn(repeat(packet(10), 10 * BATCH_ALERTS), pipeline, {
      onStored: (items) => void stored.push(items.length),
    });
    await expect(reading).rejects.toThrow("the store is gone");
    expect(stored).toEqual([BATCH_ALERTS]);
  });
});
