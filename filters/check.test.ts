// Names, kinds, units and messages of the checker.
import { describe, expect, test } from "vitest";
import { TEST_FIELDS } from "../test/reference/filterfields.js";
import { checkCondition, checkExpression } from "./check.js";

const fields = TEST_FIELDS("ZTF");
const problems = (text: string) =>
  checkCondition(text, fields).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
const warnings = (text: string) =>
  checkCondition(text, fields).warnings.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe("messages", () => {
  test.each([
    ["drbb > 0.5", ["1:1 ZTF has no field drbb; did you mean drb?"]],
    ["MAGPSF < 19", ["1:1 ZTF has no field MAGPSF; did you mean magpsf?"]],
    ["isdiffops = 't'", ["1:1 ZTF has no field isdiffops; did you mean isdiffpos?"]],
    ["qqqqqqqqqqqq > 1", ["1:1 ZTF has no field qqqqqqqqqqqq; filterFields lists the names that it has"]],
    ["magpsf", ["1:1 magpsf is a number; a filter needs a condition such as drb > 0.8"]],
    ["band", ["1:1 band is text; a filter needs a condition such as drb > 0.8"]],
    ["drb and isPositive", ["1:1 drb is a number where and needs a truth value; compare it with something"]],
    ["not fid", ["1:5 fid is a number where not needs a truth value; compare it with something"]],
    ["band + 1 > 2", ["1:1 band is text where + needs a number"]],
    ["candid + 1 > 2", ["1:1 candid is a 64-bit id; ids can be compared, not calculated with or used as a condition"]],
    ["abs(candid) > 2", ["1:5 candid is a 64-bit id; ids can be compared, not calculated with or used as a condition"]],
    [
      "candid = 1.5",
      [
        "1:10 = between candid (a 64-bit id) and 1.5 (a number); an id compares with ids and whole numbers, written without quotes, point or exponent",
      ],
    ],
    [
      "candid = '12'",
      [
        "1:10 = between candid (a 64-bit id) and the text '12' (text); an id compares with ids and whole numbers, written without quotes, point or exponent",
      ],
    ],
    [
      "candid = drb",
      [
        "1:10 = between candid (a 64-bit id) and drb (a number); an id compares with ids and whole numbers, written without quotes, point or exponent",
      ],
    ],
    ["candid = 18446744073709551616", ["1:10 18446744073709551616 does not fit into 64 bits; no id is like this"]],
    ["band = 1", ["1:8 = between band (text) and 1 (a number); text compares with text in single quotes: '1'"]],
    ["drb = 'g'", ["1:7 = between drb (a number) and the text 'g' (text); both must be of one kind"]],
    [
      "isPositive = 1",
      [
        "1:14 = between isPositive (a truth value) and 1 (a number); a truth value stands alone: isPositive, or not isPositive",
      ],
    ],
    ["isPositive > false", ["1:1 truth values have no order; compare them by = or != instead of >"]],
    ["fid in (1, 'g')", ["1:12 in between fid (a number) and the text 'g' (text); both must be of one kind"]],
    ["drb > 1e400", ["1:7 1e400 is too large for a 64-bit float; at most 1.797e308"]],
    [
      "absolute(drb) > 1",
      [
        "1:1 there is no function absolute; there are abs, sqrt, exp, ln, log10, pow, floor, ceil, round, least, greatest, coalesce, if, separation, magnitudeOf, fluxOf, startsWith, contains, has, every, count, min, max, mean, sum, first, last, nearest",
      ],
    ],
    ["sqr(drb) > 1", ["1:1 there is no function sqr; did you mean sqrt?"]],
    ["abs(drb, 1) > 1", ["1:1 abs was given 2 arguments; write abs(x)"]],
    ["separation(ra, dec) < 1", ["1:1 separation was given 2 arguments; write separation(ra1, dec1, ra2, dec2)"]],
    ["if(drb, 1, 2) > 1", ["1:4 drb is a number where if needs a truth value; compare it with something"]],
    ["if(isPositive, 1, 'g') = 1", ["1:19 if between 1 (a number) and the text 'g' (text); both must be of one kind"]],
    [
      "round(drb, fid) = 1",
      ["1:12 fid is not a number of digits; round needs a whole number from -15 to 15 written out"],
    ],
    [
      "round(drb, 16) = 1",
      ["1:12 16 is not a number of digits; round needs a whole number from -15 to 15 written out"],
    ],
    // All of them, in the order of the text.
    [
      "drbb > 1 and\n band > 2 or foo(3)",
      [
        "1:1 ZTF has no field drbb; did you mean drb?",
        "2:9 > between band (text) and 2 (a number); text compares with text in single quotes: '2'",
        "2:14 there is no function foo; there are abs, sqrt, exp, ln, log10, pow, floor, ceil, round, least, greatest, coalesce, if, separation, magnitudeOf, fluxOf, startsWith, contains, has, every, count, min, max, mean, sum, first, last, nearest",
      ],
    ],
  ] as [string, string[]][])("%j", (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});

test.each([
  ["magpsf - jd > 1", ["1:1 - mixes mag (magpsf) with d (jd)"]],
  ["magpsf < jd", ["1:1 < mixes mag (magpsf) with d (jd)"]],
  ["distpsnr1 between 1 and magpsf", ["1:1 between mixes arcsec (distpsnr1) with mag (magpsf)"]],
  ["magpsf - sigmapsf < 20 and jd - 2460000 < 5", []],
  ["2 * magpsf + magpsf / 3 > jd", ["1:1 > mixes mag (this) with d (jd)"]],
  ["flux / fluxError > 3 and magpsf * jd > flux", []],
  ["separation(ra, dec, 10, 20) < distpsnr1", []],
  ["separation(ra, magpsf, 10, 20) < 5", ["1:16 separation takes degrees, magpsf is in mag"]],
  ["coalesce(magpsf, jd) > 1", ["1:1 coalesce mixes mag (magpsf) with d (jd)"]],
  ["drb > 0.5", []],
])("units: %s", (text, expected) => {
  expect(problems(text)).toEqual([]);
  expect(warnings(text)).toEqual(expected);
});

test("fields read, each once, in the order of the text", () => {
  const text = "drb > 0.5 and magpsf < 19 and (drb < 0.9 or isPositive) and separation(ra, dec, 1, 2) < 3";
  expect(checkCondition(text, fields).fieldsRead).toEqual(["drb", "magpsf", "isPositive", "ra", "dec"]);
});

test("an annotation may be of any kind", () => {
  for (const [text, kind] of [
    ["magpsf - 1", "number"],
    ["band", "text"],
    ["candid", "id"],
    ["drb > 1", "truth"],
  ] as const) {
    expect(checkExpression(text, fields).typed?.kind).toBe(kind);
  }
});

test("common fields come first and are not shadowed by a survey's own", () => {
  expect(fields.fields.slice(0, 3).map((field) => field.name)).toEqual(["candid", "objectId", "jd"]);
  expect(fields.get("candid")).toMatchObject({ kind: "id", column: "candid", mayBeNaN: false });
  expect(fields.get("jd")).toMatchObject({ kind: "number", unit: "d", mayBeNaN: false });
  expect(fields.get("magpsf")).toMatchObject({ kind: "number", unit: "mag", mayBeNaN: true });
  expect(() => TEST_FIELDS("nope")).toThrow(/no survey "nope"/);
});
