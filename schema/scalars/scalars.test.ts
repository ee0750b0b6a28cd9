// The scalars: what they read, refuse and show.
import fc from "fast-check";
import { Kind } from "graphql";
import { describe, expect, it } from "vitest";
import { DateTime } from "./datetime.scalar.js";
import { JsonValue } from "./json.scalar.js";
import { Long } from "./long.scalar.js";
import { Position } from "./position.scalar.js";

const refused = expect.objectContaining({ code: "BAD_ARGUMENT" });

describe("Long", () => {
  it("keeps every digit from -2^63 to 2^64 - 1, as text and as literal", () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n), (id) => {
        expect(Long.serialize(id)).toBe(id.toString());
        expect(Long.parseValue(id.toString())).toBe(id);
        expect(Long.parseLiteral({ kind: Kind.INT, value: id.toString() }, {})).toBe(id);
      }),
    );
  });

  it("takes safe integers, and nothing that has lost digits or never was one", () => {
    expect(Long.parseValue(2 ** 53 - 1)).toBe(9007199254740991n);
    const wrong = [2 ** 53, 1.5, Number.NaN, "1e3", "0x10", " 1", "", "1.0", true, null, {}, "1".repeat(1_000_000)];
    for (const value of wrong) expect(() => Long.parseValue(value)).toThrow(refused);
    for (const value of [2n ** 64n, -(2n ** 63n) - 1n]) expect(() => Long.parseValue(String(value))).toThrow(refused);
    expect(() => Long.parseLiteral({ kind: Kind.FLOAT, value: "1.0" }, {})).toThrow(refused);
    expect(() => Long.serialize(5)).toThrow(TypeError);
  });
});

describe("DateTime", () => {
  it("shows ISO 8601 in UTC with milliseconds, beyond a Date's years too", () => {
    expect(DateTime.serialize(2451545)).toBe("2000-01-01T12:00:00.000Z");
    expect(DateTime.serialize(2440587.5)).toBe("1970-01-01T00:00:00.000Z");
    expect(DateTime.serialize(2440587.5 + 2e8)).toMatch(/^\+\d{6}-\d\d-\d\dT00:00:00\.000Z$/);
  });

  it("reads the notations of one moment as one moment", () => {
    for (const text of ["2023-02-25T00:00:00Z", "2023-02-25", "JD 2460000.5", "MJD 60000", 2460000.5, 60000]) {
      expect(DateTime.parseValue(text)).toBe(2460000.5);
    }
    expect(DateTime.parseLiteral({ kind: Kind.FLOAT, value: "2460000.5" }, {})).toBe(2460000.5);
    for (const wrong of ["soon", "", 5, true, null, "2023-02-30"]) {
      expect(() => DateTime.parseValue(wrong)).toThrow(refused);
    }
  });
});

describe("Position", () => {
  it("reads degrees and sexagesimal", () => {
    for (const text of ["10:45:03.6 +41:16:12", "10h45m03.6s +41d16m12s", "161.265 41.27"]) {
      const { ra, dec } = Position.parseValue(text);
      expect(ra).toBeCloseTo(161.265, 9);
      expect(dec).toBeCloseTo(41.27, 9);
    }
    for (const wrong of ["", "M31", 161.265, null, "1 91"]) expect(() => Position.parseValue(wrong)).toThrow(refused);
  });
});

it("JSON shows 64-bit integers as text and what JSON cannot say as null", () => {
  const shown = JsonValue.serialize({ id: 2n ** 63n, list: [1n, Number.NaN, 1.5], inner: { text: "x", none: null } });
  expect(shown).toEqual({ id: "9223372036854775808", list: ["1", null, 1.5], inner: { text: "x", none: null } });
});
