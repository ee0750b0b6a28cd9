// Zstandard: frames of Python's library, with and without content size, and frames that lie.
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { python, pythonHas } from "../../test/python.js";
import { unzstandard } from "./zstandard.js";

const MAX = 4 * 1024 * 1024;

describe.skipIf(!pythonHas("backports.zstd"))("frames of Python's zstd (needs backports.zstd)", () => {
  const plain = Buffer.from(Array.from({ length: 400_000 }, (_, i) => ((i * i) % 251) ^ (i >> 9)));
  let frames: Buffer[];
  beforeAll(() => {
    frames = python<string[]>(
      `import base64
from backports import zstd
data = base64.b64decode(input)
out = [zstd.compress(data, level) for level in (1, 3, 19)]
for level in (1, 9):
    c = zstd.ZstdCompressor(level)
    out.append(c.compress(data[:1000]) + c.compress(data[1000:], zstd.ZstdCompressor.FLUSH_BLOCK) + c.flush())
print(json.dumps([base64.b64encode(f).decode() for f in out + [zstd.compress(b''), zstd.compress(bytes(2000000))]]))`,
      plain.toString("base64"),
    ).map((text) => Buffer.from(text, "base64"));
  });

  test("unpack to what was packed", () => {
    for (const frame of frames.slice(0, 5)) expect(Buffer.compare(unzstandard(frame, MAX), plain)).toBe(0);
    expect(unzstandard(frames[5]!, MAX).length).toBe(0);
    expect(Buffer.compare(unzstandard(frames[6]!, MAX), Buffer.alloc(2_000_000))).toBe(0);
    expect(() => unzstandard(frames[6]!, 1_000_000)).toThrow(/larger|more than/);
  });

  test("damaged or followed by another frame: an error at once", () => {
    expect(() => unzstandard(Buffer.concat([frames[0]!, frames[0]!]), MAX)).toThrow();
    fc.assert(
      fc.property(fc.nat({ max: 2_000 }), fc.nat({ max: 255 }), fc.nat({ max: 4 }), (where, value, which) => {
        const frame = Buffer.from(frames[which]!);
        frame[where % frame.length] = value;
        try {
          expect(unzstandard(frame, MAX).length).toBeLessThanOrEqual(MAX);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test("a window of gigabytes, and thousands of empty blocks", () => {
  const header = (window: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, window]);
  expect(() => unzstandard(Buffer.concat([header(0xa8), Buffer.from([1, 0, 0])]), MAX)).toThrow(/window/);
  const blocks = Buffer.concat([Buffer.alloc(3 * 100_000), Buffer.from([1, 0, 0])]);
  expect(() => unzstandard(Buffer.concat([header(0x58), blocks]), MAX)).toThrow(/too many blocks/);
  expect(() => unzstandard(Buffer.from([0x28, 0xb5]), MAX)).toThrow();
});
