// Cursors: exact round trips, and refusal of what is altered, malformed or of another query.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertCursor, coneCursor, queryIdentity } from "./cursor.js";

const badCursor = expect.objectContaining({ code: "BAD_CURSOR" });

describe("cursors", () => {
  it("give back any key exactly, 64-bit ids and float bits included", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
        fc.string(),
        (jd, candid, survey) => {
          const [jd2, candid2, survey2] = alertCursor.decode("q", alertCursor.encode("q", [jd, candid, survey]));
          expect(jd2).toBe(jd === 0 ? 0 : jd);
          expect(candid2).toBe(candid);
          expect(survey2).toBe(survey);
        },
      ),
    );
  });

  it("fit no other query and no other kind of list", () => {
    const text = alertCursor.encode(queryIdentity("alerts", { survey: "ZTF" }), [2460000.5, 1n, "ZTF"]);
    expect(() => alertCursor.decode(queryIdentity("alerts", { survey: "LSST" }), text)).toThrow(badCursor);
    expect(() => coneCursor.decode(queryIdentity("alerts", { survey: "ZTF" }), text)).toThrow(badCursor);
  });

  it("are refused when altered or malformed", () => {
    const text = coneCursor.encode("q", [77.5, "ZTF", "ZTF18abcdefg"]);
    const altered = Buffer.from(text, "base64url").toString().replace("77.5", "78.5");
    expect(() => coneCursor.decode("q", Buffer.from(altered).toString("base64url"))).toThrow(badCursor);
    for (const junk of ["", "null", "W10", "WzFd", "A".repeat(100_000), Buffer.from("[1").toString("base64url")]) {
      expect(() => coneCursor.decode("q", junk)).toThrow(badCursor);
    }
    fc.assert(
      fc.property(fc.string(), (junk) => {
        expect(() => coneCursor.decode("q", junk)).toThrow(badCursor);
      }),
    );
  });
});
