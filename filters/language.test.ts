// What the API asks of the language.
import { expect, test } from "vitest";
import { TocsinError } from "../domain/errors.js";
import { TEST_FIELDS } from "../test/reference/filterfields.js";
import { createFilterLanguage } from "./language.js";

const language = createFilterLanguage(TEST_FIELDS);

function refusal(where: string, annotations: { name: string; expression: string }[] = []): TocsinError {
  try {
    language.validate("ZTF", where, annotations);
  } catch (error) {
    if (error instanceof TocsinError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

test("fields with type, unit and description", () => {
  const fields = language.fields("ZTF");
  expect(fields[0]).toMatchObject({ name: "candid", type: "id", unit: null });
  expect(fields.find((field) => field.name === "magpsf")).toEqual({
    name: "magpsf",
    type: "number",
    unit: "mag",
    description: "Field magpsf.",
  });
  expect(fields.filter(({ name }) => name.startsWith("watch."))).toEqual([
    { name: "watch.mine", type: "list", unit: null, description: "A watch list." },
    { name: "watch.mine.name", type: "text", unit: null, description: "Field name." },
  ]);
  expect(language.fields("ZTF")).toBe(fields);
  expect(() => language.fields("nope")).toThrow(TocsinError);
});

test("check tells errors, warnings and fields", () => {
  expect(language.check("ZTF", "drb > 0.5 and magpsf < jd")).toEqual({
    ok: true,
    errors: [],
    warnings: [{ message: "< mixes mag (magpsf) with d (jd)", line: 1, column: 15 }],
    fieldsRead: ["drb", "magpsf", "jd"],
  });
  expect(language.check("ZTF", "drb >\n")).toMatchObject({ ok: false, errors: [{ line: 2, column: 1 }] });
  expect(language.check("ZTF", "(".repeat(100_000)).errors[0]!.message).toContain("at most 10000 are allowed");
});

test("a misspelt name is told the right one, unless that is hidden", () => {
  const errors = (where: string, isHidden?: (name: string) => boolean) =>
    language.check("ZTF", where, isHidden).errors.map(({ message }) => message);
  expect(errors("watch.mime")).toEqual(["ZTF has no watch.mime (any more); did you mean watch.mine?"]);
  expect(errors("has(watch.mime)")).toEqual(["ZTF has no list watch.mime; did you mean watch.mine?"]);
  const others = (name: string) => name.startsWith("watch.mine");
  expect(errors("watch.mime", others)).toEqual([
    "ZTF has no watch.mime (any more); filterFields lists the names that there are",
  ]);
  expect(errors("has(watch.mime)", others)[0]).not.toContain("mine");
  expect(() => language.validate("ZTF", "watch.mime", [])).toThrow("did you mean watch.mine?");
  expect(() => language.validate("ZTF", "watch.mime", [], others)).not.toThrow("watch.mine");
});

test("validate collects all errors of all parts", () => {
  const error = refusal("drbb > 1", [
    { name: "ok", expression: "drb" },
    { name: "bad", expression: "1 +\n band" },
  ]);
  expect(error.code).toBe("BAD_EXPRESSION");
  expect(error.message).toBe("where, line 1, column 1: ZTF has no field drbb; did you mean drb? (and 1 more).");
  expect(error.details.errors).toEqual([
    { part: "where", message: "ZTF has no field drbb; did you mean drb?", line: 1, column: 1 },
    { part: "annotation bad", message: "band is text where + needs a number", line: 2, column: 2 },
  ]);
});

test("names of annotations", () => {
  const named = (...names: string[]) => names.map((name) => ({ name, expression: "drb" }));
  for (const bad of [
    [""],
    ["1a"],
    ["a b"],
    ["a.b"],
    ['"'],
    ["é"],
    ["a".repeat(51)],
    ["a", "a"],
    Array.from({ length: 21 }, (_, i) => `a${i}`),
  ]) {
    expect(refusal("true", named(...bad)).code).toBe("BAD_ARGUMENT");
  }
  language.validate("ZTF", "true", named("a".repeat(50), "_b", "__proto__", "C9"));
});
