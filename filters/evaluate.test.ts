// A text that takes too long: left out alone, not tried again soon, and told apart from an engine that is slow with everything.
import { expect, test, vi } from "vitest";
import type { Block } from "../domain/columns.js";
import { TocsinError } from "../domain/errors.js";
import type { CompiledColumn, InFlightQuery } from "../stores/inflight.store.js";
import { evaluate } from "./evaluate.js";

const BLOCK: Block = {
  rows: 2,
  columns: new Map([["candid", { type: "Int64", values: BigInt64Array.of(1n, 2n), nulls: null }]]),
};
const texts = (...names: string[]) => names.map((sql) => ({ sql, columns: [], fields: [] }));

/** An engine that stops every statement with one of these texts, and notes what it was asked. */
function engine(slow: (text: string) => boolean): InFlightQuery & { asked: string[][] } {
  const asked: string[][] = [];
  return {
    asked,
    async select(block: Block, columns: readonly CompiledColumn[]) {
      asked.push(columns.map(({ sql }) => sql));
      if (columns.some(({ sql }) => slow(sql))) {
        throw new TocsinError("QUERY_TIMEOUT", "The archive did not finish the query in time.", {
          details: { engineCode: 159 },
        });
      }
      const column = { type: "UInt8" as const, values: new Uint8Array(block.rows), nulls: null };
      return { rows: block.rows, columns: new Map(columns.map(({ alias }) => [alias, column])) };
    },
  };
}

test("a slow text is found by halving, and the others are answered", async () => {
  const inFlight = engine((text) => text === "slow");
  const { columns, refused } = await evaluate(inFlight, BLOCK, texts("a", "b", "slow", "c"));
  expect([...columns.keys()]).toEqual(["a", "b", "c"]);
  expect(refused.get("slow")).toMatch(/^It took too long/);
  expect(inFlight.asked).toContainEqual(["candid"]);

  inFlight.asked.length = 0;
  const next = await evaluate(inFlight, BLOCK, texts("a", "slow"));
  expect(inFlight.asked).toEqual([["a"]]);
  expect([...next.refused.keys()]).toEqual(["slow"]);
});

test("a slow text is tried again alone, and stands with the others once it was answered", async () => {
  let isSlow = true;
  const inFlight = engine((text) => text === "slow" && isSlow);
  const clock = vi.spyOn(performance, "now").mockReturnValue(0);
  const asked = async (at: number) => {
    clock.mockReturnValue(at);
    inFlight.asked.length = 0;
    await evaluate(inFlight, BLOCK, texts("a", "b", "slow", "c"));
    return inFlight.asked;
  };
  try {
    expect((await asked(0)).filter((texts) => texts.join() === "slow")).toHaveLength(1);
    expect(await asked(9 * 60_000)).toEqual([["a", "b", "c"]]);
    expect(await asked(11 * 60_000)).toEqual([["a", "b", "c"], ["slow"], ["candid"]]);
    expect(await asked(12 * 60_000)).toEqual([["a", "b", "c"]]);
    isSlow = false;
    expect(await asked(22 * 60_000)).toEqual([["a", "b", "c"], ["slow"]]);
    expect(await asked(23 * 60_000)).toEqual([["a", "b", "slow", "c"]]);
  } finally {
    clock.mockRestore();
  }
});

test("where everything is slow nothing is refused, and the batch waits", async () => {
  const inFlight = engine(() => true);
  await expect(evaluate(inFlight, BLOCK, texts("a", "b"))).rejects.toMatchObject({ code: "QUERY_TIMEOUT" });
  await expect(evaluate(inFlight, BLOCK, texts("a"))).rejects.toMatchObject({ code: "QUERY_TIMEOUT" });
  expect(inFlight.asked.at(-1)).toEqual(["candid"]);
});
