// Ellipses against astropy: position angles from north through east, poles and the turn of right ascension included.
import { describe, expect, it } from "vitest";
import { random } from "../bench/random.js";
import { python, pythonHas } from "../test/python.js";
import { type EllipseColumns, ellipseOf, isNear } from "./catalog.js";
import { GIANTS, isInEllipse, positionAngleDeg } from "./ellipse.js";

describe("an ellipse", () => {
  it("has its angle from north through east", () => {
    const ellipse = { semiMajorArcsec: 3600, axisRatio: 0.1, angleDeg: 30 };
    const [sin, cos] = [Math.sin(Math.PI / 6), Math.cos(Math.PI / 6)];
    // East is where right ascension grows.
    expect(isInEllipse(ellipse, 100, 0, 100 + 0.9 * sin, 0.9 * cos)).toBe(true);
    expect(isInEllipse(ellipse, 100, 0, 100 - 0.9 * sin, 0.9 * cos)).toBe(false);
    expect(isInEllipse(ellipse, 100, 0, 100 - 0.9 * sin, -0.9 * cos)).toBe(true);
    expect(isInEllipse(ellipse, 100, 0, 100, 0)).toBe(true);
  });

  it.each([
    ["all three", 10, 0.5, 20, [300, 0.5, 20]],
    ["no angle: the circle within", 10, 0.5, Number.NaN, [150, 1, 0]],
    ["no ratio", 10, Number.NaN, 20, null],
    ["no axis", Number.NaN, 0.5, 20, null],
    ["-999", -999, 0.5, 20, null],
    ["a ratio above 1", 10, 1.2, 20, null],
  ])("of columns: %s", (_, axis, ratio, angle, expected) => {
    const columns: EllipseColumns = { axis: "a", arcsec: 30, ratio: "b", angle: "c" };
    const found = ellipseOf(columns, axis, ratio, angle);
    expect(found && [found.semiMajorArcsec, found.axisRatio, found.angleDeg]).toEqual(expected);
  });

  it("is for near giants", () => {
    const [z, mpc] = (["redshift", "Mpc"] as const).map((by) => {
      return { kind: "distance" as const, by, column: "z", kpc: 30, nearArcsec: 300 };
    });
    expect([-0.001, 0, 0.0099, 0.01, -99, Number.NaN].map((value) => isNear(z!, value))).toEqual([
      ...[true, true, true, false, false, false],
    ]);
    expect([0.78, 40, 0, Number.NaN].map((value) => isNear(mpc!, value))).toEqual([true, false, false, false]);
  });
});

describe.skipIf(!pythonHas("astropy", "numpy"))("against astropy", () => {
  it("holds the same positions", () => {
    const next = random(41);
    const centres: [number, number][] = [
      ...GIANTS.map(({ ra, dec }): [number, number] => [ra, dec]),
      [0.001, 0],
      [359.9, -60],
      [123, 89.999],
      [10, 90],
      [200, -89.5],
    ];
    const cases = Array.from({ length: 20_000 }, (_, n) => {
      const [ra, dec] = centres[n % centres.length]!;
      const giant = GIANTS[n % centres.length]?.ellipse;
      const ellipse = giant ?? {
        semiMajorArcsec: 10 + 7_000 * next(),
        axisRatio: 0.05 + 0.95 * next(),
        angleDeg: 360 * next() - 180,
      };
      const reach = ellipse.semiMajorArcsec / 3600;
      return { ra, dec, ...ellipse, towards: 360 * next(), away: 1.2 * reach * Math.sqrt(next()) };
    });
    // Positions, and the test once in polar coordinates and once in the frame that lies along the major axis.
    const truth = python<{ ra: number[]; dec: number[]; angle: number[]; value: number[]; plane: number[] }>(
      `
import numpy as np
import astropy.units as u
from astropy.coordinates import SkyCoord
c = {k: np.array([one[k] for one in input]) for k in input[0]}
centre = SkyCoord(c['ra'] * u.deg, c['dec'] * u.deg)
at = centre.directional_offset_by(c['towards'] * u.deg, c['away'] * u.deg)
r = centre.separation(at).arcsec
angle = centre.position_angle(at)
turn = angle.rad - np.deg2rad(c['angleDeg'])
value = np.hypot(r * np.cos(turn) / c['semiMajorArcsec'], r * np.sin(turn) / (c['semiMajorArcsec'] * c['axisRatio']))
frame = at.transform_to(centre.skyoffset_frame(rotation=c['angleDeg'] * u.deg))
plane = np.hypot(frame.lat.arcsec / c['semiMajorArcsec'], frame.lon.wrap_at(180 * u.deg).arcsec / (c['semiMajorArcsec'] * c['axisRatio']))
print(json.dumps({'ra': at.ra.deg.tolist(), 'dec': at.dec.deg.tolist(), 'angle': angle.deg.tolist(), 'value': value.tolist(), 'plane': plane.tolist()}))
`,
      cases,
    );
    let [inside, unsure] = [0, 0];
    for (const [n, one] of cases.entries()) {
      const found = isInEllipse(one, one.ra, one.dec, truth.ra[n]!, truth.dec[n]!);
      if (found) inside++;
      if (Math.abs(truth.value[n]! - 1) > 1e-7) expect(found).toBe(truth.value[n]! < 1);
      // The two forms differ by the curvature of the sky.
      if (Math.abs(truth.plane[n]! - 1) > 2e-3) expect(found).toBe(truth.plane[n]! < 1);
      else unsure++;
      if (Math.abs(one.dec) === 90 || one.away < 1e-4) continue;
      const turn = positionAngleDeg(one.ra, one.dec, truth.ra[n]!, truth.dec[n]!) - truth.angle[n]!;
      expect(Math.abs(turn - 360 * Math.round(turn / 360))).toBeLessThan(1e-6);
    }
    expect(inside).toBeGreaterThan(5_000);
    expect(unsure).toBeLessThan(300);
  });
});
