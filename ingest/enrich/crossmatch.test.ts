// The step that matches alerts with catalogs: lists and rows, the distance rule, memory and archive alike, what is broken.
import { afterEach, describe, expect, it } from "vitest";
import { random } from "../../bench/random.js";
import type { AlertBatch } from "../../domain/alert.js";
import type { Catalog } from "../../domain/catalog.js";
import { TocsinError } from "../../domain/errors.js";
import { testBatch } from "../../test/batches.js";
import { column, type MemoryCatalogs, memoryCatalogs, testCatalog } from "../../test/catalogs.js";
import { createMatchedCatalogs, type MatchedCatalogs } from "../crossmatch/catalogs.js";
import { matchOperands } from "../crossmatch/operands.js";
import { SURVEYS } from "../surveys/index.js";
import { createCrossmatch } from "./crossmatch.js";

const ARCSEC = 1 / 3600;
const GAIA = testCatalog("gaia_dr3", {
  idType: "Int64",
  columns: [
    column("parallax", "Float32", "mas"),
    column("phot_n", "Int32"),
    column("twin", "Int64"),
    column("note", "String"),
  ],
});
const NED = testCatalog("ned", {
  radiusArcsec: 300,
  rule: { kind: "distance", by: "redshift", column: "z", kpc: 30, nearArcsec: 300 },
  columns: [column("z", "Float64")],
});

let opened: MatchedCatalogs[] = [];
afterEach(() => {
  for (const one of opened) one.close();
  opened = [];
});

async function matching(store: MemoryCatalogs, memoryBytes: number) {
  const lines: string[] = [];
  const catalogs = createMatchedCatalogs({ store, memoryBytes, log: (line) => lines.push(line) });
  opened.push(catalogs);
  await catalogs.settled();
  return { catalogs, lines, step: createCrossmatch(catalogs) };
}

const at = (positions: readonly (readonly [number, number])[], survey = SURVEYS[0]!.description): AlertBatch =>
  testBatch(
    survey,
    positions.map(([ra, dec], n) => ({
      candid: 2_500_000_000_000_000_000n + BigInt(n),
      objectId: `o${n}`,
      jd: 2460000.5 + n,
      ra,
      dec,
    })),
  );

/** Row i's values of each list column. */
function listed(batch: AlertBatch, name: string): unknown[][] {
  const { ends, items } = batch.alerts.lists!.get(name)!;
  return Array.from(ends, (end, row) =>
    Array.from({ length: end - (row === 0 ? 0 : ends[row - 1]!) }, (_, n) => {
      const item = (row === 0 ? 0 : ends[row - 1]!) + n;
      return items.nulls?.[item] ? null : items.values[item];
    }),
  );
}

