// What the stores of marks do: states that other processes hear of, contents that may be sent twice, alerts of the past marked as
// the stream's are, and filters over the past that read it. Called with each engine's stores by its tests.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Mark, MarkedCells, WatchedPositions } from "../domain/mark.js";
import { circleMoc } from "../domain/moc.shapes.js";
import { levelsOf } from "../domain/skymap.js";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { createMarks } from "../ingest/enrich/marks.js";
import { type MarksOverStores, marksOver } from "../ingest/marks/marks.fixture.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import type { AlertStore } from "./alerts.store.js";
import type { BacktestStore } from "./backtest.store.js";
import type { BatchStore } from "./batches.store.js";
import type { MarkStores } from "./marks.store.js";
import type { RematchStore } from "./matches.store.js";
import type { MissingStore } from "./missing.store.js";

export interface MarkArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly backtest: BacktestStore;
  readonly marks: MarkStores;
  readonly rematches: RematchStore;
  readonly missing: MissingStore;
}

const SURVEY = testSurvey("ZTF");
const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const START = 2460000.5;
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };

/** On a meridian, 0.01 degrees apart, across the equator, every fifth on the pole: of the past, and the same places live. */
const alerts = (first: bigint, jd: number): TestAlert[] =>
  Array.from({ length: 60 }, (_, n) => ({
    ...{ candid: first + BigInt(n), objectId: `o${n % 7}`, jd: jd + n / 100 },
    ...(n % 5 === 0 ? { ra: n, dec: 90 } : { ra: 150, dec: (n - 30) / 100 }),
  }));
const [PAST, LIVE] = [alerts(1000n, START), alerts(5000n, START + 10)];

const list = (...rows: readonly (readonly [string, number, number, number])[]): WatchedPositions => ({
  names: rows.map(([name]) => name),
  ra: Float64Array.from(rows, (row) => row[1]),
  dec: Float64Array.from(rows, (row) => row[2]),
  radiusArcsec: Float32Array.from(rows, (row) => row[3]),
});
async function* blocks(...all: WatchedPositions[]): AsyncGenerator<WatchedPositions> {
  yield* all;
}

/**
 * Most of it in the base face that holds the meridian, which alone tells how far away; in force from before the live alerts on.
 */
async function skymap() {
  const faces = Array.from({ length: 12 }, (_, n) => BigInt(n) << 58n);
  const map = await levelsOf({
    start: BigUint64Array.from(faces),
    end: BigUint64Array.from(faces, (start) => start + (1n << 58n)),
    density: Float64Array.from(faces, (_, n) => (n === 6 ? 0.9 : 0.1 / 11) / ((4 * Math.PI) / 12)),
    distance: {
      mean: Float32Array.from(faces, (_, n) => (n === 6 ? 203.7 : Number.NaN)),
      sigma: Float32Array.from(faces, (_, n) => (n === 6 ? 51.3 : Number.NaN)),
    },
  });
  return { ...map, header: { event: "S1", jd: START + 5, distanceMpc: null, distanceErrorMpc: null } };
}

