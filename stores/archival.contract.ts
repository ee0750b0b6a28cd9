// What every ArchivalStore does: an archive is seen when it is whole, is replaced at once, goes on where a load ended; what
// lies near positions is astropy's; points come in order, once. Called with each engine's store by its tests.
import { beforeAll, describe, expect, it } from "vitest";
import type { ArchivalDescription, ArchivalPoint, ArchivalProgress, LightCurveArchive } from "../domain/archival.js";
import type { Column } from "../domain/columns.js";
import { python, pythonHas } from "../test/python.js";
import type { ArchivalRows, ArchivalStore, PointsWanted } from "./archival.store.js";

const description = (name: string, more: Partial<ArchivalDescription> = {}): ArchivalDescription => ({
  name,
  title: name,
  source: null,
  version: null,
  date: null,
  licence: null,
  citation: null,
  timeKind: "hmjd",
  timeNote: null,
  badFlags: 32_768,
  fields: [],
  ...more,
});
const FILE = { name: "a.parquet", bytes: 10, sha256: "ab" };

interface Row {
  readonly id: bigint;
  readonly ra: number;
  readonly dec: number;
  readonly band?: string;
  readonly points?: readonly Partial<ArchivalPoint>[];
}

const float64 = (values: readonly number[]): Column => {
  return { type: "Float64", values: Float64Array.from(values), nulls: null };
};
const float32 = (values: readonly number[]): Column => {
  return { type: "Float32", values: Float32Array.from(values), nulls: null };
};
const uint32 = (values: readonly number[]): Column => {
  return { type: "UInt32", values: Uint32Array.from(values), nulls: null };
};
const uint64 = (values: readonly bigint[]): Column => {
  return { type: "UInt64", values: BigUint64Array.from(values), nulls: null };
};
const text = (values: readonly string[]): Column => ({ type: "String", values, nulls: null });

/** Points are numbered from `first` on. */
function rowsOf(rows: readonly Row[], first = 0): ArchivalRows {
  const points = rows.flatMap(({ points = [{}] }, row) => points.map((point) => ({ row, ...point })));
  return {
    sources: {
      rows: rows.length,
      columns: new Map([
        ["source", uint64(rows.map(({ id }) => id))],
        ["band", text(rows.map(({ band = "g" }) => band))],
        ["id", text(rows.map(({ id }) => `${id}`))],
        ["ra", float64(rows.map(({ ra }) => ra))],
        ["dec", float64(rows.map(({ dec }) => dec))],
        ["fields", text(rows.map(({ id }) => `{"fieldid":${id % 7n}}`))],
      ]),
    },
    points: {
      rows: points.length,
      columns: new Map([
        ["row", uint32(points.map(({ row }) => row))],
        ["time", float64(points.map(({ time = 58_000 }) => time))],
        ["number", uint64(points.map((_, n) => BigInt(first + n)))],
        ["magnitude", float32(points.map(({ magnitude = 20 }) => magnitude))],
        ["magnitudeError", float32(points.map(({ magnitudeError = 0.1 }) => magnitudeError ?? Number.NaN))],
        ["colorCoefficient", float32(points.map(({ colorCoefficient = 0 }) => colorCoefficient ?? Number.NaN))],
        ["flags", uint32(points.map(({ flags = 0 }) => flags))],
      ]),
    },
  };
}

const read = (rowsRead: number, pointsRead: number): ArchivalProgress => ({
  files: 1,
  rowsOfFile: 0,
  rowsRead,
  rejected: 0,
  rejectedRows: [],
  pointsRead,
  pointsRejected: 0,
});

const SEARCH = `
import numpy as np
from astropy.coordinates import SkyCoord, search_around_sky
import astropy.units as u
rng = np.random.default_rng(7)
ra, dec, pra, pdec = [], [], [], []
def around(c_ra, c_dec, n, spread, into_ra, into_dec):
  c = SkyCoord(c_ra * u.deg, c_dec * u.deg)
  p = c.directional_offset_by(rng.uniform(0, 360, n) * u.deg, np.abs(rng.normal(0, spread, n)) * u.arcsec)
  into_ra += list(p.ra.deg); into_dec += list(p.dec.deg)
for c in [(0, 0), (359.9999, 10), (0.0001, -45), (12, 90), (200, -90), (100, 89.999), (83.6, 22), (45, 41.8103)]:
  around(*c, 60, 4, ra, dec); around(*c, 8, 4, pra, pdec)
# As the archive of this test has them: no more digits than a Float32.
ra = [float(x) for x in np.mod(np.float32(ra).astype(float), 360)]; dec = [float(x) for x in np.clip(np.float32(dec).astype(float), -90, 90)]
s = SkyCoord(ra * u.deg, dec * u.deg); p = SkyCoord(pra * u.deg, pdec * u.deg)
found = {}
for r in input:
  a, b, sep, _ = search_around_sky(p, s, r * u.arcsec)
  found[r] = sorted([int(i), int(j), float(d)] for i, j, d in zip(a, b, sep.arcsec))
print(json.dumps({'ra': ra, 'dec': dec, 'pra': pra, 'pdec': pdec, 'found': found}))`;

