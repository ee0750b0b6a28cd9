// Every seq survives its cursor, and no other text passes for one.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hitCursor, parseHitCursor } from "./cursor.js";

describe("cursor of hits", () => {
  it("gives back every seq of 63 bits", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (seq) => parseHitCursor(hitCursor(seq)) === seq),
    );
  });

  it("refuses every other text", () => {
    const base64 = (text: string) => Buffer.from(text).toString("base64url");
    const bad = ["", "1", "hit:1", "aGl0OjE=", "aGl0OjE ", base64("hit:01"), base64("hit:-1"), base64("hit:1n")];
    const tooLarge = [hitCursor(2n ** 63n), hitCursor(10n ** 18n * 99n), "A".repeat(100_000)];
    for (const text of [...bad, ...tooLarge]) {
      expect(() => parseHitCursor(text), text.slice(0, 50)).toThrow(expect.objectContaining({ code: "BAD_CURSOR" }));
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          return hitCursor(parseHitCursor(text)) === text;
        } catch (error) {
          return (error as { code?: string }).code === "BAD_CURSOR";
        }
      }),
    );
  });
});