describe.each([
  ["in memory", 1e9],
  ["asked of the archive", 0],
])("catalogs %s", (_, memory) => {
  it("give every source within the radius, nearest first, with the columns that were kept", async () => {
    const store = memoryCatalogs();
    store.put(GAIA, [
      { id: 11n, ra: 10, dec: 20 + 1.5 * ARCSEC, parallax: 0.5, phot_n: 3, twin: 9_007_199_254_740_993n, note: "Š" },
      { id: 12n, ra: 10, dec: 20 - 0.5 * ARCSEC, parallax: null, phot_n: null, twin: null, note: null },
      { id: 13n, ra: 10, dec: 20 + 2.1 * ARCSEC, parallax: 1, phot_n: 1, twin: 1n, note: "far" },
    ]);
    const { step, catalogs } = await matching(store, memory);
    expect(catalogs.held().size).toBe(memory > 0 ? 1 : 0);
    const batch = await step.run(
      at([
        [50, 50],
        [10, 20],
        [50, 51],
      ]),
    );
    expect(listed(batch, "match.gaia_dr3.id")).toEqual([[], [12n, 11n], []]);
    expect(listed(batch, "match.gaia_dr3.parallax")).toEqual([[], [null, 0.5], []]);
    expect(listed(batch, "match.gaia_dr3.twin")).toEqual([[], [null, 9_007_199_254_740_993n], []]);
    expect(listed(batch, "match.gaia_dr3.note")).toEqual([[], [null, "Š"], []]);
    const [, separations] = listed(batch, "match.gaia_dr3.separationArcsec") as number[][];
    expect(separations![0]).toBeCloseTo(0.5, 9);
    expect(separations![1]).toBeCloseTo(1.5, 9);
    const [annex] = batch.annexes!;
    expect([annex!.table, annex!.rows.rows, annex!.rows.columns.get("candid")!.values]).toEqual([
      "matches",
      1,
      BigInt64Array.of(2_500_000_000_000_000_001n),
    ]);
    expect(annex!.rows.lists!.get("numbers")!.items.values).toEqual(Float64Array.of(Number.NaN, 0.5, Number.NaN, 3));
    expect(annex!.rows.lists!.get("texts")!.items.values.slice(1, 2)).toEqual(["9007199254740993"]);
  });

  it("match by length at the distance of the source", async () => {
    const store = memoryCatalogs();
    const away = (arcsec: number, z: number | null, id: string) => ({ id, ra: 100, dec: arcsec * ARCSEC, z });
    store.put(NED, [
      away(299, 0.004, "near"),
      away(200, 0.02, "beyond 75 arcsec"),
      away(74, 0.02, "within 75"),
      away(31, 0.05, "beyond 30"),
      away(29, 0.05, "within 30"),
      away(1, null, "unknown"),
      away(301, 0.001, "beyond the radius"),
    ]);
    const { step } = await matching(store, memory);
    const batch = await step.run(at([[100, 0]]));
    expect(listed(batch, "match.ned.id")).toEqual([["within 30", "within 75", "near"]]);
    const [kpc] = listed(batch, "match.ned.distanceKpc") as (number | null)[][];
    expect([kpc![0]!.toFixed(6), kpc![1]!.toFixed(6), kpc![2]]).toEqual(["29.000000", "29.600000", null]);
  });

  it("match wherever a galaxy extends, where the catalog tells its axes", async () => {
    const store = memoryCatalogs();
    const ellipse = { axis: "DIAM", arcsec: 30, ratio: "BA", angle: "PA" };
    store.put(
      {
        ...NED,
        radiusArcsec: 600,
        rule: { ...NED.rule, nearArcsec: 20, ellipse } as Catalog["rule"],
        columns: ["z", "DIAM", "BA", "PA"].map((name) => column(name, "Float64")),
      },
      [
        // Half axes of 300" and 90", turned to the north-east.
        { id: "ellipse", ra: 0.01, dec: 0, z: null, DIAM: 10, BA: 0.3, PA: 45 },
        { id: "no angle", ra: 50, dec: 0, z: null, DIAM: 10, BA: 0.3, PA: null },
        { id: "no axes", ra: 60, dec: 0, z: 0.001, DIAM: null, BA: null, PA: null },
        { id: "no ratio", ra: 70, dec: 0, z: 0.05, DIAM: 10, BA: null, PA: 3 },
        { id: "wider than the radius", ra: 80, dec: 0, z: null, DIAM: 100, BA: 1, PA: 0 },
      ],
    );
    const { step } = await matching(store, memory);
    const off = (ra: number, east: number, north: number) =>
      [(ra + east * ARCSEC + 360) % 360, north * ARCSEC] as const;
    const batch = await step.run(
      at([
        off(0.01, 200, 200),
        off(0.01, -200, -200),
        off(0.01, 200, -200),
        off(0.01, 60, -60),
        off(0.01, 70, -70),
        off(50, 0, 89),
        off(50, 91, 0),
        off(60, 19, 0),
        off(60, 21, 0),
        off(70, 29, 0),
        off(70, 31, 0),
        off(80, 0, 599),
        off(80, 0, 601),
      ]),
    );
    const ids = listed(batch, "match.ned.id").map(([id]) => id ?? null);
    expect(ids).toEqual([
      ...["ellipse", "ellipse", null, "ellipse", null],
      ...["no angle", null, "no axes", null, "no ratio", null, "wider than the radius", null],
    ]);
  });

  it("match with Andromeda and Triangulum wherever those extend", async () => {
    const store = memoryCatalogs();
    store.put(NED, [
      { id: "M31", ra: 10.68479, dec: 41.26906, z: -0.001 },
      { id: "behind its nucleus", ra: 10.6847, dec: 41.26901, z: 0.3 },
      { id: "M32", ra: 10.6743, dec: 40.8652, z: -0.0007 },
      { id: "behind", ra: 11.5, dec: 42.2, z: 0.05 },
      { id: "only behind M33", ra: 23.46204, dec: 30.66022, z: 0.05 },
    ]);
    store.put(
      {
        ...NED,
        name: "mpc",
        rule: { ...NED.rule, by: "Mpc", column: "d" } as Catalog["rule"],
        columns: [column("d", "Float64")],
      },
      [{ id: "M33", ra: 23.462, dec: 30.66, d: 0.869 }],
    );
    store.put(testCatalog("points"), [{ id: "nucleus", ra: 10.6847, dec: 41.26901 }]);
    const { step } = await matching(store, memory);
    const batch = await step.run(
      at([
        [11.5, 42.2 + 10 * ARCSEC],
        [10.0, 42.2],
        [10.68479, 41.26906 + 5 * ARCSEC],
        [10.6743, 40.8652],
        [23.6, 31.1],
        [11.9, 42.86],
      ]),
    );
    // North-east along the disc, north-west beside it, the nucleus, its neighbour, Triangulum, the end of the disc.
    expect(listed(batch, "match.ned.id")).toEqual([["behind", "M31"], [], ["M31"], ["M32", "M31"], [], []]);
    expect(listed(batch, "match.mpc.id")).toEqual([[], [], [], [], ["M33"], []]);
    expect(listed(batch, "match.points.id")).toEqual([[], [], [], [], [], []]);
    const [first] = listed(batch, "match.ned.separationArcsec") as number[][];
    expect(first![1]).toBeGreaterThan(4_000);
    // 0.869 Mpc, 0.4558 degrees.
    expect((listed(batch, "match.mpc.distanceKpc")[4] as number[])[0]).toBeCloseTo(6.9, 1);
    expect(batch.annexes!.map(({ rows }) => rows.rows)).toEqual(expect.arrayContaining([3, 1]));
  });

  it("keep the nearest where a limit is set, equally near ones by id", async () => {
    const store = memoryCatalogs();
    store.put({ ...testCatalog("lspsc"), limit: 2 }, [
      { id: "c", ra: 1, dec: 1 },
      { id: "b", ra: 1, dec: 1 },
      { id: "a", ra: 1, dec: 1 },
      { id: "nearest", ra: 1, dec: 1 + 0.1 * ARCSEC },
    ]);
    const { step } = await matching(store, memory);
    const batch = await step.run(at([[1, 1 + 0.1 * ARCSEC]]));
    expect(listed(batch, "match.lspsc.id")).toEqual([["nearest", "a"]]);
  });

  it("are the same for LSST, and follow what changes", async () => {
    const store = memoryCatalogs();
    const { step, catalogs } = await matching(store, memory);
    const lsst = SURVEYS.find(({ description }) => description.id === "LSST")!.description;
    expect((await step.run(at([[1, 1]], lsst))).alerts.lists!.size).toBe(0);
    store.put(testCatalog("vsx"), [{ id: "V1", ra: 1, dec: 1 }]);
    await catalogs.settled();
    expect(listed(await step.run(at([[1, 1]], lsst)), "match.vsx.id")).toEqual([["V1"]]);
    store.put({ ...testCatalog("vsx"), revision: 2 }, [{ id: "V2", ra: 1, dec: 1 }]);
    await catalogs.settled();
    expect(listed(await step.run(at([[1, 1]], lsst)), "match.vsx.id")).toEqual([["V2"]]);
    store.remove("vsx");
    await catalogs.settled();
    expect((await step.run(at([[1, 1]], lsst))).alerts.lists!.size).toBe(0);
    expect(catalogs.held().size).toBe(0);
  });
});