export function archivalContract(open: () => Promise<ArchivalStore>): void {
  describe("archives of light curves", () => {
    let store: ArchivalStore;
    beforeAll(async () => {
      store = await open();
    }, 120_000);

    async function load(of: ArchivalDescription, rows: readonly Row[]): Promise<LightCurveArchive> {
      const begun = await store.begin(of, [FILE]);
      const made = rowsOf(rows);
      const progress = read(rows.length, made.points.rows);
      await store.append(begun, made, progress);
      return store.activate(begun, progress);
    }
    const names = async () => (await store.active()).map(({ name }) => name);

    it("are seen when they are whole, are replaced at once, and go", async () => {
      const begun = await store.begin(description("swap"), [FILE]);
      await store.append(begun, rowsOf([{ id: 1n, ra: 10, dec: 10 }]), read(1, 1));
      expect(await names()).not.toContain("swap");
      expect(await store.list()).toMatchObject([{ name: "swap", state: "loading", progress: { pointsRead: 1 } }]);
      const first = await store.activate(begun, read(1, 1));
      expect((await store.active())[0]).toMatchObject({ name: "swap", sources: 1, points: 1, revision: 1 });
      const second = await load(description("swap", { version: "2" }), [
        { id: 1n, ra: 10, dec: 10 },
        { id: 1n, ra: 10, dec: 10, band: "r", points: [{}, {}] },
      ]);
      expect(second.load).not.toBe(first.load);
      expect(await store.active()).toMatchObject([{ name: "swap", sources: 2, points: 3, revision: 2, version: "2" }]);
      // Whoever still reads the old one goes on.
      const cone = { ra: 10, dec: 10, radiusArcsec: 1 };
      expect(await store.cone([first.load], cone, 10, null)).toHaveLength(1);
      expect(await store.cone([second.load], cone, 10, null)).toHaveLength(2);
      expect(await store.remove("swap")).toBe(true);
      expect(await store.remove("swap")).toBe(false);
      expect(await store.active()).toEqual([]);
    });

    it("go on where a load ended, and rows that are sent again are there once", async () => {
      const begun = await store.begin(description("again"), [FILE]);
      const rows: Row[] = [{ id: 5n, ra: 30, dec: -3, points: [{ time: 1 }, { time: 2 }, { time: 2 }] }];
      await store.append(begun, rowsOf(rows), read(1, 3));
      const same = await store.begin(description("again"), [FILE]);
      expect(same).toMatchObject({ load: begun.load, revision: 1, progress: { pointsRead: 3 } });
      // As where the process died between the rows and the word that they are there.
      await store.append(same, rowsOf(rows), read(1, 3));
      const [source] = await store.cone([begun.load], { ra: 30, dec: -3, radiusArcsec: 1 }, 10, null);
      const wanted: PointsWanted = { source: source!, badFlags: 0, upTo: null, after: null };
      expect((await store.points([wanted], 10))[0]).toHaveLength(3);
      expect(await store.activate(same, read(1, 3))).toMatchObject({ sources: 1, points: 3 });
      expect(await store.cone([begun.load], { ra: 30, dec: -3, radiusArcsec: 1 }, 10, null)).toHaveLength(1);
      expect((await store.points([wanted], 10))[0]).toHaveLength(3);
      // Other files: another load.
      const other = await store.begin(description("again"), [{ ...FILE, sha256: "cd" }]);
      expect(other.load).not.toBe(begun.load);
      await store.abandon(other);
      expect((await store.list()).filter(({ name }) => name === "again")).toHaveLength(1);
      await store.remove("again");
    });

    it("give points oldest first, page by page, those of the same time too; the good ones; each of its own curve", async () => {
      const points = [
        { time: 58_348.48046875, magnitude: 20.317974090576172, flags: 32_768 },
        { time: 58_423.40625, magnitude: 15.807365417480469, magnitudeError: null, colorCoefficient: null },
        { time: 58_423.40625, magnitude: 15.747382164001465, flags: 2 },
        { time: 58_300.25, magnitude: 16, flags: 32_768 + 1 },
      ];
      const bright = { id: 2n ** 63n + 11n, ra: 200, dec: 40 };
      const { load: own } = await load(description("points"), [
        { ...bright, points },
        { ...bright, band: "r", points: [{ time: 1, magnitude: 3 }] },
        { id: 12n, ra: 200, dec: 40.0001, points: [{ time: 2, magnitude: 4 }] },
      ]);
      const found = await store.cone([own], { ra: 200, dec: 40, radiusArcsec: 2 }, 10, null);
      expect(found.map(({ id, band }) => [id, band])).toEqual([
        ["9223372036854775819", "g"],
        ["9223372036854775819", "r"],
        ["12", "g"],
      ]);
      expect(found[2]!.separationArcsec).toBeCloseTo(0.36, 6);
      expect(found[0]!.fields).toEqual({ fieldid: Number(bright.id % 7n) });
      const all = found.map((source): PointsWanted => ({ source, badFlags: 0, upTo: null, after: null }));
      const [g, r, other] = await store.points([all[2]!, all[0]!, all[1]!], 100).then(([c, a, b]) => [a!, b!, c!]);
      expect(g!.map(({ time, number, magnitude }) => [time, number, magnitude])).toEqual([
        [58_300.25, 3n, 16],
        [58_348.48046875, 0n, 20.317974090576172],
        [58_423.40625, 1n, 15.807365417480469],
        [58_423.40625, 2n, 15.747382164001465],
      ]);
      expect(g![2]).toMatchObject({ magnitudeError: null, colorCoefficient: null, flags: 0 });
      expect(g![1]!.flags).toBe(32_768);
      expect([r, other].map((curve) => curve!.map(({ magnitude }) => magnitude))).toEqual([[3], [4]]);
      const good = await store.points([{ ...all[0]!, badFlags: 32_768 }], 100);
      expect(good[0]!.map(({ number }) => number)).toEqual([1n, 2n]);
      for (const [upTo, numbers] of [
        [58_300, []],
        [58_348.48046875, [3n, 0n]],
        [58_423.4, [3n, 0n]],
        [58_500, [3n, 0n, 1n, 2n]],
      ] as const) {
        const [known, whole] = await store.points([{ ...all[0]!, upTo }, all[0]!], 100);
        expect([upTo, known!.map(({ number }) => number), whole!.length]).toEqual([upTo, numbers, 4]);
      }
      const pages: bigint[] = [];
      for (let after: ArchivalPoint | null = null; ; ) {
        const [page]: ArchivalPoint[][] = await store.points([{ ...all[0]!, after }], 1);
        after = page!.at(-1) ?? null;
        if (after === null) break;
        pages.push(after.number);
      }
      expect(pages).toEqual([3n, 0n, 1n, 2n]);
      await store.remove("points");
    });

    describe.skipIf(!pythonHas("astropy", "numpy", "scipy"))("near positions", () => {
      it("are what astropy finds, at poles and the wrap too, all positions at once and page by page", async () => {
        const radii = [0.5, 1.5, 30];
        interface Truth {
          readonly ra: number[];
          readonly dec: number[];
          readonly pra: number[];
          readonly pdec: number[];
          readonly found: Record<string, [number, number, number][]>;
        }
        const truth = python<Truth>(SEARCH, radii);
        const half = (n: number) =>
          truth.ra
            .map((ra, id) => ({ id: BigInt(id), ra, dec: truth.dec[id]! }))
            .filter(({ id }) => Number(id) % 2 === n);
        const loads = [await load(description("even"), half(0)), await load(description("odd"), half(1))].map(
          (one) => one.load,
        );
        const [ra, dec] = [Float64Array.from(truth.pra), Float64Array.from(truth.pdec)];
        for (const radius of radii) {
          const found = await store.near(loads, ra, dec, radius, 1_000);
          const pairs = found.flatMap((sources, n) => {
            expect(sources.map((one) => one.separationArcsec)).toEqual(
              sources.map((one) => one.separationArcsec).sort((a, b) => a - b),
            );
            return sources.map(({ id, separationArcsec }) => [n, Number(id), separationArcsec] as const);
          });
          const expected = truth.found[String(radius)]!;
          expect(expected.length).toBeGreaterThan(10);
          const key = (one: readonly number[]) => `${one[0]} ${one[1]}`;
          expect(pairs.map(key).sort()).toEqual(expected.map(key).sort());
          const separations = new Map(expected.map((one) => [key(one), one[2]]));
          for (const pair of pairs) expect(pair[2]).toBeCloseTo(separations.get(key(pair))!, 6);
        }
        const nearest = await store.near(loads, ra, dec, 30, 2);
        const wide = await store.near(loads, ra, dec, 30, 1_000);
        expect(nearest).toEqual(wide.map((sources) => sources.slice(0, 2)));
        // Only one of the archives; none of them.
        const even = await store.near([loads[0]!], ra, dec, 30, 1_000);
        expect(even.flat().every(({ id }) => Number(id) % 2 === 0)).toBe(true);
        expect(await store.near([], ra, dec, 30, 1_000)).toEqual(wide.map(() => []));
        const circle = { ra: truth.pra[0]!, dec: truth.pdec[0]!, radiusArcsec: 30 };
        const paged = [];
        for (let after = null; ; ) {
          const page = await store.cone(loads, circle, 7, after);
          paged.push(...page);
          if (page.length < 7) break;
          after = page.at(-1)!;
        }
        expect(paged).toEqual(wide[0]);
        await store.remove("even");
        await store.remove("odd");
      });
    });
  });
}
