// FITS images, limits and stretches against astropy, on real cutouts; and files that mean harm.
import { beforeAll, describe, expect, it } from "vitest";
import { rawFits, type TrueCutout, trueCutouts } from "../test/cutouts.js";
import { pythonHas } from "../test/python.js";
import { readFitsImage } from "./fits.js";
import { percentileLimits, stretched, zscaleLimits } from "./stretch.js";

describe.skipIf(!pythonHas("astropy", "fastavro"))("cutouts, against astropy", () => {
  let truth: TrueCutout[];
  beforeAll(() => {
    truth = trueCutouts();
  });
  const expectClose = (
    ours: ArrayLike<number>,
    theirs: readonly (number | null)[],
    tolerance: number,
    name: string,
  ) => {
    expect(ours.length, name).toBe(theirs.length);
    const wrong = theirs.filter((value, k) => {
      const mine = ours[k] as number;
      return value === null ? !Number.isNaN(mine) : !(mine === value || Math.abs(mine - value) <= tolerance);
    });
    expect(wrong.length, name).toBe(0);
  };

  it("every pixel, whatever it is stored as", () => {
    expect(truth.length).toBeGreaterThan(30);
    for (const { name, bytes, width, height, pixels } of truth) {
      const image = readFitsImage(bytes);
      expect([image.width, image.height], name).toEqual([width, height]);
      expectClose(image.pixels, pixels, 0, name);
    }
  });

  it("limits by zscale and percentiles", () => {
    for (const { name, bytes, zscale, percentile } of truth) {
      const { pixels } = readFitsImage(bytes);
      const close = Math.max(...zscale.map(Math.abs), 1) * 1e-9;
      const ours = zscaleLimits(pixels);
      expectClose([ours.low, ours.high], zscale, close, `${name}: ${JSON.stringify(ours)} for ${zscale}`);
      const middle = percentileLimits(pixels, 99);
      expectClose([middle.low, middle.high], percentile, close, `${name}: percentiles`);
    }
  });

  it("asinh and log stretches", () => {
    for (const { name, bytes, asinh, log } of truth) {
      const { pixels } = readFitsImage(bytes);
      expectClose(stretched(pixels, "asinh"), asinh, 1e-12, `${name}: asinh`);
      expectClose(stretched(pixels, "log"), log, 1e-12, `${name}: log`);
    }
  });
});

describe("files that are no images", () => {
  const image = ["SIMPLE  =                    T", "BITPIX  =                  -32", "NAXIS   =                    2"];
  const axes = (width: number | string, height: number | string) => [
    ...image,
    `NAXIS1  = ${width}`,
    `NAXIS2  = ${height}`,
  ];
  const files: Record<string, Uint8Array> = {
    "of no length": new Uint8Array(),
    "of one byte": new Uint8Array(1),
    "without END": Buffer.from(
      axes(4, 4)
        .map((card) => card.padEnd(80))
        .join(""),
    ),
    "with a header that never ends": Buffer.alloc(80 * 36 * 60, "COMMENT ".padEnd(80)),
    "of another kind": Buffer.from("\x89PNG".padEnd(5760, "x")),
    "huger than memory": rawFits(axes(2_000_000_000, 2_000_000_000)),
    "wider than it is long": rawFits(axes(1000, 1000), new Uint8Array(64)),
    "larger than may be drawn": rawFits(axes(4096, 4096), new Uint8Array(64)),
    "of negative width": rawFits(axes(-4, 4)),
    "of broken width": rawFits(axes(2.5, 4)),
    "of no number": rawFits(axes("'wide'", 4)),
    "of 999 endless axes": rawFits([
      ...image.slice(0, 2),
      "NAXIS   = 999",
      ...Array.from({ length: 999 }, (_, n) => `NAXIS${n + 1}`.padEnd(8).concat("= 9007199254740991")),
    ]),
    "of 64-bit integers": rawFits(axes(2, 2).with(1, "BITPIX  = 64"), new Uint8Array(32)),
    "with a missing axis": rawFits(image),
    "with endless empty extensions": Buffer.concat([
      rawFits(["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0"]),
      ...Array.from({ length: 50 }, () => rawFits(["XTENSION= 'TABLE   '", "BITPIX  = 8", "NAXIS   = 0"])),
    ]),
  };
  it.each(Object.keys(files))("%s", (name) => {
    const started = performance.now();
    expect(() => readFitsImage(files[name]!)).toThrow(expect.objectContaining({ code: "UNREADABLE_IMAGE" }));
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it("images without a single value are drawn as nothing", () => {
    const blank = new Float64Array(9).fill(Number.NaN);
    expect(zscaleLimits(blank)).toEqual({ low: 0, high: 0 });
    expect(stretched(blank, "asinh").every(Number.isNaN)).toBe(true);
  });
});
