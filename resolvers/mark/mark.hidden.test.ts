// Names of watch lists in what filters are told: one's own by misspelling them, others' by no means.
import { expect, test } from "vitest";
import { createFilterLanguage } from "../../filters/language.js";
import { TEST_FIELDS } from "../../test/reference/filterfields.js";
import type { Services } from "../services.js";
import { withoutHidden } from "./mark.hidden.js";

const seenBy = (hidden: readonly string[]): Services["language"] => {
  const marks = { desk: { hidden: () => new Set(hidden) } };
  const services = { language: createFilterLanguage(TEST_FIELDS), design: {}, marks } as unknown as Services;
  return withoutHidden(services, {} as never).language;
};
const [owner, other] = [seenBy([]), seenBy(["watch.mine"])];

test("the owner is told of a misspelt list", () => {
  expect(owner.check("ZTF", "watch.mime").errors[0]!.message).toContain("did you mean watch.mine?");
  expect(() => owner.validate("ZTF", "has(watch.mime)", [])).toThrow("did you mean watch.mine?");
  expect(owner.check("ZTF", "watch.mine").ok).toBe(true);
});

test("nobody else is, whether the name is right or not", () => {
  for (const where of ["watch.mime", "has(watch.mime)", "has(watch.min, name = 'a')", "watch.mine"]) {
    const { ok, errors } = other.check("ZTF", where);
    expect(ok).toBe(false);
    if (where !== "watch.mine") expect(JSON.stringify(errors)).not.toContain("watch.mine");
    expect(() => other.validate("ZTF", where, [])).toThrow(where === "watch.mine" ? "no name" : /^(?!.*watch\.mine)/);
  }
  // Whatever stands before it, a line's end as well.
  for (const before of ["\n", "\t", "drb > 0.5 and\r\n", "-- all\n", "\f", "has(forced, alert."]) {
    const where = `${before}watch.mine${before.endsWith(".") ? ")" : ""}`;
    expect(owner.check("ZTF", where).ok).toBe(true);
    expect(other.check("ZTF", where).ok).toBe(false);
    expect(() => other.validate("ZTF", where, [])).toThrow("no name");
    expect(() => other.validate("ZTF", "drb > 0", [{ name: "a", expression: where }])).toThrow("no name");
  }
  expect(other.fields("ZTF").some(({ name }) => name.startsWith("watch."))).toBe(false);
});