describe("memory and archive", () => {
  it("agree to the last digit, poles, wrap and rims included", async () => {
    const next = random(3);
    const place = (n: number): [number, number] =>
      n % 3 === 0
        ? [360 * next(), 90 - 0.01 * next()]
        : n % 3 === 1
          ? [(360 + 0.02 * (next() - 0.5)) % 360, 0.02 * next()]
          : [360 * next(), -90 + 0.01 * next()];
    const sources = Array.from({ length: 900 }, (_, n) => place(n));
    const positions = [...sources.slice(0, 200), ...Array.from({ length: 300 }, (_, n) => place(n))];
    const catalog: Catalog = { ...NED, radiusArcsec: 20, rule: { ...NED.rule, nearArcsec: 20 } as Catalog["rule"] };
    const results = [];
    for (const memory of [1e9, 0]) {
      const store = memoryCatalogs();
      store.put(
        catalog,
        sources.map(([ra, dec], n) => ({
          id: `s${n}`,
          ra,
          dec,
          z: n % 5 === 0 ? null : 0.01 * (n % 40),
        })),
      );
      store.put(
        testCatalog("points", { radiusArcsec: 5 }),
        sources.map(([ra, dec], n) => ({ id: `p${n}`, ra, dec })),
      );
      const { step } = await matching(store, memory);
      const { alerts, annexes } = await step.run(at(positions));
      results.push({ lists: alerts.lists, annexes });
    }
    expect(results[0]).toEqual(results[1]);
    expect(results[0]!.lists!.get("match.points.id")!.items.values.length).toBeGreaterThan(300);
    expect(results[0]!.lists!.get("match.ned.id")!.items.values.length).toBeGreaterThan(300);
  });

  it("share the budget: the smallest are held, and those that do not fit are told when they turn out to be large", async () => {
    const store = memoryCatalogs();
    const row = (n: number, note: string) => ({ id: `s${n}`, ra: n / 100, dec: 0, note });
    store.put(testCatalog("small"), [row(0, "")]);
    store.put(
      { ...testCatalog("wordy"), columns: [column("note", "String")] },
      Array.from({ length: 300 }, (_, n) => row(n, "x".repeat(500))),
    );
    const { catalogs, lines } = await matching(store, 60_000);
    expect([...catalogs.held().keys()]).toEqual(["small"]);
    expect(lines.join()).toContain("wordy takes more memory");
  });
});

