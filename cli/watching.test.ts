// The small parts of watching: traces of batches, origins in few words, answers that are remembered.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { around } from "./watching.around.js";
import { originsOf } from "./watching.origins.js";
import { remembered } from "./watching.remembered.js";
import { takes, traceFields, traceOf } from "./watching.trace.js";

describe("the trace of a batch", () => {
  it("has ids as W3C Trace Context wants them, which anybody can find out", () => {
    const { traceId, rootId } = traceOf(1_234_567_890_123_456_789n);
    const digest = createHash("sha256").update("tocsin batch 1234567890123456789").digest("hex");
    expect([traceId, rootId]).toEqual([digest.slice(0, 32), digest.slice(32, 48)]);
    expect(traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(rootId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  });

  it("stands on the lines of what was taken in together, and on no others", () => {
    const lines = (...ids: bigint[]) => {
      const batches = ids.map((batchId) => ({ batchId, receipt: null }));
      return takes.run({ startedAt: 0, batches, origins: [], decoded: null }, traceFields);
    };
    expect(traceFields()).toEqual({});
    expect(lines()).toEqual({});
    expect(lines(7n)).toEqual({ batchId: "7", traceId: traceOf(7n).traceId });
    expect(lines(7n, 8n)).toEqual({ batchIds: ["7", "8"], traceIds: [traceOf(7n).traceId, traceOf(8n).traceId] });
  });
});

describe("origins", () => {
  it("are ranges of offsets for Kafka, and at most eight files", () => {
    const message = (source: string, partition: number, offset: bigint) => ({
      origin: { source, position: "", partition, offset },
    });
    const file = (n: number) => ({ origin: { source: `${n}.avro`, position: "record 0" } });
    expect(
      originsOf([message("ztf", 0, 12n), message("ztf", 0, 9n), message("ztf", 1, 4n), message("ztf", 0, 15n)]),
    ).toEqual(["ztf/0: 9-15", "ztf/1: 4-4"]);
    expect(originsOf(Array.from({ length: 20 }, (_, n) => file(n)))).toHaveLength(8);
  });
});

describe("what is remembered", () => {
  it("is asked for by one at a time, and again after a failure", async () => {
    let asked = 0;
    let fails = true;
    const ask = remembered(async () => {
      asked += 1;
      await Promise.resolve();
      if (fails) throw new Error("away");
      return asked;
    }, 60_000);
    const failures = await Promise.allSettled([ask(), ask()]);
    expect(failures.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    fails = false;
    expect(await Promise.all([ask(), ask()])).toEqual([2, 2]);
    expect(await ask()).toBe(2);
  });
});

describe("something with replaced methods", () => {
  it("keeps its private fields, getters and other methods", () => {
    class Counter {
      #count = 0;
      get count() {
        return this.#count;
      }
      add(more: number) {
        this.#count += more;
      }
      reset() {
        this.#count = 0;
      }
    }
    const counter = new Counter();
    const doubled: Counter = around(counter, { add: (more) => counter.add(2 * more) });
    doubled.add(2);
    expect([doubled.count, counter.count]).toEqual([4, 4]);
    doubled.reset();
    expect(counter.count).toBe(0);
  });
});
