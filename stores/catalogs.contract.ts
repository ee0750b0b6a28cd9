// What every CatalogStore does: a catalog is seen when it is whole, is replaced at once, goes on where a load ended, and what
// lies near positions is astropy's. Called with each engine's store by its tests.
import { beforeAll, describe, expect, it } from "vitest";
import type { CatalogDescription, LoadProgress } from "../domain/catalog.js";
import type { Block } from "../domain/columns.js";
import { blockFor } from "../test/batches.js";
import { python, pythonHas } from "../test/python.js";
import type { CatalogStore } from "./catalogs.store.js";

const description = (name: string, more: Partial<CatalogDescription> = {}): CatalogDescription => ({
  name,
  title: name,
  source: null,
  version: null,
  date: null,
  licence: null,
  citation: null,
  radiusArcsec: 2,
  rule: { kind: "radius" },
  limit: null,
  idType: "Int64",
  columns: [{ name: "mag", type: "Float64", unit: "mag", description: "" }],
  epoch: null,
  epochGiven: null,
  ...more,
});

const FILE = { name: "a.csv", bytes: 10, sha256: "ab" };

const FIELDS = [
  { name: "id", type: "Int64", nullable: false },
  { name: "ra", type: "Float64", nullable: false },
  { name: "dec", type: "Float64", nullable: false },
] as const;
const MAG = { name: "mag", type: "Float64", nullable: false } as const;

const rowsOf = (ra: readonly number[], dec: readonly number[], firstId = 1n): Block =>
  blockFor(
    [...FIELDS, MAG],
    ra.map((_, n) => ({ id: firstId + BigInt(n), ra: ra[n]!, dec: dec[n]!, mag: n })),
  );
const progress = (rowsRead: number, more: Partial<LoadProgress> = {}): LoadProgress => ({
  files: 1,
  rowsOfFile: 0,
  rowsRead,
  rejected: 0,
  rejectedRows: [],
  ...more,
});

const SEARCH = `
import numpy as np
from astropy.coordinates import SkyCoord, search_around_sky
import astropy.units as u
rng = np.random.default_rng(11)
ra, dec, pra, pdec = [], [], [], []
def around(centre_ra, centre_dec, n, spread, into_ra, into_dec):
  c = SkyCoord(centre_ra * u.deg, centre_dec * u.deg)
  p = c.directional_offset_by(rng.uniform(0, 360, n) * u.deg, np.abs(rng.normal(0, spread, n)) * u.arcsec)
  into_ra += list(p.ra.deg); into_dec += list(p.dec.deg)
for centre in [(0, 90), (120, -90), (0, 0), (359.9999, 30), (45, 41.81031), (90, -41.8103), (200, 89.999), (0, -45)]:
  around(*centre, 300, 20, ra, dec); around(*centre, 40, 20, pra, pdec)
ra += list(rng.uniform(0, 360, 3000)); dec += list(np.degrees(np.arcsin(rng.uniform(-1, 1, 3000))))
pra += list(rng.uniform(0, 360, 300)); pdec += list(np.degrees(np.arcsin(rng.uniform(-1, 1, 300))))
out = {'ra': ra, 'dec': dec, 'pra': pra, 'pdec': pdec, 'found': {}}
sources, positions = SkyCoord(ra * u.deg, dec * u.deg), SkyCoord(pra * u.deg, pdec * u.deg)
for radius in [0.5, 2, 30, 300, 7200]:
  i, j, sep, _ = search_around_sky(positions, sources, radius * u.arcsec)
  order = np.lexsort((sep.arcsec, i))
  out['found'][str(radius)] = [[int(a), int(b), float(s)] for a, b, s in zip(i[order], j[order], sep.arcsec[order])]
print(json.dumps(out))`;

const has = pythonHas("astropy", "numpy", "scipy");

