// Names, kinds, units and messages of the checker.
import { describe, expect, test } from "vitest";
import { TEST_FIELDS, TEST_SOURCE, TEST_SURVEY } from "../test/reference/filterfields.js";
import { checkCondition, checkExpression } from "./check.js";
import { compileCondition } from "./compile.js";
import { fieldsOfSurveys } from "./fields.js";

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
  ["drb = 0.1", ["1:7 drb is a 32-bit float and never exactly 0.1; compare by < and >, or round it"]],
  [
    "-0.3 != drb or drb in (0.25, 0.7)",
    [
      "1:1 drb is a 32-bit float and never exactly -0.3; compare by < and >, or round it",
      "1:30 drb is a 32-bit float and never exactly 0.7; compare by < and >, or round it",
    ],
  ],
  [
    "has(detections, magpsf = 18.3)",
    ["1:26 magpsf is a 32-bit float and never exactly 18.3; compare by < and >, or round it"],
  ],
  ["sgscore1 = 0.5 and ssdistnr != -999.0 and round(drb, 1) = 0.1 and scorr = 0.1 and drb between 0.1 and 0.2", []],
])("units and floats: %s", (text, expected) => {
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

describe("lists", () => {
  test.each([
    ["has(detections)", []],
    ["count(detections, magpsf < 20 and band = 'g') >= 2 and jd - min(detections, jd) < 5", []],
    ["not has(match.gaia_dr3, separationArcsec < 1 and plx > 3 * alert.drb) and nearest(match.gaia_dr3, plx) > 0", []],
    ["last(detections, band) = 'g' and first(detections, candid) = candid and last(detections, isPositive)", []],
    ["has(detections, jd > min(forced, jd, snr > 3)) and watch.mine and not alert.watch.mine", []],
    ["alert.drb > 0.5", []],
    ["detections", ["1:1 detections is a list; ask by has(detections, ...), count(detections, ...) or another"]],
    [
      "match.gaia_dr3 is null",
      ["1:1 match.gaia_dr3 is a list; ask by has(match.gaia_dr3, ...), count(match.gaia_dr3, ...) or another"],
    ],
    [
      "detections.magpsf < 20",
      ["1:1 detections.magpsf is a field of a list, with many values; write for example last(detections, magpsf)"],
    ],
    [
      "match.gaia_dr3.plx < 20",
      ["1:1 match.gaia_dr3.plx is a field of a list, with many values; write for example nearest(match.gaia_dr3, plx)"],
    ],
    ["match.gaia_dr2", ["1:1 ZTF has no match.gaia_dr2 (any more); did you mean match.gaia_dr3?"]],
    ["has(match.gaia_dr2)", ["1:5 ZTF has no list match.gaia_dr2; did you mean match.gaia_dr3?"]],
    ["has(match.clu)", ["1:5 ZTF has no list match.clu; there are match.gaia_dr3"]],
    // What users bring may be private: its names are not told.
    ["area.m33", ["1:1 ZTF has no area.m33 (any more); filterFields lists the names that there are"]],
    [
      "has(watch.mines)",
      ["1:5 ZTF has no list watch.mines; there are detections, forced, match.gaia_dr3, lsst.detections"],
    ],
    ["aera.m31", ["1:1 ZTF has no field aera.m31; filterFields lists the names that it has"]],
    ["score.x > 1", ["1:1 ZTF has no score.x (any more); there are score.net.real"]],
    ["has(drb)", ["1:5 drb is no list; has needs one first, such as detections"]],
    ["has(magpsf < 20)", ["1:5 has needs a list first, such as detections"]],
    ["max(magpsf, 3) > 1", ["1:5 max is of a list such as detections; of single values take greatest(a, b)"]],
    ["has()", ["1:1 has was given 0 arguments; write has(list) or has(list, condition)"]],
    ["every(detections)", ["1:1 every was given 1 argument; write every(list, condition)"]],
    ["min(detections) < 1", ["1:1 min was given 1 argument; write min(list, value) or min(list, value, condition)"]],
    [
      "count(detections, true, 1) < 1",
      ["1:1 count was given 3 arguments; write count(list) or count(list, condition)"],
    ],
    ["has(detections, magpsf)", ["1:17 magpsf is a number where has needs a truth value; compare it with something"]],
    ["max(detections, band) = 'g'", ["1:17 band is text where max needs a number"]],
    [
      "max(detections, candid) > 3",
      ["1:17 candid is a 64-bit id; ids can be compared, not calculated with or used as a condition"],
    ],
    ["has(detections, magps < 1)", ["1:17 detections has no field magps; did you mean magpsf?"]],
    ["has(detections, sgscore1 < 1)", ["1:17 detections has no field sgscore1; the alert's is alert.sgscore1"]],
    [
      "has(forced, feature.g.peakMag < 1)",
      ["1:13 forced has no field feature.g.peakMag; the alert's is alert.feature.g.peakMag"],
    ],
    ["has(forced, alert.drbb < 1)", ["1:13 ZTF has no field drbb; did you mean drb?"]],
    ["has(forced, watch.mine)", ["1:13 forced has no field watch.mine; the alert's is alert.watch.mine"]],
    ["nearest(detections, magpsf) < 1", ["1:1 detections is ordered by time; write first or last instead of nearest"]],
    ["first(match.gaia_dr3, plx) < 1", ["1:1 match.gaia_dr3 is ordered nearest first; write nearest instead of first"]],
    [
      "has(detections, has(forced, has(detections)))",
      ["1:29 lists are nested too deep here; a list function may hold another, but not two inside one another"],
    ],
    [
      "let a = has(forced, snr > count(detections)); has(detections, a)",
      ["1:63 lists are nested too deep here; a list function may hold another, but not two inside one another"],
    ],
  ] as [string, string[]][])("%j", (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test("units and what is read", () => {
    expect(warnings("has(detections, magpsf < alert.jd)")).toEqual(["1:17 < mixes mag (magpsf) with d (alert.jd)"]);
    expect(warnings("mean(detections, magpsf) > jd")).toEqual(["1:1 > mixes mag (mean(...)) with d (jd)"]);
    expect(
      warnings("count(detections, magpsf < 20) > 2 and nearest(match.gaia_dr3, separationArcsec) < distpsnr1"),
    ).toEqual([]);
    const text = "has(detections, magpsf < alert.drb) and watch.mine and count(forced) > feature.g.peakMag";
    const read = ["detections.magpsf", "drb", "watch.mine", "forced", "feature.g.peakMag"];
    expect(checkCondition(text, fields).fieldsRead).toEqual(read);
  });
});

describe("named parts", () => {
  test.each([
    ["let young = jd - 2460000 < 5; young and drb > 0.5", []],
    ["LET a = 1; let b = a + 1; let c = b * a; c > drb", []],
    ["let limit = 19.5; has(detections, magpsf < limit and alert.magpsf < limit)", []],
    ["let id = 9007199254740993; candid = id", []],
    ["let let = 5; let > drb", []],
    ["let drb = 5; drb > 1", ["1:5 drb is a field of ZTF; give the part another name"]],
    ["let a = 5; let a = 6; a > drb", ["1:16 a names two parts; each needs a name of its own"]],
    ["let a.b = 5; drb > 1", ["1:5 a.b cannot name a part: letters, digits and _ only"]],
    ["let zzz = zzz; zzz > 1", ["1:11 ZTF has no field zzz; filterFields lists the names that it has"]],
    ["let b = c; let c = 1; c > drb", ["1:9 ZTF has no field c; filterFields lists the names that it has"]],
    ["let a = drbb;\n a > 1 and a < 2", ["1:9 ZTF has no field drbb; did you mean drb?"]],
    [
      "let a = band; a > 1",
      ["1:19 > between a (text) and 1 (a number); text compares with text in single quotes: '1'"],
    ],
    [
      "let a = 5",
      ["1:10 found the end of the expression; a ; must end the part that let a of line 1, column 5 begins"],
    ],
    ["let a = 5; -- no more", ["1:22 nothing follows the parts that let names; write a condition such as drb > 0.8"]],
    ["let a 5; a > 1", ["1:7 found 5; = must follow let a"]],
    ["let a = 5;; a > 1", ["1:11 found ; where a name, a number, text in quotes or ( should stand"]],
  ] as [string, string[]][])("%j", (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test("warnings, and what is read by way of them", () => {
    const text = "let a = drb; let b = a > count(forced, snr > 3); let magpsf2 = magpsf; b and isPositive";
    expect(warnings(text)).toEqual(["1:54 nothing reads magpsf2"]);
    expect(checkCondition(text, fields).fieldsRead).toEqual(["drb", "forced.snr", "isPositive"]);
    expect(warnings("let snr1 = 3; let plx = 5; snr1 > drb and has(match.gaia_dr3, plx > 1) and plx > drb")).toEqual([
      "1:63 plx is the field of match.gaia_dr3 here; rename the part that let plx names if you mean that",
    ]);
  });

  test("what doubles with each part is refused before it has grown", () => {
    const parts = Array.from({ length: 100 }, (_, i) => `let p${i + 1} = p${i} + p${i};`);
    expect(problems(`let p0 = drb; ${parts.join(" ")} p100 > 1`)[0]).toContain("grows too large when it is compiled");
  });
});

describe("cuts of the survey", () => {
  const cuts = [
    { name: "star", expression: "let limit = 2; sgscore1 > 0.76 and distpsnr1 < limit", description: "A star." },
    { name: "staysHere", expression: "has(detections, jd < alert.jd)", description: "Seen before." },
    { name: "lost", expression: "has(match.gone)", description: "Reads what is gone." },
  ];
  const table = fieldsOfSurveys([{ ...TEST_SURVEY, cuts }], [TEST_SOURCE])("ZTF");
  const told = (text: string) =>
    checkCondition(text, table).problems.map(({ column, message }) => `${column} ${message}`);

  test("mean what they stand for", () => {
    const { typed, fieldsRead, warnings } = checkCondition("not cut.star and count(detections, cut.star) = 0", table);
    const star = "(sgscore1 > 0.76 and distpsnr1 < 2)";
    const same = star.replaceAll(/[a-z]+1/g, "alert.$&");
    const written = checkCondition(`not ${star} and count(detections, ${same}) = 0`, table);
    expect(compileCondition(typed!).sql).toBe(compileCondition(written.typed!).sql);
    expect(warnings).toEqual([]);
    expect(fieldsRead).toEqual(["sgscore1", "distpsnr1"]);
  });

  test("are named where they are unknown, broken or too deep", () => {
    expect(told("cut.stars")).toEqual(["1 ZTF has no cut.stars (any more); did you mean cut.star?"]);
    expect(told("drb > 1 and cut.lost")).toEqual([
      "13 cut.lost cannot be read: ZTF has no list match.gone; there are match.gaia_dr3",
    ]);
    expect(told("has(forced, has(detections, cut.staysHere))")[0]).toMatch(/^29 lists are nested too deep/);
    expect(told("cut.star > 1")[0]).toContain("a truth value stands alone: cut.star");
  });
});
