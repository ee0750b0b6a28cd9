// The join on the sky against every pair and against astropy's search_around_sky: poles, the turn of right ascension, rims.
import { beforeAll, describe, expect, it } from "vitest";
import { random } from "../bench/random.js";
import { python, pythonHas } from "../test/python.js";
import { separationArcsec } from "./sky.js";
import { buildSkyJoin, type SkyMatches } from "./skyjoin.js";

const next = random(7);
const uniform = (from: number, to: number): number => from + (to - from) * next();
const anywhere = (): [number, number] => [uniform(0, 360), (Math.asin(uniform(-1, 1)) * 180) / Math.PI];

/** A position so far from another, on a random side. */
function away(ra: number, dec: number, arcsec: number): [number, number] {
  const [d, r, turn] = [dec, arcsec / 3600, uniform(0, 2 * Math.PI)].map((x, n) => (n < 2 ? (x * Math.PI) / 180 : x));
  const sine = Math.sin(d!) * Math.cos(r!) + Math.cos(d!) * Math.sin(r!) * Math.cos(turn!);
  const east = Math.atan2(
    Math.sin(turn!) * Math.sin(r!),
    Math.cos(r!) * Math.cos(d!) - Math.sin(d!) * Math.sin(r!) * Math.cos(turn!),
  );
  return [(((ra + (east * 180) / Math.PI) % 360) + 360) % 360, (Math.asin(sine) * 180) / Math.PI];
}

/** Around the poles, on both sides of right ascension 0, and everywhere. */
function places(count: number): [number, number][] {
  return Array.from({ length: count }, (_, n) => {
    if (n % 4 === 0) return [uniform(0, 360), 90 - uniform(0, 0.02)];
    if (n % 4 === 1) return [uniform(0, 360), -90 + uniform(0, 0.02)];
    if (n % 4 === 2) return [(uniform(-0.01, 0.01) + 360) % 360, uniform(-0.01, 0.01)];
    return anywhere();
  });
}

function arrays(at: readonly (readonly [number, number])[]): { ra: Float64Array; dec: Float64Array } {
  return { ra: Float64Array.from(at, ([ra]) => ra), dec: Float64Array.from(at, ([, dec]) => dec) };
}

const listed = ({ ends, rows }: SkyMatches): number[][] =>
  Array.from(ends, (end, at) => [...rows.subarray(at === 0 ? 0 : ends[at - 1], end)]);

/** Every pair looked at. */
function byForce(
  positions: [number, number][],
  sources: [number, number][],
  radius: (row: number) => number,
): number[][] {
  return positions.map(([ra, dec]) =>
    sources
      .map(([a, d], row) => ({ row, separation: separationArcsec(ra, dec, a, d) }))
      .filter(({ row, separation }) => separation <= radius(row))
      .sort((a, b) => a.separation - b.separation || a.row - b.row)
      .map(({ row }) => row),
  );
}