describe("what is broken", () => {
  it("leaves out one catalog and goes on; a lost store lets the batch wait", async () => {
    const store = memoryCatalogs();
    store.put(testCatalog("vsx"), [{ id: "V1", ra: 1, dec: 1 }]);
    const { step } = await matching(store, 0);
    store.failure = new Error("no such column");
    const { alerts, missing } = await step.run(at([[1, 1]]));
    expect(alerts.lists!.size).toBe(0);
    expect(missing).toMatchObject([{ step: "crossmatch", part: "vsx", code: "STEP_FAILED", reason: "no such column" }]);
    store.failure = new TocsinError("ENGINE_UNAVAILABLE", "away");
    await expect(step.run(at([[1, 1]]))).rejects.toThrow("away");
  });
});

describe("operands", () => {
  it("are the lists that the step makes, by name and type", async () => {
    const store = memoryCatalogs();
    store.put(GAIA, []);
    store.put(NED, []);
    const { step } = await matching(store, 1e9);
    const { lists } = (await step.run(at([[1, 1]]))).alerts;
    const told = matchOperands(store)
      .operands("ZTF")
      .lists.flatMap(({ name, fields }) => fields.map((field) => ({ ...field, name: `${name}.${field.name}` })));
    expect(told.map(({ name }) => name)).toEqual([...lists!.keys()]);
    for (const { name, type, nullable } of told) {
      expect([name, lists!.get(name)!.items.type, lists!.get(name)!.items.nulls !== null]).toEqual([
        name,
        type,
        nullable,
      ]);
    }
  });
});
