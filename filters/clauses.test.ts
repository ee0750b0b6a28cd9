// Conditions taken apart.
import { expect, test } from "vitest";
import { TEST_FIELDS } from "../test/reference/filterfields.js";
import { clausesOf } from "./clauses.js";

const fields = TEST_FIELDS("ZTF");

test("clauses with their places, texts and columns", () => {
  const where = `let limit = 19; -- mag
magpsf < limit
  and (drb > 0.5 or isPositive) and (jd > 2460000
  and count(detections, magpsf < limit and band = alert.band) >= 2)
  and not watch.mine`;
  const clauses = clausesOf(fields, where);
  expect(clauses.map(({ text, line, column }) => [text, line, column])).toEqual([
    ["magpsf < limit", 2, 1],
    ["(drb > 0.5 or isPositive)", 3, 7],
    ["jd > 2460000", 3, 38],
    ["count(detections, magpsf < limit and band = alert.band) >= 2", 4, 7],
    ["not watch.mine", 5, 7],
  ]);
  expect(clauses.map(({ condition }) => condition.columns)).toEqual([
    ["magpsf"],
    ["drb", "isPositive"],
    ["jd"],
    ["detections.magpsf", "detections.band", "band"],
    ["watch.mine.name"],
  ]);
  expect(clauses.map(({ values }) => values.map(({ name, kind }) => `${name}: ${kind}`))).toEqual([
    ["magpsf: number", "limit: number"],
    ["drb: number", "isPositive: truth"],
    ["jd: number"],
    ["limit: number", "alert.band: text", "count(detections, magpsf < limit and band = alert.band): number"],
    ["watch.mine: truth"],
  ]);
  expect(clauses[0]!.values[1]!.value.sql).toBe("19.0");
  expect(clauses[4]!.condition.sql).toBe("NOT notEmpty(`watch.mine.name`)");
});

test("a condition without and is one clause; a bad one is refused", () => {
  expect(clausesOf(fields, "drb > 0.5 or isPositive")).toHaveLength(1);
  expect(() => clausesOf(fields, "drb")).toThrow("a filter needs a condition");
  expect(() => clausesOf(fields, "drb > 0.5 and\n drbb > 1")).toThrow("where, line 2, column 2: ZTF has no field drbb");
});