describe("join on the sky", () => {
  const sources = places(3_000);
  const positions = sources.filter((_, n) => n % 7 === 0).map(([ra, dec]) => away(ra, dec, uniform(0, 20)));
  positions.push([0, 90], [123, -90], [0, 0], [359.999999999, 0], [0, 89.9999]);

  it.each([0, 2, 10, 300, 20_000, 700_000 * 0.9])("finds what every pair shows, radius %s arcsec", async (radius) => {
    const join = await buildSkyJoin({ ...arrays(sources), radiusArcsec: radius });
    const some = radius > 1_000 ? positions.filter((_, n) => n % 40 === 0) : positions;
    const { ra, dec } = arrays(some);
    const expected = byForce(some, sources, () => radius).map((rows) => rows.slice(0, 1_000));
    expect(listed(join.join(ra, dec))).toEqual(expected);
    if (radius > 0) expect(expected.flat().length).toBeGreaterThan(0);
  });

  it("gives each source its own radius, of very unlike sizes", async () => {
    const radii = Float32Array.from(
      sources,
      (_, row) => [1.5, 30, 300, 4_000, 30_000][row % 50 < 46 ? row % 2 : row % 5]!,
    );
    const join = await buildSkyJoin({ ...arrays(sources), radiusArcsec: radii });
    const { ra, dec } = arrays(positions);
    expect(listed(join.join(ra, dec))).toEqual(
      byForce(positions, sources, (row) => radii[row]!).map((r) => r.slice(0, 1_000)),
    );
  });

  it("leaves out what has no position or no radius, and takes any turn of right ascension", async () => {
    const at = arrays([
      [10, 10],
      [Number.NaN, 10],
      [10, Number.NaN],
      [10, 90.1],
      [370, 10],
      [-350, 10],
      [10, 10],
    ]);
    const radiusArcsec = Float32Array.from([1, 1, 1, 1, 1, 1, Number.NaN]);
    const join = await buildSkyJoin({ ...at, radiusArcsec });
    expect(join.size).toBe(3);
    const found = listed(join.join([10, 370, Number.NaN], [10, 10, 10]));
    // A turn more rounds to 1e-10 arcsec: which of them is nearest may differ.
    expect(found.map((rows) => rows.sort())).toEqual([[0, 4, 5], [0, 4, 5], []]);
  });

  it("keeps the nearest where there is a limit, a crowd at one place too", async () => {
    const crowd = Array.from({ length: 20_000 }, (_, n): [number, number] => [200, 30 + ((n * 7919) % 20_000) * 1e-9]);
    const join = await buildSkyJoin({ ...arrays(crowd), radiusArcsec: 5 });
    const [nearest] = listed(join.join([200], [30], 3));
    expect(nearest!.map((row) => Math.round((crowd[row]![1] - 30) * 1e9))).toEqual([0, 1, 2]);
    expect(join.join([200], [30]).rows.length).toBe(1_000);
  });

  it("is nothing without sources", async () => {
    const join = await buildSkyJoin({ ...arrays([]), radiusArcsec: 2 });
    expect(listed(join.join([1, 2], [3, 4]))).toEqual([[], []]);
  });

  it("holds at most 30 bytes a source with a radius each", async () => {
    const many = arrays(Array.from({ length: 200_000 }, anywhere));
    const join = await buildSkyJoin({ ...many, radiusArcsec: new Float32Array(200_000).fill(2) });
    expect(join.bytes / 200_000).toBeLessThan(30);
  });
});

describe.skipIf(!pythonHas("astropy", "numpy"))("join on the sky, against astropy", () => {
  const RADIUS = 2;
  const sources = places(2_000);
  // A hair within the rim, and a hair outside.
  const positions = [
    ...sources.map(([ra, dec]) => away(ra, dec, RADIUS * (1 - 1e-7))),
    ...sources.map(([ra, dec]) => away(ra, dec, RADIUS * (1 + 1e-7))),
    ...places(2_000),
  ];
  let truth: { pairs: [number, number][]; separations: number[] };
  beforeAll(() => {
    truth = python(
      `
from astropy.coordinates import SkyCoord, search_around_sky
import astropy.units as u, numpy as np
of = lambda at: SkyCoord(np.array(at)[:, 0] * u.deg, np.array(at)[:, 1] * u.deg)
i, j, d, _ = search_around_sky(of(input["positions"]), of(input["sources"]), input["radius"] * u.arcsec)
order = np.lexsort((j, i))
print(json.dumps({"pairs": np.transpose([i, j])[order].tolist(), "separations": d.arcsec[order].tolist()}))`,
      { positions, sources, radius: RADIUS },
    );
  });

  it("finds the same pairs and the same separations", async () => {
    const join = await buildSkyJoin({ ...arrays(sources), radiusArcsec: RADIUS });
    const { ra, dec } = arrays(positions);
    const found = join.join(ra, dec);
    const pairs = listed(found)
      .flatMap((rows, at) => {
        const start = at === 0 ? 0 : found.ends[at - 1]!;
        return rows.map((row, n): [number, number, number] => [at, row, found.separationArcsec[start + n]!]);
      })
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    expect(pairs.map(([at, row]) => [at, row])).toEqual(truth.pairs);
    expect(truth.pairs.length).toBeGreaterThan(2_000);
    const worst = Math.max(...pairs.map(([, , separation], n) => Math.abs(separation - truth.separations[n]!)));
    expect(worst).toBeLessThan(1e-8);
  });
});
