// Separations and frames against astropy.
import { beforeAll, describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import { eclipticFromIcrs, galacticFromIcrs, normaliseRa, separationArcsec } from "./sky.js";

describe("right ascension", () => {
  it("is brought into [0, 360)", () => {
    expect([0, 360, -0, -1e-20, 725.5, -30, 359.999].map(normaliseRa)).toEqual([0, 0, 0, 0, 5.5, 330, 359.999]);
  });
});

describe.skipIf(!pythonHas("astropy"))("positions, against astropy", () => {
  const ra: number[] = [0, 0, 0, 359.9999999, 180, 266.4, 192.86];
  const dec: number[] = [90, -90, 0, 1e-8, -1e-9, -28.94, 27.13];
  for (let k = 0; k < 500; k++) {
    ra.push((k * 360 * 0.6180339887) % 360);
    dec.push((Math.asin((2 * k + 1) / 500 - 1) * 180) / Math.PI);
  }
  let truth: { galactic: [number, number][]; ecliptic: [number, number][]; near: number[]; far: number[] };
  beforeAll(() => {
    truth = python(
      `
from astropy.coordinates import SkyCoord
import astropy.units as u, numpy as np
c = SkyCoord(np.array(input["ra"]) * u.deg, np.array(input["dec"]) * u.deg)
near = SkyCoord((np.array(input["ra"]) + 1e-5) * u.deg, np.clip(np.array(input["dec"]) + 1e-6, -90, 90) * u.deg)
g = c.galactic; e = c.transform_to("barycentricmeanecliptic")
print(json.dumps({"galactic": np.transpose([g.l.deg, g.b.deg]).tolist(),
  "ecliptic": np.transpose([e.lon.deg, e.lat.deg]).tolist(),
  "near": c.separation(near).arcsec.tolist(), "far": c.separation(np.roll(c, 1)).arcsec.tolist()}))`,
      { ra, dec },
    );
  });
  const farthest = (ours: [number, number][], theirs: [number, number][]) =>
    Math.max(...ours.map(([a, d], k) => separationArcsec(a, d, ...theirs[k]!))) / 3600;

  it("galactic within 1e-9 degrees", () => {
    expect(
      farthest(
        ra.map((a, k) => galacticFromIcrs(a, dec[k]!)),
        truth.galactic,
      ),
    ).toBeLessThan(1e-9);
  });

  it("ecliptic (barycentric mean ecliptic J2000) within 1e-9 degrees", () => {
    expect(
      farthest(
        ra.map((a, k) => eclipticFromIcrs(a, dec[k]!)),
        truth.ecliptic,
      ),
    ).toBeLessThan(1e-9);
  });

  it("separations, tiny and large", () => {
    ra.forEach((a, k) => {
      const near = separationArcsec(a, dec[k]!, a + 1e-5, Math.min(90, dec[k]! + 1e-6));
      expect(Math.abs(near - truth.near[k]!)).toBeLessThan(1e-9);
      const before = k === 0 ? ra.length - 1 : k - 1;
      expect(Math.abs(separationArcsec(a, dec[k]!, ra[before]!, dec[before]!) - truth.far[k]!)).toBeLessThan(1e-7);
    });
    expect(separationArcsec(10, 20, 190, -20)).toBeCloseTo(648_000, 8);
    expect(separationArcsec(10, 20, 370, 20)).toBeLessThan(1e-9);
  });
});
