// Every seq survives its cursor, no other text passes for one, and a cursor shows nothing of its seq.
import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHitCursors } from "./cursor.js";

const cursors = createHitCursors(randomBytes(16));
const badCursor = expect.objectContaining({ code: "BAD_CURSOR" });
const seqs = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe("cursor of hits", () => {
  it("gives back every seq of 64 bits, in any order of calls", () => {
    fc.assert(fc.property(seqs, (seq) => cursors.seq(cursors.text(seq)) === seq));
    const texts = Array.from({ length: 100 }, (_, n) => cursors.text(BigInt(n)));
    expect(texts.reverse().map(cursors.seq)).toEqual(Array.from({ length: 100 }, (_, n) => BigInt(99 - n)));
  });

  it("is the same for everybody who has the key, and is known by nobody else", () => {
    const key = randomBytes(16);
    expect(createHitCursors(key).text(7n)).toBe(createHitCursors(Uint8Array.from(key)).text(7n));
    expect(() => cursors.seq(createHitCursors(key).text(7n))).toThrow(badCursor);
  });

  it("is what openssl makes: a cursor kept for years stays good", () => {
    // openssl enc -aes-128-ecb -nopad of 00 00 00 00 00 00 01 02 and "hitseq 1"
    expect(createHitCursors(Buffer.from("0123456789abcdef")).text(258n)).toBe("1mClampUIcgpSYp6aNs7LQ");
  });

  it("refuses every other text", () => {
    const good = cursors.text(1n);
    // The last character has two bits that count, the highest: A, Q, g or w.
    const spare = good.slice(0, -1) + String.fromCharCode(good.charCodeAt(good.length - 1) + 1);
    expect(Buffer.from(spare, "base64url")).toEqual(Buffer.from(good, "base64url"));
    const bad = ["", "1", base64url(Buffer.from("hit:1")), `${good}=`, ` ${good}`, spare, good.slice(0, -1)];
    for (const text of [...bad, good.repeat(2), "A".repeat(22), "é".repeat(22), "A".repeat(100_000)]) {
      expect(() => cursors.seq(text), text.slice(0, 50)).toThrow(badCursor);
    }
    // Any bit of a cursor changed.
    const bytes = Buffer.from(good, "base64url");
    for (let bit = 0; bit < 128; bit += 1) {
      const other = Buffer.from(bytes);
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => cursors.seq(base64url(other))).toThrow(badCursor);
    }
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array({ minLength: 15, maxLength: 17 }).map(base64url)), (text) => {
        expect(() => cursors.seq(text)).toThrow(badCursor);
      }),
    );
  });

  it("shows neither number nor order: neighbours differ in half of their bits, and sort by chance", () => {
    const bytes = Array.from({ length: 2_000 }, (_, n) => Buffer.from(cursors.text(BigInt(n)), "base64url"));
    let different = 0;
    let ascending = 0;
    for (const [n, other] of bytes.slice(1).entries()) {
      const before = bytes[n]!;
      for (const [at, byte] of other.entries()) different += popcount(byte ^ before[at]!);
      if (Buffer.compare(before, other) < 0) ascending += 1;
    }
    // Over 1,999 pairs: ten standard deviations or more.
    expect(different / 1_999 / 128).toBeGreaterThan(0.49);
    expect(different / 1_999 / 128).toBeLessThan(0.51);
    expect(Math.abs(ascending / 1_999 - 0.5)).toBeLessThan(0.12);
  });
});

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
const popcount = (byte: number): number => byte.toString(2).replaceAll("0", "").length;
