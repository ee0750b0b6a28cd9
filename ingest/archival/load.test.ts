import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LightCurveArchive } from "../../domain/archival.js";
import type { ArchivalStore } from "../../stores/archival.store.js";
import { ArchiveArchival } from "../../stores/archive/archival.js";
import { up } from "../../stores/archive/migrations/0016-archival.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { python, pythonHas } from "../../test/python.js";
import { SHARED } from "../../test/shared.js";
import { describedArchive } from "./definition.js";
import { loadLightCurves } from "./load.js";

const MATCHFILE = join(SHARED, "data/catalogs/ztf_matchfile_000250_zg_c01_q1_dr5.parquet");
const hasArrow = pythonHas("pyarrow", "numpy", "astropy", "scipy");
const folder = mkdtempSync(join(tmpdir(), "tocsin-lightcurves-"));
let archive: TestArchive;
let store: ArchiveArchival;

beforeAll(async () => {
  archive = await startTestArchive();
  await up(archive.client);
  store = new ArchiveArchival(archive.client);
}, 60_000);
afterAll(async () => {
  await archive?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const load = (name: string, paths: readonly string[], definition: unknown = "ztf_dr", into: ArchivalStore = store) =>
  loadLightCurves(into, { definition: describedArchive(name, { definition }), paths });

const COLUMNS = ["time", "magnitude", "magnitudeError", "colorCoefficient", "flags"] as const;

/** All points in the order of the files, with their sources' ids. */
async function stored({ load: own }: LightCurveArchive) {
  const columns = COLUMNS.map((name) => (name === "flags" ? name : `toFloat64(${name}) AS ${name}`)).join(", ");
  const points = await archive.client.query(
    `SELECT toString(source) AS id, band, ${columns} FROM
      (SELECT *, toString(band) AS band FROM archival_points FINAL WHERE load = {own:UInt64}) ORDER BY number`,
    { own },
  );
  return Object.fromEntries([...points.columns].map(([name, { values }]) => [name, Array.from(values as never[])]));
}

const ARROW = `
import numpy as np, pyarrow.parquet as pq
t = pq.read_table(input)
flat = lambda c: [None if x is None or x != x else x for x in t[c].combine_chunks().flatten().to_pylist()]
lengths = [len(x or []) for x in t['hmjd'].to_pylist()]
out = {n: flat(c) for n, c in zip(['time', 'magnitude', 'magnitudeError', 'colorCoefficient', 'flags'], ['hmjd', 'mag', 'magerr', 'clrcoeff', 'catflags'])}
out['id'] = [str(i) for i, n in zip(t['objectid'].to_pylist(), lengths) for _ in range(n)]
print(json.dumps({'rows': t.num_rows, 'points': sum(lengths), 'columns': out}))`;
interface Arrow {
  readonly rows: number;
  readonly points: number;
  readonly columns: Record<string, unknown[]>;
}

describe.skipIf(!hasArrow)("a real file of ZTF's data release", () => {
  let loaded: LightCurveArchive;
  let truth: Arrow;
  beforeAll(async () => {
    loaded = (await load("ztf_dr", [MATCHFILE])).archive;
    truth = python<Arrow>(ARROW, MATCHFILE);
  }, 120_000);

  it("has every source and every point, bit for bit as pyarrow reads them", async () => {
    expect(loaded).toMatchObject({ sources: truth.rows, points: truth.points, timeKind: "hmjd", badFlags: 32_768 });
    expect([truth.rows, truth.points]).toEqual([5_449, 106_588]);
    expect(loaded.progress).toMatchObject({ rejected: 0, pointsRejected: 0 });
    expect(loaded.files[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
    const all = await stored(loaded);
    for (const name of ["id", ...COLUMNS]) expect(all[name], name).toEqual(truth.columns[name]);
    expect(new Set(all.band)).toEqual(new Set(["g"]));
  });

  it("lies where astropy finds it", async () => {
    const found = python<{ ra: number[]; dec: number[]; pairs: [number, string, number][] }>(
      `
import numpy as np, pyarrow.parquet as pq
from astropy.coordinates import SkyCoord, search_around_sky
import astropy.units as u
t = pq.read_table(input, columns=['objectid', 'objra', 'objdec'])
s = SkyCoord(t['objra'].to_numpy().astype(float) * u.deg, t['objdec'].to_numpy().astype(float) * u.deg)
rng = np.random.default_rng(3)
p = s[rng.integers(0, len(s), 300)].directional_offset_by(rng.uniform(0, 360, 300) * u.deg, rng.uniform(0, 8, 300) * u.arcsec)
a, b, sep, _ = search_around_sky(p, s, 8 * u.arcsec)
ids = t['objectid'].to_pylist()
print(json.dumps({'ra': list(p.ra.deg), 'dec': list(p.dec.deg), 'pairs': [[int(i), str(ids[j]), float(d)] for i, j, d in zip(a, b, sep.arcsec)]}))`,
      MATCHFILE,
    );
    const near = await store.near([loaded.load], Float64Array.from(found.ra), Float64Array.from(found.dec), 8, 1_000);
    const own = near.flatMap((sources, n) =>
      sources.map(({ id, separationArcsec }) => [n, id, separationArcsec] as const),
    );
    const key = (pair: readonly [number, string, number]) => `${pair[0]} ${pair[1]}`;
    expect(own.map(key).sort()).toEqual(found.pairs.map(key).sort());
    expect(own.length).toBeGreaterThan(300);
    const separations = new Map(found.pairs.map((pair) => [key(pair), pair[2]]));
    for (const pair of own) expect(pair[2]).toBeCloseTo(separations.get(key(pair))!, 5);
    expect(near.flat()[0]!.fields).toEqual({ fieldid: 250, rcid: 0 });
  });
});

/** Files made by pyarrow: `kind` says of what sort. */
const MAKE = `
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
n, where = input['rows'], input['path']
rng = np.random.default_rng(n)
lengths = rng.integers(0, 40, n)
lengths[: 2] = [3, 0]
lists = lambda make, kind: pa.array([None if k == 1 else make(int(c)) for k, c in enumerate(lengths)], type=pa.list_(kind))
f = input.get('float', 'double')
kind = pa.float64() if f == 'double' else pa.float32()
hmjd = lists(lambda c: sorted(rng.uniform(58000, 60000, c)) if f == 'double' else [float(np.float32(x)) for x in rng.uniform(58000, 60000, c)], kind)
t = pa.table({
  'catflags': lists(lambda c: [int(x) for x in rng.choice([0, 2, 32768], c)], pa.int32() if f == 'double' else pa.uint16()),
  'objectid': pa.array([1000000000000000 * (input.get('first', 0) + 1) + k for k in range(n)], type=pa.int64()),
  'filterid': pa.array(rng.integers(1, 4, n), type=pa.int8()),
  'fieldid': pa.array(rng.integers(200, 900, n), type=pa.int16()),
  'rcid': pa.array(rng.integers(0, 64, n), type=pa.int8()),
  'objra': pa.array(rng.uniform(0, 360, n), type=kind), 'objdec': pa.array(rng.uniform(-30, 90, n), type=kind),
  'nepochs': pa.array(lengths, type=pa.int64()),
  'hmjd': hmjd, 'mag': lists(lambda c: list(rng.normal(18, 2, c)), pa.float32()), 'magerr': lists(lambda c: list(rng.uniform(0, .2, c)), pa.float32()),
  'clrcoeff': lists(lambda c: list(rng.normal(0, .1, c)), pa.float32()),
})
for name, values in input.get('change', {}).items():
  at = t.column_names.index(name)
  old = t[name].to_pylist()
  nan = lambda v: [nan(x) for x in v] if isinstance(v, list) else float('nan') if v == 'nan' else v
  for row, value in values: old[row] = nan(value)
  t = t.set_column(at, name, pa.array(old, type=t.schema.field(name).type))
t = t.drop_columns(input.get('drop', []))
pq.write_table(t, where, row_group_size=input.get('group', 200), compression=input.get('codec', 'zstd'))
print('null')`;

let files = 0;
function made(options: Record<string, unknown>): string {
  const path = join(folder, `f${files++}.parquet`);
  python(MAKE, { rows: 1_000, ...options, path });
  return path;
}

describe.skipIf(!hasArrow)("files of the release's layout", () => {
  it("may be several, of several row groups, of 32-bit and 64-bit numbers; missing lists are empty ones", async () => {
    const paths = [made({ first: 1 }), made({ first: 2, float: "float", rows: 300, group: 1_000, codec: "snappy" })];
    const { archive: loaded } = await load("several", paths);
    const truths = paths.map((path) => python<Arrow>(ARROW, path));
    expect(loaded.sources).toBe(1_300);
    expect(loaded.points).toBe(truths[0]!.points + truths[1]!.points);
    const all = await stored(loaded);
    for (const name of ["id", ...COLUMNS]) {
      expect(all[name], name).toEqual([...truths[0]!.columns[name]!, ...truths[1]!.columns[name]!]);
    }
    expect(new Set(all.band)).toEqual(new Set(["g", "r", "i"]));
  });

  it("leave out rows without position or band, and points without magnitude, and say so", async () => {
    const change = {
      objra: [
        [3, "nan"],
        [4, 400],
      ],
      objdec: [[6, null]],
      filterid: [[5, 9]],
    };
    const path = made({ change });
    const truth = python<Arrow>(ARROW, path);
    const { archive: loaded } = await load("gaps", [path]);
    expect(loaded.progress.rejectedRows.map(({ row, reason }) => [row, reason])).toEqual([
      [4, "it has no position"],
      [5, expect.stringMatching(/^there is no position 400, /)],
      [6, 'there is no band "9"'],
      [7, "it has no position"],
    ]);
    expect(loaded.progress.rejected).toBe(4);
    expect(loaded.points + loaded.progress.pointsRejected).toBe(truth.points);
    const cut = made({ change: { mag: [[0, [18, "nan", null]]], magerr: [[0, ["nan", 0.1, 0.1]]] } });
    const { archive: other } = await load("gaps", [cut]);
    expect(other).toMatchObject({ revision: 2, progress: { rejected: 0, pointsRejected: 2 } });
  });

  it("are refused whole, with the place and what to do, where they are damaged or hold something else", async () => {
    const whole = made({});
    const damaged = join(folder, "damaged.parquet");
    const bytes = readFileSync(whole);
    writeFileSync(damaged, Buffer.concat([bytes.subarray(0, 3_000), Buffer.alloc(3_000, 7), bytes.subarray(6_000)]));
    const cut = join(folder, "cut.parquet");
    writeFileSync(cut, bytes.subarray(0, bytes.length - 100));
    const unequal = made({
      change: {
        magerr: [
          [7, [0.1]],
          [250, []],
        ],
      },
    });
    const cases: [string[], RegExp, RegExp][] = [
      [[damaged], /^damaged\.parquet.*: it is no Parquet that can be read/, /Fetch the file again/],
      [[cut], /^cut\.parquet: it is no Parquet that can be read/, /Fetch the file again/],
      [[unequal], /, row 8, column magerr: the list has 1 values, but that of hmjd has \d+\.$/, /fetch it again/],
      [
        [made({ drop: ["hmjd"] })],
        /: it has no column named hmjd for the time; there are catflags, objectid/,
        /definition/,
      ],
      [[made({ drop: ["objdec"] })], /no column named objdec or dec for declination/, /definition/],
      // The second file is bad: what the first one brought goes too.
      [[whole, made({ drop: ["mag"] })], /no column named mag for the magnitude/, /definition/],
    ];
    await load("kept", [whole]);
    for (const [paths, message, remedy] of cases) {
      await expect(load("kept", paths)).rejects.toMatchObject({
        code: "BAD_CATALOG",
        message: expect.stringMatching(message),
        remedy: expect.stringMatching(remedy),
      });
    }
    expect((await store.list()).filter(({ name }) => name === "kept")).toMatchObject([
      { state: "active", revision: 1 },
    ]);
    await expect(load("kept", [whole, whole])).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    await expect(load("kept", [join(folder, "absent")])).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(load("kept", [join(SHARED, "data/catalogs/vlass_head100.csv")])).rejects.toMatchObject({
      message: expect.stringMatching(/no column named hmjd/),
    });
  });

  it("are refused where one row group holds more than memory should", async () => {
    const path = join(folder, "wide.parquet");
    python(
      `
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
n, each = 101, 1000000
lists = pa.ListArray.from_arrays(pa.array(np.arange(n + 1) * each, pa.int32()), pa.array(np.zeros(n * each, np.int8)))
t = {name: pa.array(np.arange(n)) for name in ['objectid', 'objra', 'objdec', 'filterid']}
pq.write_table(pa.table({**t, 'hmjd': lists, 'mag': lists}), input, row_group_size=n)
print('null')`,
      path,
    );
    await expect(load("wide", [path])).rejects.toMatchObject({
      code: "BAD_CATALOG",
      message: expect.stringMatching(/column hmjd: a row group holds 101000000 values in lists; at most 100000000/),
      remedy: expect.stringMatching(/row_group_size/),
    });
  }, 60_000);

  it("go on where a load was broken off, and have every point once", async () => {
    const paths = [made({ first: 3, rows: 1_500, group: 300 }), made({ first: 4, rows: 600, group: 300 })];
    const failing = (after: number): ArchivalStore => {
      let left = after;
      return new Proxy(store, {
        get(target, name) {
          const member = Reflect.get(target, name) as (...of: unknown[]) => unknown;
          if (name !== "append") return typeof member === "function" ? member.bind(target) : member;
          return async (...of: unknown[]) => {
            const [, , progress] = of;
            // The rows are there, but nobody was told.
            if (left-- === 0) {
              await target.append({ ...(of[0] as LightCurveArchive) }, of[1] as never, {
                ...(of[0] as LightCurveArchive).progress,
              });
              throw new Error(`The process died at ${JSON.stringify(progress)}.`);
            }
            return member.apply(target, of);
          };
        },
      }) as ArchivalStore;
    };
    await expect(load("resumed", paths, "ztf_dr", failing(1))).rejects.toThrow("The process died");
    await expect(load("resumed", paths, "ztf_dr", failing(2))).rejects.toThrow("The process died");
    expect((await store.active()).some(({ name }) => name === "resumed")).toBe(false);
    const { archive: loaded } = await load("resumed", paths);
    const truths = paths.map((path) => python<Arrow>(ARROW, path));
    expect(loaded).toMatchObject({ revision: 1, sources: 2_100, points: truths[0]!.points + truths[1]!.points });
    const all = await stored(loaded);
    for (const name of ["id", ...COLUMNS]) {
      expect(all[name], name).toEqual(truths.flatMap(({ columns }) => columns[name]!));
    }
  }, 120_000);
});

describe("another survey's archive", () => {
  const definition = {
    title: "A survey with a row for each point",
    id: ["name"],
    ra: ["ra"],
    dec: ["dec"],
    band: ["filter"],
    time: { column: ["HJD"], kind: "hmjd", offset: -2_400_000.5 },
    magnitude: ["mag"],
    magnitudeError: ["err"],
    flags: ["quality"],
    badFlags: 1,
    fields: ["camera"],
  };

  it("is a definition: a row for each point, in any order", async () => {
    const path = join(folder, "points.csv");
    const rows = [
      "AS J1,10.5,-20.25,V,2458000.25,13.5,0.02,0,ba",
      "AS J2,10.6,-20.25,V,2458001.5,14,,1,bb",
      "AS J1,10.5,-20.25,g,2458002.5,13.75,0.03,0,ba",
      "AS J1,10.5,-20.25,V,2457999.25,13.25,0.01,1,ba",
      "AS J1,10.5,-20.25,V,2458003.25,,0.01,0,ba",
      ",10.5,-20.25,V,2458003.25,13,0.01,0,ba",
    ];
    writeFileSync(path, `name,ra,dec,filter,HJD,mag,err,quality,camera\n${rows.join("\n")}\n`);
    const { archive: loaded } = await load("asas", [path], definition);
    expect(loaded).toMatchObject({ sources: 3, points: 4, progress: { rejected: 1, pointsRejected: 2 } });
    const found = await store.cone([loaded.load], { ra: 10.5, dec: -20.25, radiusArcsec: 1 }, 10, null);
    expect(found.map(({ id, band, fields }) => [id, band, fields])).toEqual([
      ["AS J1", "V", { camera: "ba" }],
      ["AS J1", "g", { camera: "ba" }],
    ]);
    const points = await store.points(
      found.map((source) => ({ source, badFlags: 0, upTo: null, after: null })),
      10,
    );
    expect(points.map((curve) => curve.map(({ time, magnitude, flags }) => [time, magnitude, flags]))).toEqual([
      [
        [57_998.75, 13.25, 1],
        [57_999.75, 13.5, 0],
      ],
      [[58_002, 13.75, 0]],
    ]);
  });

  it("is refused where its positions are not in degrees", async () => {
    const path = join(folder, "hours.ecsv");
    const units = ["name: name, datatype: string", "name: ra, unit: hourangle, datatype: float64"];
    const others = ["dec", "HJD", "mag", "err"].map((name) => `name: ${name}, datatype: float64`);
    const columns = [...units, ...others, "name: filter, datatype: string", "name: quality, datatype: int32"];
    const head = ["# %ECSV 1.0", "# ---", "# delimiter: ','", "# datatype:", ...columns.map((one) => `# - {${one}}`)];
    writeFileSync(path, `${head.join("\n")}\nname,ra,dec,HJD,mag,err,filter,quality\na,0.7,-20,2458000,13,0.1,V,0\n`);
    await expect(load("hours", [path], definition)).rejects.toMatchObject({
      code: "BAD_CATALOG",
      message: expect.stringMatching(/column ra: it is in "hourangle", not in degrees/),
    });
  });

  it("is refused where the definition is no good", () => {
    const bad = (change: object) => () => describedArchive("asas", { definition: { ...definition, ...change } });
    expect(bad({ time: { column: ["HJD"], kind: "hjd" } })).toThrow(/time\.kind/);
    expect(bad({ oneBand: "V" })).toThrow(/either band/);
    expect(bad({ magnitdue: ["mag"] })).toThrow(/magnitdue/);
    expect(() => describedArchive("unknown")).toThrow(/no known archive of light curves unknown/);
    expect(() => describedArchive("Bad Name", { definition })).toThrow(/small letter/);
  });
});
