// Regions against mocpy: text, JSON and FITS both ways, algebra, fractions; covers of circles and polygons by brute force.
import { beforeAll, describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import { nestedPixel } from "./healpix.js";
import { readMocFits } from "./moc.fits.js";
import {
  cellOfUniq,
  cellRange,
  type Moc,
  mocContains,
  mocFraction,
  mocIntersection,
  mocOfRanges,
  mocUnion,
} from "./moc.js";
import { circleMoc, polygonMoc } from "./moc.shapes.js";
import { mocString, parseMoc } from "./moc.text.js";
import { separationArcsec } from "./sky.js";

const hasMocpy = pythonHas("mocpy", "astropy");
if (!hasMocpy) console.warn("skipped: regions against mocpy (TOCSIN_PYTHON cannot import mocpy)");

interface Region {
  readonly ranges: [string, string][];
  readonly text: string;
  readonly json: Record<string, number[]>;
  readonly uniqs: string;
  readonly rangeFile: string;
  readonly fraction: number;
}

it("reads JSON of the finest orders exactly", () => {
  const [pixel, other] = [3458764513820540927n, 29970561362409456n];
  const moc = parseMoc(`{"29": [${pixel}, ${pixel - 1n}], "26":[${other}]}`);
  expect(moc).toEqual(mocOfRanges([cellRange(29, pixel - 1n, 2n), cellRange(26, other)]));
  expect(() => parseMoc('{"29": [3458764513820540928]}')).toThrow("Order 29 has the pixels 0 to 3458764513820540927");
  expect(() => parseMoc('{"26": [1e17]}')).toThrow("whole number");
});

describe.skipIf(!hasMocpy)("regions against mocpy", () => {
  let regions: Region[];
  let both: { union: [string, string][]; intersection: [string, string][] };
  let circle: { ra: number; dec: number; isInside: boolean }[];
  let polygon: { ra: number; dec: number; isInside: boolean }[];
  const corners = [
    [350, 10],
    [12, 5],
    [20, 30],
    [358, 22],
  ] as const;

  beforeAll(() => {
    const script = `
import base64, io, os, tempfile
import numpy as np
import astropy.units as u
from astropy.coordinates import SkyCoord
from mocpy import MOC
def of(moc):
    out = {}
    out["ranges"] = [[str(a), str(b)] for a, b in moc.to_depth29_ranges]
    out["text"] = moc.to_string("ascii")
    out["json"] = moc.serialize("json")
    for key, pre in (("uniqs", True), ("rangeFile", False)):
        with tempfile.TemporaryDirectory() as d:
            p = os.path.join(d, "m.fits")
            moc.save(p, format="fits", pre_v2=pre)
            out[key] = base64.b64encode(open(p, "rb").read()).decode()
    out["fraction"] = float(moc.sky_fraction)
    return out
a = MOC.from_cone(lon=10*u.deg, lat=85*u.deg, radius=7*u.deg, max_depth=9)
b = MOC.from_cone(lon=200*u.deg, lat=80*u.deg, radius=9*u.deg, max_depth=7)
c = MOC.from_polygon_skycoord(SkyCoord([p[0] for p in input], [p[1] for p in input], unit="deg"), max_depth=10)
d = MOC.from_string("29/17 3458764513820540927 0/3")
rng = np.random.default_rng(3)
ra = np.concatenate([rng.uniform(0, 360, 20000), rng.uniform(340, 385, 20000) % 360])
dec = np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, 20000))), rng.uniform(0, 35, 20000)])
fine = MOC.from_polygon_skycoord(SkyCoord([p[0] for p in input], [p[1] for p in input], unit="deg"), max_depth=15)
poly = fine.contains_lonlat(ra*u.deg, dec*u.deg)
s = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(10, 85, unit="deg")).deg <= 7
rows = lambda inside: [{"ra": r, "dec": e, "isInside": bool(i)} for r, e, i in zip(ra.tolist(), dec.tolist(), inside)]
print(json.dumps({"regions": [of(m) for m in (a, b, c, d)],
  "both": {"union": of(a.union(b))["ranges"], "intersection": of(a.intersection(b))["ranges"]},
  "circle": rows(s), "polygon": rows(poly)}))`;
    ({ regions, both, circle, polygon } = python<{
      regions: Region[];
      both: typeof both;
      circle: typeof circle;
      polygon: typeof polygon;
    }>(script, corners));
  }, 120_000);

  const shown = ({ edges }: Moc) =>
    Array.from({ length: edges.length / 2 }, (_, n) => [`${edges[2 * n]}`, `${edges[2 * n + 1]}`]);

  it("reads strings, JSON, NUNIQ and range files to the same ranges", () => {
    for (const { ranges, text, json, uniqs, rangeFile, fraction } of regions) {
      expect(shown(parseMoc(text))).toEqual(ranges);
      if (!text.includes("29/")) expect(shown(parseMoc(JSON.stringify(json)))).toEqual(ranges);
      expect(shown(readMocFits(Buffer.from(uniqs, "base64")))).toEqual(ranges);
      expect(shown(readMocFits(Buffer.from(rangeFile, "base64")))).toEqual(ranges);
      const moc = parseMoc(text);
      expect(mocFraction(moc)).toBeCloseTo(fraction, 14);
      expect(shown(parseMoc(mocString(moc)))).toEqual(ranges);
    }
  });

  it("unites and intersects", () => {
    const [a, b] = regions.map(({ text }) => parseMoc(text));
    expect(shown(mocUnion(a!, b!))).toEqual(both.union);
    expect(shown(mocIntersection(a!, b!))).toEqual(both.intersection);
    expect(shown(mocIntersection(a!, parseMoc("0/0-11")))).toEqual(shown(a!));
    expect(mocFraction(mocUnion(a!, parseMoc("0/0-11")))).toBe(1);
  });

  it("covers a circle around a pole: nothing of it is missing, little is too much", () => {
    const moc = circleMoc(10, 85, 7);
    for (const { ra, dec, isInside } of circle) {
      const held = mocContains(moc, nestedPixel(ra, dec));
      if (isInside) expect(held).toBe(true);
      else if (held) expect(separationArcsec(10, 85, ra, dec) / 3600).toBeLessThan(7 * 1.01);
    }
    // A cap of 7 degrees has (1 - cos 7 deg) / 2 of the sky.
    expect(mocFraction(moc) / ((1 - Math.cos((7 * Math.PI) / 180)) / 2)).toBeGreaterThan(1);
    expect(mocFraction(moc) / ((1 - Math.cos((7 * Math.PI) / 180)) / 2)).toBeLessThan(1.01);
  });

  it("covers a polygon across right ascension 0 as mocpy does, and no more", () => {
    const moc = polygonMoc(corners.map(([ra, dec]) => ({ ra, dec })));
    let inside = 0;
    let rim = 0;
    for (const { ra, dec, isInside } of polygon) {
      const held = mocContains(moc, nestedPixel(ra, dec));
      // mocpy's own cover has a rim of order 15.
      if (isInside) inside++;
      if (held !== isInside) rim++;
    }
    expect(inside).toBeGreaterThan(5000);
    expect(rim / inside).toBeLessThan(0.01);
    const fine = mocFraction(moc) / regions[2]!.fraction;
    expect(Math.abs(fine - 1)).toBeLessThan(0.02);
  });
});

describe("regions", () => {
  it("numbers every cell by UNIQ", () => {
    for (let order = 0; order <= 29; order++) {
      for (const pixel of [0n, (12n << BigInt(2 * order)) - 1n]) {
        expect(cellOfUniq((4n << BigInt(2 * order)) + pixel)).toEqual({ order, pixel });
      }
    }
    for (const bad of [-1n, 0n, 3n, 2n ** 62n, 2n ** 63n]) expect(() => cellOfUniq(bad)).toThrow("is no UNIQ number");
  });

  it("holds what is in its ranges, however they came", () => {
    const moc = mocOfRanges([cellRange(1, 5n), cellRange(0, 0n), cellRange(1, 4n, 2n), cellRange(29, 3n << 58n)]);
    expect(mocString(moc)).toBe("0/0 1/4-5 29/864691128455135232");
    expect(mocContains(moc, 0n)).toBe(true);
    expect(mocContains(moc, (1n << 58n) + (1n << 57n))).toBe(false);
    expect(mocContains(moc, 3n << 58n)).toBe(true);
    expect(mocContains(moc, (3n << 58n) + 1n)).toBe(false);
    expect(mocString(parseMoc(""))).toBe("0/");
  });

  it.each([
    ["30/1", "orders are 0 to 29"],
    ["1/48", "Order 1 has the pixels 0 to 47"],
    ["1/5-3", "run backwards"],
    ["5", "no part of a MOC"],
    ["1/a", "no part of a MOC"],
    ['{"1": [48]}', "Order 1 has"],
    ['{"1": "2"}', "orders and lists"],
    ['{"1": [1.5]}', "whole number"],
    ['{"1": [', "does not parse"],
  ])("refuses %s", (text, message) => expect(() => parseMoc(text)).toThrow(message));

  it("refuses shapes without an inside", () => {
    expect(() => circleMoc(0, 0, 0)).toThrow("above 0");
    expect(() => circleMoc(0, 91, 1)).toThrow("-90 to 90");
    expect(() =>
      polygonMoc([
        { ra: 0, dec: 0 },
        { ra: 1, dec: 0 },
      ]),
    ).toThrow("3 to 200");
    expect(() => polygonMoc([0, 120, 240].map((ra) => ({ ra, dec: 0 })))).toThrow("within 80 degrees");
    expect(() => readMocFits(new Uint8Array(5760))).toThrow("no FITS header");
  });
});
