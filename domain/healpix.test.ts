// HEALPix against cdshealpix and astropy-healpix, and cone covers against brute force.
import { beforeAll, describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import { coneRanges, nestedPixel, nestedPixels, pixelCentre } from "./healpix.js";
import { separationArcsec } from "./sky.js";

/** Seeded random numbers in [0, 1) with 52 bits: with 32 too many positions would lie on pixel borders. */
function random(seed: number): () => number {
  let state = seed;
  const word = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return () => ((word() >>> 6) * 2 ** 26 + (word() >>> 6)) / 2 ** 52;
}
const degrees = (radians: number) => (radians * 180) / Math.PI;

function positions(): { ra: number[]; dec: number[] } {
  const next = random(29);
  const ra: number[] = [];
  const dec: number[] = [];
  for (let k = 0; k < 10_000; k++) {
    ra.push(360 * next());
    dec.push(degrees(Math.asin(2 * next() - 1)));
  }
  // Poles, the seams between faces, the border between belt and caps, the wrap.
  const border = degrees(Math.asin(2 / 3));
  for (const d of [
    90,
    -90,
    89.9999999,
    -89.9999999,
    1e-12,
    0,
    -1e-12,
    border,
    -border,
    border + 1e-7,
    -border - 1e-7,
    60,
    -60,
  ]) {
    for (const a of [0, 1e-12, 45, 90 - 1e-9, 90, 135, 179.99999999, 180, 225.5, 270, 315, 359.99999999]) {
      ra.push(a);
      dec.push(d);
    }
  }
  return { ra, dec };
}

describe.skipIf(!pythonHas("cdshealpix", "astropy_healpix"))("pixels, against two independent libraries", () => {
  const { ra, dec } = positions();
  let truth: { cds: string[]; astropy: string[]; lon: number[]; lat: number[] };
  beforeAll(() => {
    truth = python(
      `
import numpy as np, cdshealpix, astropy.units as u
from astropy.coordinates import Longitude, Latitude
from astropy_healpix import HEALPix
lon = Longitude(np.array(input["ra"]), u.deg); lat = Latitude(np.array(input["dec"]), u.deg)
cds = cdshealpix.lonlat_to_healpix(lon, lat, 29)
ahp = HEALPix(nside=2**29, order="nested").lonlat_to_healpix(lon, lat)
clon, clat = cdshealpix.healpix_to_lonlat(cds >> np.uint64(2 * 9), 20)
print(json.dumps({"cds": [str(p) for p in cds], "astropy": [str(p) for p in ahp],
  "lon": clon.to_value(u.deg).tolist(), "lat": clat.to_value(u.deg).tolist()}))`,
      { ra, dec },
    );
  });

  it("equals one of them everywhere and cdshealpix at all 10,000 random positions", () => {
    const ours = ra.map((a, k) => String(nestedPixel(a, dec[k]!)));
    expect(ours.slice(0, 10_000)).toEqual(truth.cds.slice(0, 10_000));
    // Exactly on a border both sides are right: the libraries differ there from each other.
    const neither = ours.flatMap((p, k) => (p === truth.cds[k] || p === truth.astropy[k] ? [] : [[ra[k], dec[k], p]]));
    expect(neither).toEqual([]);
  });

  it("fills arrays with the same pixels", () => {
    const out = new BigUint64Array(ra.length);
    nestedPixels(Float64Array.from(ra), Float64Array.from(dec), out);
    expect([...out]).toEqual(ra.map((a, k) => nestedPixel(a, dec[k]!)));
  });

  it("puts centres where cdshealpix does", () => {
    for (let k = 0; k < 10_000; k++) {
      const centre = pixelCentre(BigInt(truth.cds[k]!) >> 18n, 20);
      expect(separationArcsec(centre.ra, centre.dec, truth.lon[k]!, truth.lat[k]!)).toBeLessThan(1e-8);
    }
  });
});

describe("pixel centres", () => {
  it("lie in their pixels, at every order and on every face", () => {
    const next = random(7);
    for (let order = 0; order <= 29; order++) {
      for (let face = 0; face < 12; face++) {
        const inFace = BigInt(Math.floor(next() * 2 ** 53)) & ((1n << BigInt(2 * order)) - 1n);
        const pixel = (BigInt(face) << BigInt(2 * order)) | inFace;
        const { ra, dec } = pixelCentre(pixel, order);
        expect(nestedPixel(ra, dec) >> BigInt(2 * (29 - order))).toBe(pixel);
      }
    }
  });

  it("refuses what is not a position or a pixel", () => {
    const bad = expect.objectContaining({ code: "BAD_ARGUMENT" });
    expect(() => nestedPixel(Number.NaN, 0)).toThrow(bad);
    expect(() => nestedPixel(10, 90.1)).toThrow(bad);
    expect(() => nestedPixels(Float64Array.of(1), Float64Array.of(Number.NaN), new BigUint64Array(1))).toThrow(bad);
    expect(() => pixelCentre(12n << 58n)).toThrow(bad);
    expect(() => pixelCentre(0n, 30)).toThrow(bad);
    expect(() => coneRanges(0, 0, -1)).toThrow(bad);
  });

  it("turns right ascension around", () => {
    expect(nestedPixel(-10, 5)).toBe(nestedPixel(350, 5));
    expect(nestedPixel(-1e-20, 5)).toBe(nestedPixel(0, 5));
    expect(nestedPixel(730, 5)).toBe(nestedPixel(10, 5));
  });
});

/** The point at this separation and position angle (degrees) from a centre. */
function offset(ra: number, dec: number, separation: number, angle: number): [number, number] {
  const [d, s, a] = [dec, separation, angle].map((v) => (v * Math.PI) / 180) as [number, number, number];
  const z = Math.sin(d) * Math.cos(s) + Math.cos(d) * Math.sin(s) * Math.cos(a);
  const x = Math.cos(s) * Math.cos(d) - Math.sin(s) * Math.sin(d) * Math.cos(a);
  const y = Math.sin(s) * Math.sin(a);
  return [ra + degrees(Math.atan2(y, x)), degrees(Math.atan2(z, Math.hypot(x, y)))];
}

describe("cone covers", () => {
  const next = random(2005);
  const centres: [number, number][] = [];
  const border = degrees(Math.asin(2 / 3));
  for (const dec of [90, -90, 89.99999, -89.9999, border, -border, 0, 41.81, -41.8]) {
    for (const ra of [0, 45, 90, 179.9999999, 270, 359.9999999]) centres.push([ra, dec]);
  }
  for (let k = 0; k < 60; k++) centres.push([360 * next(), degrees(Math.asin(2 * next() - 1))]);
  const radii = [0, 0.01, 0.1, 1, 5, 10, 60, 600, 3600, 18_000, 36_000];

  it.each(radii)("hold every position within %d arcsec, in few sorted ranges", (arcsec) => {
    for (const [ra, dec] of centres) {
      const ranges = coneRanges(ra, dec, arcsec / 3600);
      expect(ranges.length).toBeLessThanOrEqual(96);
      for (let k = 1; k < ranges.length; k++) expect(ranges[k]!.start > ranges[k - 1]!.end).toBe(true);
      for (let k = 0; k < 150; k++) {
        // Half of them on the rim, where covers fail first.
        const share = k % 2 === 0 ? 1 - 1e-9 : Math.sqrt(next());
        const [a, d] = offset(ra, dec, (share * arcsec) / 3600, 360 * next());
        const pixel = nestedPixel(a, d);
        if (!ranges.some((r) => pixel >= r.start && pixel < r.end)) {
          expect.fail(`(${a}, ${d}) of the cone (${ra}, ${dec}), ${arcsec}" is in no range`);
        }
      }
    }
  });

  it("are not much larger than the cone", () => {
    for (const arcsec of [5, 60, 3600, 36_000]) {
      for (const [ra, dec] of centres) {
        const pixels = coneRanges(ra, dec, arcsec / 3600).reduce((sum, r) => sum + Number(r.end - r.start), 0);
        const area = (pixels * 4 * Math.PI) / (12 * 4 ** 29);
        const cone = 4 * Math.PI * Math.sin(arcsec / 206_264.806 / 2) ** 2;
        expect(area / cone).toBeLessThan(1.6);
      }
    }
  });

  it("keep to the number of ranges that is asked for", () => {
    for (const [ra, dec] of centres) expect(coneRanges(ra, dec, 3, 12).length).toBeLessThanOrEqual(12);
    expect(coneRanges(10, 10, 180)).toEqual([{ start: 0n, end: 12n << 58n }]);
  });
});
