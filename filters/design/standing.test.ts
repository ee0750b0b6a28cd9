// What is said of clauses without looking at an alert, and that it is true: against random values.
import fc from "fast-check";
import { expect, it, test } from "vitest";
import { TEST_FIELDS } from "../../test/reference/filterfields.js";
import { checkCondition } from "../check.js";
import { both, boundOf, isEmpty, isWithin, type Range } from "./intervals.js";
import { standingOf } from "./standing.js";

const fields = TEST_FIELDS("ZTF");
const told = (where: string) =>
  standingOf(where, fields).map(({ line, column, message }) => `${line}:${column} ${message}`);

test.each([
  ["drb > 5 and magpsf < 20 and drb < 3", ["1:29 drb < 3 and drb > 5 (line 1, column 1) are never true together"]],
  ["drb > 0.5\nand drb >= 0.3", ["2:5 drb >= 0.3 removes nothing that drb > 0.5 (line 1, column 1) leaves"]],
  ["drb > 0.3 and drb > 0.5", ["1:1 drb > 0.3 removes nothing that drb > 0.5 (line 1, column 15) leaves"]],
  ["drb > 0.5 and (magpsf < 20 and drb > 0.5)", ["1:32 drb > 0.5 stands in this and already, in line 1, column 1"]],
  ["drb > 0.5 or magpsf < 3 or drb > 0.5", ["1:28 drb > 0.5 stands in this or already, in line 1, column 1"]],
  [
    "band = 'g' and band in ('r', 'i')",
    ["1:16 band in ('r', 'i') and band = 'g' (line 1, column 1) are never true together"],
  ],
  ["isPositive and not isPositive", ["1:16 not isPositive and isPositive (line 1, column 1) are never true together"]],
  ["drb is null and drb > 0.1", ["1:17 drb > 0.1 and drb is null (line 1, column 1) are never true together"]],
  ["magpsf between 20 and 18", ["1:1 magpsf between 20 and 18 is never true"]],
  ["magpsf between 20 and 18 and isPositive", ["1:1 magpsf between 20 and 18 is never true"]],
  ["not (drb > 5 and 3 > drb)", ["1:18 3 > drb and drb > 5 (line 1, column 6) are never true together"]],
  [
    "magpsf - drb > 2 and magpsf - drb < 1 and drb < 3",
    ["1:22 magpsf - drb < 1 and magpsf - drb > 2 (line 1, column 1) are never true together"],
  ],
  [
    "candid = 9007199254740993 and candid = 9007199254740992",
    ["1:31 candid = 9007199254740992 and candid = 9007199254740993 (line 1, column 1) are never true together"],
  ],
])("%s", (where, expected) => {
  expect(told(where)).toEqual(expected);
});

test.each([
  "drb > 5 or drb < 3",
  "drb > 0.3 and drb < 0.5 and magpsf > 0.5",
  "drb >= 5 and drb <= 5",
  "not drb > 5 and not drb < 5",
  "drb != 3 and drb = 3.5",
  "count(",
  "drb > 0.5 and (drb > 0.7 or magpsf < 3)",
])("says nothing of %s", (where) => {
  expect(told(where)).toEqual([]);
});

const number = fc.constantFrom(-1, 0, 1, 2, 3);
const clause = fc.oneof(
  fc.tuple(fc.constantFrom("<", "<=", ">", ">=", "="), number).map(([sign, x]) => `scorr ${sign} ${x}`),
  fc.tuple(number, fc.constantFrom("<", "<=", ">", ">=", "="), number).map(([x, sign]) => `${x} ${sign} scorr`),
  fc.tuple(number, number).map(([a, b]) => `scorr between ${a} and ${b}`),
  fc.array(number, { minLength: 1, maxLength: 3 }).map((list) => `scorr in (${list.join(", ")})`),
);
const SAMPLES = [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5];
const rangeOf = (text: string): Range => boundOf(checkCondition(text, fields).typed!)!.range;
const holds = (range: Range, x: number) => !isEmpty(both(range, { ...rangeOf("scorr is not null"), only: [x] }));

it("leaves what is true, of one clause and of two", () => {
  fc.assert(
    fc.property(clause, clause, (a, b) => {
      const [left, right] = [rangeOf(a), rangeOf(b)];
      const truths = SAMPLES.map((x) => [truth(a, x), truth(b, x)] as const);
      expect(SAMPLES.map((x) => holds(left, x))).toEqual(truths.map(([isA]) => isA));
      if (isEmpty(both(left, right))) expect(truths.some(([isA, isB]) => isA && isB)).toBe(false);
      if (isWithin(left, right)) expect(truths.every(([isA, isB]) => !isA || isB)).toBe(true);
      // The samples have a value between any two numbers of clauses, so they decide.
      expect(isEmpty(both(left, right))).toBe(!truths.some(([isA, isB]) => isA && isB));
    }),
    { numRuns: 300 },
  );
});

/** By JavaScript's own operators. */
function truth(text: string, x: number): boolean {
  const between = /^scorr between (\S+) and (\S+)$/.exec(text);
  if (between) return x >= Number(between[1]) && x <= Number(between[2]);
  const list = /^scorr in \((.*)\)$/.exec(text);
  if (list) return list[1]!.split(",").some((item) => Number(item) === x);
  const [left, sign, right] = text.split(" ");
  const [a, b] = [left, right].map((side) => (side === "scorr" ? x : Number(side))) as [number, number];
  return sign === "<" ? a < b : sign === "<=" ? a <= b : sign === ">" ? a > b : sign === ">=" ? a >= b : a === b;
}
