// Snappy: what the usual package packs is unpacked; damaged streams fail at once.
import fc from "fast-check";
import snappyjs from "snappyjs";
import { expect, test } from "vitest";
import { MalformedError } from "./primitives.js";
import { unsnappy } from "./snappy.js";

const MAX = 1 << 20;

test("unpacks what was packed", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .array(fc.constantFrom("flux", "magpsf", "  ", "\0\0\0\0\0\0\0\0"), { maxLength: 2000 })
      .map((parts) => Uint8Array.from(Buffer.from(parts.join("")))),
  );
  fc.assert(
    fc.property(bytes, (plain) => {
      expect(Buffer.compare(unsnappy(snappyjs.compress(plain), MAX), plain)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("damaged streams fail with MalformedError, and none makes it loop", () => {
  // A literal whose length reads as a negative 32-bit number.
  const backwards = Uint8Array.from([8, 0xfc, 0xfa, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
  expect(() => unsnappy(backwards, MAX)).toThrow(MalformedError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      try {
        unsnappy(noise, MAX);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
      }
    }),
    { numRuns: 5000 },
  );
});
