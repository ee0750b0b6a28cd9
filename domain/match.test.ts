// How near a galaxy must be, and which one is the host.
import { describe, expect, it } from "vitest";
import { column, testCatalog } from "../test/catalogs.js";
import { type DistanceRule, distanceRadiusArcsec } from "./catalog.js";
import { hostOf, kpcOf, matchFields } from "./match.js";

const redshift: DistanceRule = { kind: "distance", by: "redshift", column: "z", kpc: 30, nearArcsec: 300 };
const mpc: DistanceRule = { ...redshift, by: "Mpc", column: "DistMpc" };
const galaxies = testCatalog("ned", { rule: redshift, columns: [column("z", "Float64"), column("ra", "Float32")] });

describe("radius by distance", () => {
  it.each([
    [0.05, 30],
    [0.01, 150],
    [1, 1.5],
    [0.0099, 300],
    [0, 300],
    // Andromeda comes towards us.
    [-0.001001, 300],
    [-99, 0],
    [Number.NaN, 0],
  ])("redshift %s: %s arcsec", (z, radius) => {
    expect(distanceRadiusArcsec(redshift, z)).toBeCloseTo(radius, 9);
  });
  it.each([
    [39.9, 300],
    // 30 kpc at 100 Mpc.
    [100, (Math.atan(0.03 / 100) * 180 * 3600) / Math.PI],
    [100, 61.879],
    [0, 0],
    [-1, 0],
    [Number.NaN, 0],
  ])("%s Mpc: %s arcsec", (distance, radius) => {
    expect(distanceRadiusArcsec(mpc, distance)).toBeCloseTo(radius, 3);
  });
});

describe("host", () => {
  const match = (catalog: string, separationArcsec: number, distanceKpc: number | null) => {
    return { catalog, separationArcsec, fields: { distanceKpc } };
  };
  const [near, wide, star] = [match("ned", 20, 8), match("ned", 5, 25), match("gaia_dr3", 0.1, null)];
  it.each([
    ["the nearest in kpc, not on the sky", [wide, near, star], near],
    ["a galaxy too near to tell a length, before all others", [near, match("ned", 200, null)], match("ned", 200, null)],
    ["of equal ones the nearest on the sky", [match("ned", 9, 8), match("ned", 8, 8)], match("ned", 8, 8)],
    ["nothing but a galaxy", [star], null],
    ["none of a catalog that has gone", [match("clu", 1, 1)], null],
  ])("is %s", (_, matches, host) => {
    expect(hostOf(matches, [galaxies, testCatalog("gaia_dr3")])).toEqual(host);
  });
  it("has a length where it can be told", () => {
    expect([near, match("ned", 1, null)].map(kpcOf)).toEqual([8, null]);
  });
});

it("has the fields of every match once, those of the catalog after them", () => {
  const names = matchFields(galaxies).map(({ name }) => name);
  expect(names).toEqual(["separationArcsec", "id", "ra", "dec", "distanceKpc", "z"]);
});
