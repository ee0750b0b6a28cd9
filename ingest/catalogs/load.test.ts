import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ArchiveCatalogs } from "../../stores/archive/catalogs.js";
import { up } from "../../stores/archive/migrations/0010-catalogs.js";
import type { CatalogStore } from "../../stores/catalogs.store.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { python, pythonHas } from "../../test/python.js";
import { SHARED } from "../../test/shared.js";
import { type LoadRequest, loadCatalog } from "./load.js";
import { type CatalogOptions, describedBy } from "./options.js";

const folder = mkdtempSync(join(tmpdir(), "tocsin-load-"));
let archive: TestArchive;
let store: ArchiveCatalogs;

beforeAll(async () => {
  archive = await startTestArchive();
  await up(archive.client);
  store = await ArchiveCatalogs.open(archive.client);
}, 60_000);
afterAll(async () => {
  await archive?.stop();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
const written = (text: string): string => {
  const path = join(folder, `f${files++}.csv`);
  writeFileSync(path, text);
  return path;
};

function request(
  name: string,
  paths: readonly string[],
  options: CatalogOptions = {},
  more: Partial<LoadRequest> = {},
): LoadRequest {
  return { definition: describedBy(name, { radius: 2, ...options }), paths, columns: null, types: {}, ...more };
}
const load = (...of: Parameters<typeof request>) => loadCatalog(store, request(...of));

/** Every source of a catalog, by id. */
async function sources(name: string): Promise<Map<string, Record<string, unknown>>> {
  const catalog = store.active().find((one) => one.name === name)!;
  const all = new Map<string, Record<string, unknown>>();
  const columns = catalog.columns.map((one) => one.name);
  for await (const block of store.read(catalog, columns)) {
    for (let row = 0; row < block.rows; row++) {
      const values = [...block.columns].map(([column, { values, nulls }]) => [
        column,
        nulls?.[row] ? null : values[row],
      ]);
      all.set(String(block.columns.get("id")!.values[row]), Object.fromEntries(values));
    }
  }
  return all;
}

describe("a catalog's files", () => {
  it("are the real head of VLASS, by its definition", async () => {
    const { catalog, leftOut } = await load("vlass", [join(SHARED, "data/catalogs/vlass_head100.csv")]);
    expect(leftOut).toEqual([]);
    expect(catalog).toMatchObject({
      rows: 96,
      duplicates: 3,
      idType: "String",
      progress: { rowsRead: 99, rejected: 0 },
    });
    const one = (await sources("vlass")).get("VLASS1QLCIR J000000.05+441010.5")!;
    expect(one).toMatchObject({
      ra: 0.00022178515263,
      dec: 44.16959551709726,
      Total_flux: 5.166948378880001,
      S_Code: "S",
    });
    const near = await store.sourcesNear(catalog, Float64Array.of(0.0002), Float64Array.of(44.1696), 3);
    expect(near.separationArcsec.length).toBe(1);
    expect(catalog.files[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("keep 64-bit ids, leave out rows without positions, and say so", async () => {
    const path = written(
      "source_id,ra,dec,v\n9007199254740993,10,20,1\n9007199254740995,nan,20,2\n3,11,95,3\n4,12,,4\n5,-170,5,5\n6,360,6,\n7,400,0,7\n",
    );
    const { catalog } = await load("ids", [path]);
    expect(catalog).toMatchObject({ rows: 3, idType: "Int64", progress: { rowsRead: 7, rejected: 4 } });
    expect(catalog.progress.rejectedRows.map(({ row, reason }) => [row, reason])).toEqual([
      [2, "it has no position"],
      [3, "there is no position 11, 95"],
      [4, "it has no position"],
      [7, "there is no position 400, 0"],
    ]);
    const all = await sources("ids");
    expect([...all.keys()].sort()).toEqual(["5", "6", "9007199254740993"]);
    expect(all.get("5")).toMatchObject({ ra: 190, v: 5n });
    expect(all.get("6")).toMatchObject({ ra: 0, v: null });
  });

  it("may be many, of different kinds, each row with its number where there is no id", async () => {
    const first = written("ra,dec,mag\n1,1,15\n2,2,16\n");
    const second = written("mag,dec,ra\n17.5,3,3\n,4,4\n");
    const { catalog } = await load("many", [first, second], {}, { types: { mag: "Float64" } });
    expect(catalog).toMatchObject({ rows: 4, idType: "UInt64", files: [{}, {}] });
    const all = await sources("many");
    expect([...all].map(([id, { ra, mag }]) => [id, ra, mag]).sort()).toEqual([
      ["0", 1, 15],
      ["1", 2, 16],
      ["2", 3, 17.5],
      ["3", 4, null],
    ]);
  });

  it("may tell right ascension in hours or sexagesimal; what looks like hours is refused", async () => {
    const rows = Array.from({ length: 48 }, (_, n) => `${n},${n / 2},${n - 24}`).join("\n");
    const hours = written(`id,ra,dec\n${rows}\n`);
    await expect(load("hours", [hours])).rejects.toMatchObject({
      code: "BAD_CATALOG",
      message: expect.stringMatching(/column ra: every value lies between 0\.0000 and 23\.5000.*hours/),
      remedy: expect.stringMatching(/--ra-unit hours/),
    });
    expect((await store.list()).filter(({ name }) => name === "hours")).toEqual([]);
    await load("hours", [hours], { raUnit: "hours" });
    expect((await sources("hours")).get("3")).toMatchObject({ ra: 22.5, dec: -21 });
    await load("text", [written("id,ra,dec\na,10:45:03.6,+41:16:12\nb,00 00 00,-0 30 00\nc,nonsense,1\n")]);
    const all = await sources("text");
    expect(all.get("a")).toMatchObject({ ra: 161.265, dec: 41.27 });
    expect(all.get("b")).toMatchObject({ ra: 0, dec: -0.5 });
    expect(all.size).toBe(2);
  });

  it("may have ids beyond 63 bits, blanks around texts, and numbers that stand for missing ones", async () => {
    const spec = written(
      "specObjID,ra,dec,class,z\n 299489677444933632,12.5,13.5, STAR ,0.1\n11259162540000000001,12.6,14,  ,0.2\n",
    );
    const { catalog } = await load("sdss_dr17_spec", [spec]);
    expect(catalog).toMatchObject({ rows: 2, idType: "UInt64" });
    const spectra = await sources("sdss_dr17_spec");
    expect(spectra.get("299489677444933632")).toMatchObject({ class: "STAR" });
    expect(spectra.get("11259162540000000001")).toMatchObject({ class: null });
    // Whole magnitudes, and 99.99 for none: no value of a whole number.
    await load("nsc_dr2", [written("id,ra,dec,gmag,rmag\n1_2 ,12.5,13.5,20,99.99\n ,1,1,21,20\n1_3,12.6,14,21,20\n")]);
    const found = await sources("nsc_dr2");
    expect([...found.keys()].sort()).toEqual(["1_2", "1_3"]);
    expect(Number(found.get("1_2")!.gmag)).toBe(20);
    expect(found.get("1_2")!.rmag).toBeNull();
  });

  it("may begin with rows that have no numbers, or whole ones, in a column of numbers with fractions", async () => {
    const empty = Array.from({ length: 10_100 }, (_, n) => `${n},${n / 100},1,`).join("\n");
    await load("gaia_dr3", [written(`source_id,ra,dec,radial_velocity\n${empty}\n77777,1,1,-42.5\n`)], {
      toEpoch: 2016,
    });
    expect((await sources("gaia_dr3")).get("77777")).toMatchObject({ radial_velocity: -42.5 });
    const whole = Array.from({ length: 10_100 }, (_, n) => `${n},${n / 100},1,176`).join("\n");
    await load("galex", [written(`objid,ra,dec,nuv_exp\n${whole}\n77777,1,1,1688.05\n`)]);
    expect((await sources("galex")).get("77777")).toMatchObject({ nuv_exp: 1688.05 });
  });

  it("may tell proper motion and declination in their own units", async () => {
    const head =
      "# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: id, datatype: int64}\n# - {name: ra, unit: deg, datatype: float64}";
    const file = (dec: string, pm: string, row: string) =>
      written(
        `${head}\n# - {name: dec, unit: ${dec}, datatype: float64}\n# - {name: pmra, unit: ${pm}, datatype: float64}\n# - {name: pmdec, unit: ${pm}, datatype: float64}\nid,ra,dec,pmra,pmdec\n${row}\n`,
      );
    const options = { epoch: 2015, pmRa: "pmra", pmDec: "pmdec" };
    await load("pmunits", [file("rad", "arcsec / yr", "1,10,0.5,0,3.6")], options);
    expect((await sources("pmunits")).get("1")!.dec).toBeCloseTo(0.5 * (180 / Math.PI) + 0.01, 9);
    await load("pmunits", [file("deg", "mas yr-1", "1,10,20,0,3600")], options);
    expect((await sources("pmunits")).get("1")!.dec).toBeCloseTo(20.01, 9);
    await expect(load("pmunits", [file("deg", "km / s", "1,10,20,0,3600")], options)).rejects.toMatchObject({
      code: "BAD_CATALOG",
      message: expect.stringMatching(/column pmra: proper motion is in "km \/ s"/),
    });
  });

  it("are told to be no good before all of their bytes are read", async () => {
    const told: number[] = [];
    const path = written(`x,y\n${"1,2\n".repeat(2_000_000)}`);
    await expect(
      loadCatalog(store, request("early", [path]), ({ bytesDone }) => told.push(bytesDone)),
    ).rejects.toMatchObject({ code: "BAD_CATALOG" });
    expect(told).toEqual([]);
  });

  it("are refused whole where nothing of them can be used", async () => {
    await expect(load("none", [written("ra,dec\n1,\n2,nan\n")])).rejects.toMatchObject({
      message: expect.stringMatching(/no row can be used; row 1: it has no position/),
    });
    await expect(load("none", [written("ra,dec\n")])).rejects.toMatchObject({
      code: "BAD_CATALOG",
      remedy: expect.not.stringContaining("--ra"),
    });
    await expect(load("none", [written("x,y\n1,2\n")])).rejects.toMatchObject({
      message: expect.stringMatching(/there are x, y/),
    });
    await expect(load("none", [join(folder, "absent")])).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(load("none", [written("id,ra,dec\n1.5,2,3\n")])).rejects.toMatchObject({
      message: expect.stringMatching(/column id: "1.5"/),
    });
    expect((await store.list()).some(({ name }) => name === "none")).toBe(false);
  });

  it("leave the catalog before in place until they are whole", async () => {
    await load("kept", [written("id,ra,dec\n1,1,1\n")]);
    await expect(load("kept", [written("id,ra,dec\n1,1,1\n2,2\n")])).rejects.toMatchObject({ code: "BAD_CATALOG" });
    expect(store.active().find(({ name }) => name === "kept")).toMatchObject({ rows: 1, revision: 1 });
    await load("kept", [written("id,ra,dec\n1,1,1\n2,2,2\n")]);
    expect(store.active().find(({ name }) => name === "kept")).toMatchObject({ rows: 2 });
  });
});

describe("a load that was broken off", () => {
  const lines = Array.from(
    { length: 60_000 },
    (_, n) => `${n},${(n * 0.006) % 360},${((n * 0.7) % 180) - 90},${n % 100}`,
  );
  const failing = (after: number): CatalogStore => {
    let left = after;
    return new Proxy(store, {
      get(target, name) {
        const member = Reflect.get(target, name) as (...of: unknown[]) => unknown;
        if (name !== "append") return typeof member === "function" ? member.bind(target) : member;
        return async (...of: unknown[]) => {
          if (left-- === 0) throw new Error("The process died.");
          return member.apply(target, of);
        };
      },
    }) as CatalogStore;
  };

  it("goes on where it was, and has every row once", async () => {
    const paths = [
      written(`id,ra,dec,v\n${lines.join("\n")}\n`),
      written(`id,ra,dec,v\n${lines.map((line, n) => `${1_000_000 + n}${line.slice(String(n).length)}`).join("\n")}\n`),
    ];
    for (const after of [1, 1, 1]) {
      await expect(loadCatalog(failing(after), request("resumed", paths))).rejects.toThrow("The process died.");
      expect(store.active().some(({ name }) => name === "resumed")).toBe(false);
    }
    const { catalog, resumedAt } = await load("resumed", paths);
    expect(resumedAt).toBeGreaterThanOrEqual(60_000);
    expect(catalog).toMatchObject({ rows: 120_000, duplicates: 0, revision: 1 });
    const all = await sources("resumed");
    expect(all.size).toBe(120_000);
    expect(all.get("1059999")).toMatchObject({ v: 99n });
  });
});

const MOVE = `
import numpy as np, warnings
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
import astropy.units as u
warnings.simplefilter('ignore')
rng = np.random.default_rng(4)
n = 200
t = Table({'source_id': np.arange(n, dtype=np.int64) + 2**60, 'ra': rng.uniform(0, 360, n) * u.deg,
  'dec': np.degrees(np.arcsin(rng.uniform(-1, 1, n))) * u.deg, 'pmra': rng.normal(0, 500, n) * u.mas / u.yr,
  'pmdec': rng.normal(0, 500, n) * u.mas / u.yr, 'parallax': rng.normal(1, 1, n), 'phot_g_mean_mag': rng.normal(18, 1, n).astype(np.float32)})
t.write(input, overwrite=True)
c = SkyCoord(t['ra'], t['dec'], pm_ra_cosdec=t['pmra'], pm_dec=t['pmdec'], obstime=Time(2016.0, format='jyear', scale='tcb'))
m = c.apply_space_motion(Time(2025.0, format='jyear', scale='tcb'))
print(json.dumps([[str(i), float(a), float(d)] for i, a, d in zip(t['source_id'], m.ra.deg, m.dec.deg)]))`;

const has = pythonHas("astropy", "numpy");
describe.skipIf(!has)("a catalog with proper motion", () => {
  it("stands where astropy moves it to", async () => {
    const path = join(folder, "gaia.fits");
    const truth = python<[string, number, number][]>(MOVE, path);
    const { catalog, leftOut } = await load("gaia_dr3", [path]);
    expect(catalog).toMatchObject({ epochGiven: 2016, epoch: 2025, rows: 200 });
    expect(leftOut).toContain("ruwe");
    const [ra, dec] = [Float64Array.from(truth, ([, ra]) => ra), Float64Array.from(truth, ([, , dec]) => dec)];
    const near = await store.sourcesNear(catalog, ra, dec, 0.001, { columns: ["phot_g_mean_mag"] });
    const ids = Array.from(near.rows.columns.get("id")!.values as BigInt64Array, String);
    expect(Array.from(near.position)).toEqual(truth.map((_, n) => n));
    expect(ids).toEqual(truth.map(([id]) => id));
  });
});