export function markContract(
  open: (surveys: readonly SurveyDescription[]) => Promise<MarkArchive>,
  reopen: () => Promise<MarkArchive>,
): void {
  describe("marks", () => {
    let stores: MarkArchive;
    let marks: MarksOverStores;
    let held: MarksOverStores["held"];
    let past: MarksOverStores["past"];
    let desk: MarksOverStores["desk"];

    beforeAll(async () => {
      stores = await open([SURVEY]);
      marks = marksOver(stores);
      ({ held, past, desk } = marks);
    });
    afterAll(() => marks?.close());

    async function write(of: readonly TestAlert[], isMarked: boolean): Promise<void> {
      const id = stores.batches.begin();
      const bare = testBatch(SURVEY, of);
      const batch = isMarked ? await createMarks(held).run(bare) : bare;
      await stores.alerts.write(id, batch, testHashes(of), testLocations(of));
      await stores.batches.commit(id, RECEIPT);
    }

    const FAR = ["skymap.s1.distance.mean", "skymap.s1.distance.sigma"];
    const NAMES = ["watch.mine.name", "watch.mine.separationArcsec", "area.strip", "skymap.s1", ...FAR];
    const valuesOf = async (of: readonly TestAlert[], names = NAMES) => {
      const read = names.map((name) => ({ sql: `\`${name}\``, columns: [name] }));
      const candids = of.map(({ candid }) => candid);
      const values = await stores.backtest.values(OWNER, "ZTF", candids, read);
      return candids.map((candid) => values.get(candid)!);
    };
    const content = (name: string): string => stores.marks.registry.all().find((mark) => mark.name === name)!.content;

    it("mark alerts of the past as those that come, for filters too", async () => {
      await write(PAST, false);
      const wide = ["wide", 150, 0.1, 50] as const;
      await desk.putList(
        OWNER,
        { name: "mine" },
        blocks(list(["one", 150, 0.0105, 5], wide), list(["pole", 77, 90, 1])),
      );
      await desk.putArea(OWNER, { name: "strip" }, circleMoc(150, -0.2, 0.055));
      await desk.putSkymap(OWNER, { name: "s1", daysBefore: 6, daysAfter: 30 }, await skymap());
      await write(LIVE, true);
      await past.idle();
      const [then, now] = [await valuesOf(PAST), await valuesOf(LIVE)];
      expect(then).toEqual(now);
      const at = (n: number) => now[n]!;
      expect(at(5)[0]).toEqual(["pole"]);
      expect(at(31).slice(0, 3)).toEqual([["one"], [expect.closeTo(1.8, 3)], false]);
      expect(at(39)[0]).toEqual(["wide"]);
      expect(at(7).slice(0, 3)).toEqual([[], [], true]);
      expect(now.filter(([, , inStrip]) => inStrip === true).length).toBeGreaterThan(5);
      expect(new Set(now.map(([, , , level]) => level)).size).toBe(2);
      const told = now.map(([, , , ...values]) => values);
      const far = [0.9, Math.fround(203.7), Math.fround(51.3)];
      expect(new Set(told.map((values) => JSON.stringify(values)))).toEqual(
        new Set([JSON.stringify(far), JSON.stringify([1, null, null])]),
      );
      expect(told[31]).toEqual(far);
      const inStream = await createMarks(held).run(testBatch(SURVEY, LIVE));
      for (const [n, name] of FAR.entries()) {
        const { values, nulls } = inStream.alerts.columns.get(name)!;
        expect(Array.from(values as Float64Array, (value, row) => (nulls![row] ? null : value))).toEqual(
          told.map((values) => values[n + 1]),
        );
      }
      const near = {
        sql: "coalesce(`skymap.s1.distance.mean` - 2 * `skymap.s1.distance.sigma` < 110, false)",
        columns: FAR,
      };
      const { alerts: consistent } = await stores.backtest.matching(OWNER, { survey: "ZTF" }, [near], 1_000, null);
      expect(consistent.length).toBe(2 * told.filter(([level]) => level === 0.9).length);
      const marked = await stores.marks.marked.page(content("s1"), "ZTF", 1_000, null);
      expect(new Set(marked.map(({ level, distance }) => JSON.stringify([level, distance])))).toEqual(
        new Set([JSON.stringify([0.9, { meanMpc: far[1], sigmaMpc: far[2] }]), JSON.stringify([1, null])]),
      );

      const inList = { sql: "has(`watch.mine.name`, 'wide')", columns: ["watch.mine.name"] };
      const wideOnes = now.flatMap(([names], n) => ((names as string[]).includes("wide") ? [n] : []));
      const { alerts: found } = await stores.backtest.matching(OWNER, { survey: "ZTF" }, [inList], 100, null);
      expect(found.map(({ candid }) => candid)).toEqual(
        [...PAST, ...LIVE]
          .map(({ candid }) => candid)
          .filter((candid) => wideOnes.includes(Number(candid % 1000n)))
          .reverse(),
      );
      const page = await stores.marks.marked.page(content("mine"), "ZTF", 3, null);
      const rest = await stores.marks.marked.page(content("mine"), "ZTF", 1_000, page[2]!);
      const inMine = [...PAST, ...LIVE].filter((_, n) => (now[n % 60]![0] as string[]).length > 0);
      expect([...page, ...rest].map(({ candid }) => candid)).toEqual(inMine.map(({ candid }) => candid).reverse());
    });

    it("keep nothing of a content that was replaced and dropped", async () => {
      const before = content("mine");
      await desk.putList(OWNER, { name: "mine" }, blocks(list(["two", 150, -0.03, 10])));
      await past.idle();
      expect((await valuesOf(PAST)).map(([names]) => names)).toEqual(PAST.map((_, n) => (n === 27 ? ["two"] : [])));
      await stores.marks.contents.drop(before);
      await expect.poll(() => stores.marks.marked.page(before, "ZTF", 3, null), { timeout: 60_000 }).toEqual([]);
      for await (const _ of stores.marks.contents.positions(before)) throw new Error("positions stayed");
    });

    it("are heard of by other processes, with all that happened to them", async () => {
      const other = (await reopen()).marks.registry;
      expect(other.all()).toEqual(stores.marks.registry.all());
      const heard = new Promise<void>((resolve) => other.onChange(resolve));
      const stop = other.follow();
      const removed: Mark = await desk.remove(OWNER, "AREA", "strip");
      await heard;
      stop();
      expect(removed.state).toBe("REMOVED");
      expect(other.all().map(({ name }) => name)).toEqual(["mine", "s1"]);
      const events = [
        ...(await other.events(null, 2)),
        ...(await other.events((await other.events(null, 2))[1]!, 100)),
      ];
      expect(events.map(({ name, state, revision }) => `${name} ${state} ${revision}`)).toEqual([
        "mine ACTIVE 1",
        "strip ACTIVE 1",
        "s1 ACTIVE 1",
        "mine ACTIVE 2",
        "strip REMOVED 1",
      ]);
    });

    it("have contents that may be sent again, in their order", async () => {
      const { contents } = stores.marks;
      const rows = list(["b", 2, 2, 2], ["a", 1, 1, 1]);
      for (const firstRow of [0, 2, 0]) await contents.addPositions("again", firstRow, rows);
      const read: WatchedPositions[] = [];
      for await (const block of contents.positions("again")) read.push(block);
      expect(read.flatMap(({ names }) => names)).toEqual(["b", "a", "b", "a"]);
      const cells: MarkedCells = {
        start: BigUint64Array.of(5n, 2n ** 61n),
        end: BigUint64Array.of(9n, 2n ** 61n + 1n),
        level: Float64Array.of(0.5, 1),
        distance: { mean: Float32Array.of(40.5, Number.NaN), sigma: Float32Array.of(7.25, Number.NaN) },
      };
      await contents.addCells("again", cells);
      await contents.addCells("again", cells);
      expect(await contents.cells("again")).toEqual(cells);
      const { distance: _, ...bare } = cells;
      await contents.addCells("bare", bare);
      expect(await contents.cells("bare")).toEqual(bare);
      await contents.drop("bare");
      await contents.drop("again");
      await expect.poll(async () => (await contents.cells("again")).level.length, { timeout: 60_000 }).toBe(0);
    });
  });
}