/** `open` is an empty store, `reopen` the same catalogs as another process has them. */
export function catalogContract(open: () => Promise<CatalogStore>, reopen: () => Promise<CatalogStore>): void {
  describe("catalogs", () => {
    let store: CatalogStore;
    beforeAll(async () => {
      store = await open();
    });

    async function load(of: CatalogDescription, rows: Block) {
      const begun = await store.begin(of, [FILE]);
      await store.append(begun, rows, progress(rows.rows));
      return store.activate(begun, progress(rows.rows));
    }

    describe("a catalog", () => {
      it("is seen when it is whole, is replaced at once, and goes", async () => {
        let changes = 0;
        const end = store.onChange(() => changes++);
        const begun = await store.begin(description("swap"), [FILE]);
        await store.append(begun, rowsOf([10], [10]), progress(1));
        expect(store.active()).toEqual([]);
        expect(await store.list()).toMatchObject([{ name: "swap", state: "loading", progress: { rowsRead: 1 } }]);
        const first = await store.activate(begun, progress(1));
        expect(store.active()).toMatchObject([{ name: "swap", rows: 1, revision: first.revision }]);
        expect(changes).toBe(1);

        const second = await load(description("swap", { version: "2" }), rowsOf([10, 20], [10, 20]));
        expect(second.revision).toBeGreaterThan(first.revision);
        expect(store.active()).toMatchObject([{ name: "swap", rows: 2, version: "2" }]);
        // Whoever still reads the old one goes on.
        expect((await store.cone(first, { ra: 10, dec: 10, radiusArcsec: 1 }, 10, null)).rows.rows).toBe(1);

        expect(await store.remove("swap")).toBe(true);
        expect(await store.remove("swap")).toBe(false);
        expect(store.active()).toEqual([]);
        expect(changes).toBe(3);
        end();
      });

      it("goes on where a load ended, and rows that come twice count once", async () => {
        const begun = await store.begin(description("again"), [FILE]);
        await store.append(begun, rowsOf([1, 2, 3], [0, 0, 0]), progress(3, { files: 0, rowsOfFile: 3 }));
        const same = await store.begin(description("again"), [FILE]);
        expect(same).toMatchObject({ revision: begun.revision, progress: { rowsOfFile: 3 } });
        // Sent again, as after a death between the rows and the record; and the last row of an id in its place stays.
        await store.append(same, rowsOf([1, 2, 3], [0, 0, 0]), progress(3, { files: 0, rowsOfFile: 3 }));
        await store.append(same, rowsOf([3], [0], 3n), progress(4));
        const active = await store.activate(same, progress(4));
        expect(active).toMatchObject({ rows: 3, duplicates: 1 });
        const page = await store.cone(active, { ra: 3, dec: 0, radiusArcsec: 1 }, 10, null);
        expect([...page.rows.columns.get("mag")!.values]).toEqual([0]);
        const other = await store.begin(description("again"), [{ ...FILE, sha256: "cd" }]);
        expect(other.revision).toBeGreaterThan(begun.revision);
        expect(other.progress.rowsRead).toBe(0);
      });

      it("is heard of by another process", async () => {
        const other = await reopen();
        const heard = new Promise<void>((resolve) => other.onChange(resolve));
        const end = other.follow();
        const fields = FIELDS.map((field) => (field.name === "id" ? { ...field, type: "String" as const } : field));
        const rows = blockFor(fields, [{ id: "a", ra: 5, dec: 5 }]);
        await load(description("heard", { idType: "String", columns: [] }), rows);
        await heard;
        expect(other.active().map(({ name }) => name)).toContain("heard");
        end();
      });

      it("is read whole, in the order of the sky", async () => {
        const n = 2_000;
        const ra = Array.from({ length: n }, (_, k) => (k * 137.508) % 360);
        const dec = Array.from({ length: n }, (_, k) => (Math.asin(1 - (2 * (k + 0.5)) / n) * 180) / Math.PI);
        const catalog = await load(description("whole"), rowsOf(ra, dec));
        const ids: bigint[] = [];
        for await (const block of store.read(catalog, ["mag"])) {
          ids.push(...(block.columns.get("id")!.values as BigInt64Array));
          expect([...block.columns.keys()]).toEqual(["id", "ra", "dec", "mag"]);
        }
        expect(ids.length).toBe(n);
        expect(new Set(ids).size).toBe(n);
        await expect(async () => {
          for await (const _ of store.read(catalog, ["nope"]));
        }).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
      });
    });

    describe.skipIf(!has)("sources near positions", () => {
      it("are astropy's, at the poles, across 0h and at the corners of HEALPix", async () => {
        interface Truth {
          readonly found: Record<string, [number, number, number][]>;
          readonly ra: number[];
          readonly dec: number[];
          readonly pra: number[];
          readonly pdec: number[];
        }
        const truth = python<Truth>(SEARCH);
        const catalog = await load(description("truth"), rowsOf(truth.ra, truth.dec, 0n));
        const [ra, dec] = [Float64Array.from(truth.pra), Float64Array.from(truth.pdec)];
        for (const [radius, expected] of Object.entries(truth.found)) {
          const found = await store.sourcesNear(catalog, ra, dec, Number(radius), { columns: ["mag"] });
          const ids = found.rows.columns.get("id")?.values as BigInt64Array;
          const key = (position: number, source: number | bigint) => `${position} ${source}`;
          const own = Array.from(found.position, (position, row) => key(position, ids[row]!));
          expect(expected.length).toBeGreaterThan(10);
          expect(own.slice().sort()).toEqual(expected.map(([i, j]) => key(i, j)).sort());
          const isOff = (separation: number, row: number) =>
            Math.abs(separation - expected[row]![2]) > 1e-6 + separation * 1e-9;
          expect(found.separationArcsec.findIndex(isOff)).toBe(-1);
          expect(found.position.findIndex((position, row) => position < found.position[row - 1]!)).toBe(-1);
        }
        const nearest = await store.sourcesNear(catalog, ra, dec, 300, { limit: 1, columns: [] });
        const firsts = truth.found["300"]!.filter(([i], row, all) => row === 0 || all[row - 1]![0] !== i);
        expect(Array.from(nearest.position)).toEqual(firsts.map(([i]) => i));
        const unlike = Float64Array.from(ra, (_, n) => (n % 2 === 0 ? 2 : 30));
        const mixed = await store.sourcesNear(catalog, ra, dec, unlike);
        const kept = truth.found["30"]!.filter(([i, , separation]) => separation <= unlike[i]!);
        expect(mixed.position.length).toBe(kept.length);
      });

      it("come page by page around one position", async () => {
        const catalog = store.active().find(({ name }) => name === "truth")!;
        const cone = { ra: 77, dec: 90, radiusArcsec: 60 };
        const all = await store.cone(catalog, cone, 1000, null);
        expect(all.rows.rows).toBeGreaterThan(250);
        const ids: unknown[] = [];
        let pages = 0;
        for (let after: { separationArcsec: number; id: string } | null = null; ; pages++) {
          const page = await store.cone(catalog, cone, 70, after);
          const own = page.rows.columns.get("id")!.values as BigInt64Array;
          ids.push(...own);
          if (!page.hasMore) break;
          after = { separationArcsec: page.separationArcsec.at(-1)!, id: String(own.at(-1)) };
        }
        expect(ids).toEqual([...all.rows.columns.get("id")!.values]);
        expect(pages).toBeGreaterThan(2);
      });

      it("are none for positions that are no numbers, and where there is no catalog's row", async () => {
        const catalog = store.active().find(({ name }) => name === "truth")!;
        const found = await store.sourcesNear(catalog, Float64Array.of(Number.NaN, 300), Float64Array.of(0, 91), 5);
        expect(found.position.length).toBe(0);
        await expect(store.sourcesNear(catalog, Float64Array.of(1), Float64Array.of(1), 1e6)).rejects.toMatchObject({
          code: "BAD_ARGUMENT",
        });
      });
    });
  });
}
