// What is said of clauses without looking at an alert, and that it is true: against random values.
import fc from "fast-check";
import { expect, test } from "vitest";
import { evaluateReference } from "../../test/reference/filter.js";
import { TEST_FIELDS } from "../../test/reference/filterfields.js";
import { checkCondition } from "../check.js";
import { parse, type Whole } from "../parser.js";
import { both, boundOf, isEmpty, isWithin } from "./intervals.js";
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
  ["drb > 5 and not drb > 4", ["1:13 not drb > 4 and drb > 5 (line 1, column 1) are never true together"]],
  ["band = 'g' and band != 'g'", ["1:16 band != 'g' and band = 'g' (line 1, column 1) are never true together"]],
  ["ndethist > 2 and ndethist < 3", ["1:18 ndethist < 3 and ndethist > 2 (line 1, column 1) are never true together"]],
  ["magpsf < 20 and ndethist = 2.5", ["1:17 ndethist = 2.5 is never true"]],
  [
    "count(detections) > 2 and count(detections) between 2.5 and 2.9",
    ["1:27 count(detections) between 2.5 and 2.9 is never true"],
  ],
  [
    "fid between 2 and 3.5 and fid not in (2, 3)",
    ["1:27 fid not in (2, 3) and fid between 2 and 3.5 (line 1, column 1) are never true together"],
  ],
  [
    "ndethist > 2 and ndethist >= 3",
    ["1:18 ndethist >= 3 removes nothing that ndethist > 2 (line 1, column 1) leaves"],
  ],
  [
    "not isSolar and isSolar is null",
    ["1:1 not isSolar removes nothing that isSolar is null (line 1, column 17) leaves"],
  ],
  ["band = 'g' and band != 'r'", ["1:16 band != 'r' removes nothing that band = 'g' (line 1, column 1) leaves"]],
  [
    "has(detections, drb > 1) and not has(detections, drb > 1)",
    ["1:30 not has(detections, drb > 1) and has(detections, drb > 1) (line 1, column 1) are never true together"],
  ],
])("%s", (where, expected) => {
  expect(told(where)).toEqual(expected);
});

test.each([
  "drb > 5 or drb < 3",
  "ndethist > 2 and ndethist < 4",
  "drb > 2 and drb < 3",
  "drb > 0.3 and drb < 0.5 and magpsf > 0.5",
  "drb >= 5 and drb <= 5",
  "not drb > 5 and not drb < 5",
  "count(",
  "drb > 0.5 and (drb > 0.7 or magpsf < 3)",
  // What is missing is neither true nor above a number, so its not is true.
  "not isSolar and isSolar is not null",
  "not drb > 0.5 and drb is not null",
  "not drb between 1 and 2 and drb between 0 and 3",
  "band != 'g' and band != 'r'",
  "has(detections, drb > 1) and has(detections, not drb > 1)",
])("says nothing of %s", (where) => {
  expect(told(where)).toEqual([]);
});

const sign = fc.constantFrom("<", "<=", ">", ">=", "=", "!=");
const plainOf = (name: string, number: fc.Arbitrary<number>) =>
  fc.oneof(
    fc.tuple(sign, number).map(([sign, x]) => `${name} ${sign} ${x}`),
    fc.tuple(number, sign).map(([x, sign]) => `${x} ${sign} ${name}`),
    fc.tuple(number, number).map(([a, b]) => `${name} between ${a} and ${b}`),
    fc
      .tuple(fc.constantFrom("", "not "), fc.array(number, { minLength: 1, maxLength: 3 }))
      .map(([not, list]) => `${name} ${not}in (${list.join(", ")})`),
    fc.constantFrom(`${name} is null`, `${name} is not null`),
  );
const boundOfText = (text: string) => boundOf(checkCondition(text, fields).typed!);

// The samples have a value between any two numbers of clauses, and beyond them, so they decide; of whole numbers all.
test.each([
  ["scorr", fc.constantFrom(-1, 0, 1, 2, 3), [null, -2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]],
  ["nbad", fc.constantFrom(-1, -0.5, 0, 1, 1.5, 2, 2.25), [null, -3, -2, -1, 0, 1, 2, 3, 4]],
] as const)(
  "leaves what is true, of one clause and of two, also where the value is missing: %s",
  (name, number, samples) => {
    const plain = plainOf(name, number);
    const clause = fc.oneof(
      plain,
      plain.map((text) => `not (${text})`),
      plain.map((text) => `not (not (${text}))`),
    );
    const truth = (text: string, value: number | null) => evaluateReference(parse(text) as Whole, { [name]: value });
    const about = boundOfText(`${name} > 0`).about;
    let compared = 0;
    fc.assert(
      fc.property(clause, clause, (a, b) => {
        const [left, right] = [boundOfText(a), boundOfText(b)];
        if (left.about !== about || right.about !== about) return;
        compared += 1;
        const truths = samples.map((x) => [truth(a, x), truth(b, x)] as const);
        expect(isEmpty(left.range)).toBe(!truths.some(([isA]) => isA));
        expect(isEmpty(both(left.range, right.range))).toBe(!truths.some(([isA, isB]) => isA && isB));
        expect(isWithin(left.range, right.range)).toBe(truths.every(([isA, isB]) => !isA || isB));
      }),
      { numRuns: 1000 },
    );
    expect(compared).toBeGreaterThan(500);
  },
);
