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
import type { BrokenStep } from "./enrichment.js";

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
  const broken: BrokenStep[] = [];
  return { catalogs, lines, broken, step: createCrossmatch(catalogs, (one) => broken.push(one)) };
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
    const { step, broken } = await matching(store, 0);
    store.failure = new Error("no such column");
    expect((await step.run(at([[1, 1]]))).alerts.lists!.size).toBe(0);
    expect(broken).toEqual([{ step: "crossmatch vsx", message: "no such column" }]);
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
