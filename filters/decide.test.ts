// Random filters over random batches through the live path, list columns lost now and then, against the reference.
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Block } from "../domain/columns.js";
import { createInFlightQuery } from "../stores/archive/inflight.js";
import type { InFlightQuery } from "../stores/inflight.store.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { evaluateReference } from "../test/reference/filter.js";
import { blockOf, randomRows, wholeExpressions } from "../test/reference/filterexpressions.js";
import { TEST_FIELDS, TEST_OPERANDS } from "../test/reference/filterfields.js";
import type { Row } from "../test/reference/filtervalues.js";
import { checkCondition } from "./check.js";
import type { CompiledFilter } from "./compiled.js";
import { decide } from "./decide.js";
import { parse } from "./parser.js";
import { compileInTwo } from "./twoparts.js";

let archive: TestArchive;
let inFlight: InFlightQuery;
beforeAll(async () => {
  archive = await startTestArchive();
  inFlight = createInFlightQuery(archive.client);
});
afterAll(() => archive.stop());

const fields = TEST_FIELDS("ZTF");
/** Some `and`s at the top, so that conditions come in two parts. */
const conditions = fc
  .array(
    wholeExpressions("truth").filter((text) => !text.startsWith("let")),
    { minLength: 1, maxLength: 3 },
  )
  .map((clauses) => clauses.join(" and "))
  .filter((text) => checkCondition(text, fields).typed !== null);

/** The block and its rows as they are where enrichment lost a list and all values. */
function without(list: string, block: Block, rows: readonly Row[]): { block: Block; rows: readonly Row[] } {
  const values = new Set(TEST_OPERANDS.values.map(({ name }) => name));
  return {
    block: {
      rows: block.rows,
      columns: new Map([...block.columns].filter(([name]) => !values.has(name))),
      lists: new Map([...block.lists!].filter(([name]) => !name.startsWith(`${list}.`))),
    },
    rows: rows.map((row) => ({ ...row, ...Object.fromEntries([...values].map((name) => [name, null])), [list]: [] })),
  };
}

test("an alert passes a filter where the reference says so", async () => {
  let passed = 0;
  const lost = fc.constantFrom(null, ...TEST_OPERANDS.lists.map(({ name }) => name));
  const whole = fc.asyncProperty(
    fc.array(conditions, { maxLength: 20 }),
    randomRows(20),
    lost,
    fc.constantFrom(0, undefined),
    async (texts, all, list, few) => {
      const { block, rows } = list === null ? { block: blockOf(all), rows: all } : without(list, blockOf(all), all);
      const filters = texts.map((where, i): CompiledFilter => {
        return {
          id: String(i),
          version: 1,
          where: compileInTwo(checkCondition(where, fields).typed!),
          annotations: [],
        };
      });
      const { passes, refused } = await decide(inFlight, block, filters, few);
      expect([...refused.values()]).toEqual([]);
      rows.forEach((row, at) => {
        const right = texts.flatMap((text, i) => {
          const parsed = parse(text);
          if ("problem" in parsed) throw new Error(parsed.problem.message);
          return evaluateReference(parsed, row) === true ? [String(i)] : [];
        });
        expect(passes.get(at)?.map(({ id }) => id) ?? []).toEqual(right);
        passed += right.length;
      });
      expect([...passes.keys()]).toEqual([...passes.keys()].toSorted((a, b) => a - b));
    },
  );
  await fc.assert(whole, { numRuns: 40, endOnFailure: true });
  expect(passed).toBeGreaterThan(100);
}, 120_000);
