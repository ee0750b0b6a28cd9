// What every MatchStore does, with catalogs in memory and in the archive: what is kept is what the stream saw, archived
// alerts are matched again when a catalog comes, changes or goes, and filters over the past read it. Called with each
// engine's stores by its tests.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { random } from "../bench/random.js";
import type { AlertBatch } from "../domain/alert.js";
import type { Catalog, CatalogDescription } from "../domain/catalog.js";
import type { ListColumn } from "../domain/columns.js";
import { matchFields } from "../domain/match.js";
import type { SurveyDescription } from "../domain/survey.js";
import { jdFromEpochMs } from "../domain/time.js";
import type { Viewer } from "../domain/viewer.js";
import { createMatchedCatalogs, type MatchedCatalogs } from "../ingest/crossmatch/catalogs.js";
import { createRematcher, type Rematcher } from "../ingest/crossmatch/rematch.js";
import { CROSSMATCH_VERSION, createCrossmatch } from "../ingest/enrich/crossmatch.js";
import { type Row, type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import { catalogRows, column, testCatalog } from "../test/catalogs.js";
import type { AlertStore } from "./alerts.store.js";
import type { BacktestStore } from "./backtest.store.js";
import type { BatchStore } from "./batches.store.js";
import type { CatalogStore } from "./catalogs.store.js";
import type { MatchStore, RematchStore } from "./matches.store.js";
import type { MissingStore } from "./missing.store.js";

export interface MatchArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly backtest: BacktestStore;
  readonly catalogs: CatalogStore;
  readonly matches: MatchStore;
  readonly rematches: RematchStore;
  readonly missing: MissingStore;
}

const EVERYBODY: Viewer = { scope: "all", programids: new Map([["ZTF", "all"]]), mayChange: true };
const SURVEY = testSurvey("ZTF");
const RECEIPT = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const ARCSEC = 1 / 3600;

const POINTS = testCatalog("points", {
  idType: "Int64",
  columns: [
    column("parallax", "Float32", "mas"),
    column("n", "Int32"),
    column("twin", "Int64"),
    column("note", "String"),
  ],
});
const GALAXIES = testCatalog("galaxies", {
  radiusArcsec: 60,
  rule: { kind: "distance", by: "redshift", column: "z", kpc: 30, nearArcsec: 60 },
  columns: [column("z", "Float64")],
});

const next = random(11);
function place(n: number): [number, number] {
  if (n % 4 === 0) return [360 * next(), 90 - 0.005 * next()];
  if (n % 4 === 1) return [360 * next(), -90 + 0.005 * next()];
  if (n % 4 === 2) return [(360 + 0.01 * (next() - 0.5)) % 360, 0.01 * (next() - 0.5)];
  return [45.01 + 0.01 * next(), 0.01 * next()];
}
const SOURCES = Array.from({ length: 600 }, (_, n) => place(n));
const pointRows = (): Row[] =>
  SOURCES.map(([ra, dec], n) => ({
    ...{ id: 9_007_199_254_740_993n + BigInt(n), ra, dec },
    parallax: n % 3 === 0 ? null : n / 7,
    n: n % 5 === 0 ? null : n,
    twin: n % 7 === 0 ? null : -9_007_199_254_740_993n - BigInt(n),
    note: n % 2 === 0 ? null : `Ž${n}`,
  }));
const galaxyRows = (): Row[] =>
  SOURCES.map(([ra, dec], n) => ({ id: `g${n}`, ra, dec, z: n % 5 === 0 ? null : 0.003 * (n % 60) }));

/** On the rim of 2 arcsec, and everywhere around. */
const POSITIONS: [number, number][] = SOURCES.map(([ra, dec], n) => {
  if (n % 2 === 0) return place(n);
  return [ra, dec + (dec > 0 ? -2 : 2) * ARCSEC];
});

const alertsAt = (positions: readonly (readonly [number, number])[], first = 0): TestAlert[] =>
  positions.map(([ra, dec], n) => ({
    ...{ candid: 2_500_000_000_000_000_000n + BigInt(first + n), objectId: `o${first + n}`, ra, dec },
    jd: 2_460_000.5 + Math.floor((first + n) / 3) / 100,
  }));

const keysOf = (alerts: readonly TestAlert[]) => alerts.map(({ jd, candid }) => ({ jd, candid }));

/** Row by row, lists as arrays. */
function listed({ ends, items }: ListColumn): unknown[][] {
  return Array.from(ends, (end, row) => {
    const start = row === 0 ? 0 : ends[row - 1]!;
    return Array.from({ length: end - start }, (_, n) => (items.nulls?.[start + n] ? null : items.values[start + n]));
  });
}

/** What only the engine can do: rows of the same key become one, and how many rows of a catalog are kept of before. */
export interface MatchEngine {
  merge(): Promise<void>;
  keptBefore(catalog: string): Promise<number>;
}

export function matchContract(
  open: (surveys: readonly SurveyDescription[]) => Promise<MatchArchive>,
  engine?: () => MatchEngine,
): void {
  describe("matches and their catalogs", () => {
    let stores: MatchArchive;
    const closers: (() => unknown)[] = [];
    beforeAll(async () => {
      stores = await open([SURVEY]);
    });
    afterEach(async () => {
      for (const close of closers.splice(0)) await close();
    });

    async function load(catalog: CatalogDescription, rows: readonly Row[]): Promise<Catalog> {
      const { name, title, source, version, date, licence, citation, radiusArcsec, rule, limit } = catalog;
      const { idType, columns, epoch, epochGiven } = catalog;
      const description = { name, title, source, version, date, licence, citation, radiusArcsec, rule, limit };
      const begun = await stores.catalogs.begin({ ...description, idType, columns, epoch, epochGiven }, []);
      const progress = { ...begun.progress, rowsRead: rows.length };
      await stores.catalogs.append(begun, catalogRows(begun, rows), progress);
      return stores.catalogs.activate(begun, progress);
    }

    async function matching(memoryBytes: number): Promise<MatchedCatalogs> {
      const catalogs = createMatchedCatalogs({ store: stores.catalogs, memoryBytes, log: () => {} });
      closers.push(() => catalogs.close());
      await catalogs.settled();
      return catalogs;
    }

    function rematcher(catalogs: MatchedCatalogs, version = "1"): Rematcher {
      const made = createRematcher({
        ...{ catalogs, registry: stores.catalogs, matches: stores.matches, rematches: stores.rematches },
        missing: stores.missing,
        begin: () => stores.batches.begin(),
        surveys: ["ZTF"],
        version,
        mayRun: () => true,
        isBusy: () => false,
        log: () => {},
      });
      closers.push(() => made.close());
      return made;
    }

    async function write(alerts: readonly TestAlert[], catalogs: MatchedCatalogs | null): Promise<AlertBatch> {
      const plain = testBatch(SURVEY, alerts);
      const batch = catalogs === null ? plain : await createCrossmatch(catalogs).run(plain);
      expect(batch.missing).toBeUndefined();
      const id = stores.batches.begin();
      await stores.alerts.write(id, batch, testHashes(alerts), testLocations(alerts));
      await stores.batches.commit(id, RECEIPT);
      return batch;
    }

    async function archivedLists(
      names: readonly string[],
      candids: readonly bigint[],
    ): Promise<Map<string, readonly unknown[]>> {
      const lists = names.map((name) => ({ sql: `\`${name}\``, columns: [name] }));
      const values = await stores.backtest.values(EVERYBODY, "ZTF", candids, lists);
      return new Map(names.map((name, n) => [name, candids.map((candid) => values.get(candid)![n])]));
    }

    describe("matches", () => {
      it("are the same from memory and from the archive, and kept as the stream saw them", async () => {
        await load(POINTS, pointRows());
        await load(GALAXIES, galaxyRows());
        const [held, asked] = [await matching(1e9), await matching(0)];
        expect([held.held().size, asked.held().size]).toEqual([2, 0]);
        const alerts = alertsAt(POSITIONS);
        const fromMemory = await write(alerts, held);
        const plain = testBatch(SURVEY, alerts);
        const fromArchive = await createCrossmatch(asked).run(plain);
        expect(fromArchive.missing).toBeUndefined();
        expect([...fromArchive.alerts.lists!].map(([name, list]) => [name, listed(list)])).toEqual(
          [...fromMemory.alerts.lists!].map(([name, list]) => [name, listed(list)]),
        );
        expect(fromArchive.annexes!.map(({ rows }) => rows.rows)).toEqual(
          fromMemory.annexes!.map(({ rows }) => rows.rows),
        );
        expect(fromMemory.alerts.lists!.get("match.points.id")!.items.values.length).toBeGreaterThan(250);
        expect(fromMemory.alerts.lists!.get("match.galaxies.id")!.items.values.length).toBeGreaterThan(600);

        const names = [POINTS, GALAXIES].flatMap((catalog) =>
          matchFields(catalog).map(({ name }) => `match.${catalog.name}.${name}`),
        );
        const archived = await archivedLists(
          names,
          alerts.map(({ candid }) => candid),
        );
        for (const name of names)
          expect([name, archived.get(name)]).toEqual([name, listed(fromMemory.alerts.lists!.get(name)!)]);
      });

      it("of many alerts come in one query, nearest first over all catalogs, those of other catalogs left out", async () => {
        const alerts = alertsAt(POSITIONS);
        const all = await stores.matches.ofAlerts("ZTF", keysOf(alerts), ["points", "galaxies"]);
        const some = await stores.matches.ofAlerts("ZTF", keysOf(alerts), ["points"]);
        const { lists } = testedBatch(await createCrossmatch(await matching(1e9)).run(testBatch(SURVEY, alerts)));
        const counts = listed(lists.get("match.points.id")!).map((ids) => ids.length);
        alerts.forEach(({ candid }, row) => {
          expect((some.get(candid) ?? []).map(({ sourceId }) => sourceId)).toEqual(
            listed(lists.get("match.points.id")!)[row]!.map(String),
          );
          const separations = (all.get(candid) ?? []).map(({ separationArcsec }) => separationArcsec);
          expect(separations).toEqual(separations.toSorted((a, b) => a - b));
        });
        const row = counts.findIndex((count) => count > 0);
        const [match] = some.get(alerts[row]!.candid)!;
        expect(match).toMatchObject({ catalog: "points", version: CROSSMATCH_VERSION });
        expect(Object.keys(match!.fields)).toEqual(["parallax", "n", "twin", "note"]);
        expect(typeof (match!.fields.twin ?? "")).toBe("string");
        expect(await stores.matches.ofAlerts("ZTF", keysOf(alerts), [])).toEqual(new Map());
      });

      const testedBatch = (batch: AlertBatch) => ({ lists: batch.alerts.lists! });
    });

    describe("archived alerts", () => {
      const first = 10_000;
      const alerts = alertsAt(
        Array.from({ length: 4_500 }, (_, n): [number, number] => [180 + n / 1_000, 30]),
        first,
      );
      const sources = (from: number): Row[] =>
        Array.from({ length: 1_500 }, (_, n) => ({ id: `v${from + n}`, ra: 180 + (from + n) / 1_000, dec: 30 }));
      const found = async (): Promise<string[]> => {
        const matches = await stores.matches.ofAlerts("ZTF", keysOf(alerts), ["vsx"]);
        return alerts.flatMap(({ candid }) => matches.get(candid)?.map(({ sourceId }) => sourceId) ?? []);
      };
      const ids = (rows: readonly Row[]) => rows.map(({ id }) => id);

      it("are matched with a catalog that comes, changes and goes", async () => {
        for (let at = 0; at < alerts.length; at += 2_000) await write(alerts.slice(at, at + 2_000), null);
        const vsx = testCatalog("vsx");
        await load(vsx, sources(0));
        const catalogs = await matching(1e9);
        const matcher = rematcher(catalogs);
        await matcher.idle();
        expect(await found()).toEqual(ids(sources(0)));
        const [progress] = await stores.rematches.rematches(["vsx"]);
        expect(progress).toMatchObject({ done: 5_100, total: 5_100, complete: true });

        // 500 to 1,499 stay, others come; those that were matched before and are not any more lose their row.
        await load(vsx, sources(500));
        await expect
          .poll(async () => (await stores.rematches.rematches(["vsx"])).filter(({ complete }) => complete).length, {
            timeout: 60_000,
          })
          .toBe(2);
        expect(await found()).toEqual(ids(sources(500)));

        await stores.catalogs.remove("vsx");
        await expect.poll(async () => (await found()).length, { timeout: 60_000 }).toBe(0);
        const names = ["match.points.id"];
        expect(
          (
            await archivedLists(
              names,
              alerts.map(({ candid }) => candid),
            )
          )
            .get("match.points.id")!
            .flat(),
        ).toEqual([]);
      }, 180_000);

      it("go on where a process stopped, and are matched again by a new version of the step", async () => {
        const lspsc = await load(testCatalog("lspsc"), sources(3_000));
        // 4,600 alerts in the order of time are done, as a process that died would leave it.
        const sorted = await stores.rematches.alertsAfter("ZTF", null, 4_600);
        const last = {
          jd: sorted.columns.get("jd")!.values[4_599] as number,
          candid: sorted.columns.get("candid")!.values[4_599] as bigint,
        };
        const begun = { catalog: "lspsc", revision: lspsc.revision, survey: "ZTF", startedAt: Date.now() + 3_600_000 };
        await stores.rematches.saveRematch({
          ...begun,
          version: "1",
          until: last,
          done: 4_600,
          total: 5_100,
          complete: false,
        });
        const catalogs = await matching(1e9);
        await rematcher(catalogs).idle();
        const everyAlert = [...alertsAt(POSITIONS), ...alerts];
        const kept = async () =>
          [...(await stores.matches.ofAlerts("ZTF", keysOf(everyAlert), ["lspsc"])).values()].flat();
        // Of its 1,500 sources the last 500 lie at alerts that were not done yet.
        expect((await kept()).length).toBe(500);
        expect((await stores.rematches.rematches(["lspsc"]))[0]).toMatchObject({ done: 5_100, complete: true });
        await rematcher(catalogs, "2").idle();
        expect((await kept()).length).toBe(1_500);
        expect(new Set((await kept()).map(({ version }) => version))).toEqual(new Set(["2"]));
      }, 180_000);
    });

    describe("what stood at a time", () => {
      const COUNT = 40;
      const ned = testCatalog("ned", { columns: [column("z", "Float64")] });
      const alerts = alertsAt(
        Array.from({ length: COUNT }, (_, n): [number, number] => [250 + n / 100, -30]),
        50_000,
      );
      /** The first half as ever; of the others some move, some get another redshift, some go and come back. */
      const sources = (revision: number): Row[] =>
        alerts.flatMap(({ ra, dec }, n) => {
          const source = { id: `n${n}`, ra, dec, z: n % 5 === 0 ? null : n / 100 };
          if (n < COUNT / 2) return [source];
          if (n % 3 === 0) return [{ ...source, dec: dec + revision * 0.1 * ARCSEC }];
          if (n % 3 === 1) return [{ ...source, z: revision > 2 ? 1 : null }];
          return revision % 2 === 0 ? [] : [source];
        });
      const found = async (asOf?: number) => {
        const all = await stores.matches.ofAlerts("ZTF", keysOf(alerts), ["ned"], asOf);
        return alerts.map(({ candid }) =>
          (all.get(candid) ?? []).map(({ version: _, revision: __, ...shown }) => shown),
        );
      };
      /** A time after all that is stored, and before all that will be. */
      async function now(): Promise<number> {
        const last = stores.batches.begin() >> 20n;
        await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(Number(last) + 1);
        return jdFromEpochMs(Number(last) + 1);
      }
      const rematched = (times: number) =>
        expect
          .poll(async () => (await stores.rematches.rematches(["ned"])).filter(({ complete }) => complete).length, {
            timeout: 60_000,
          })
          .toBe(times);

      it("is told after catalogs came, were replaced, made again alike, and gone", async () => {
        const [early, late] = [alerts.slice(0, -4), alerts.slice(-4)];
        await write(early, null);
        const then = [{ time: await now(), found: await found() }];
        await load(ned, sources(1));
        const catalogs = await matching(1e9);
        const matcher = rematcher(catalogs);
        await matcher.idle();
        then.push({ time: await now(), found: await found() });
        for (const revision of [2, 3, 4]) {
          await load(ned, sources(revision));
          await rematched(revision);
          await matcher.idle();
          if (revision === 3) await engine?.().merge();
          then.push({ time: await now(), found: await found() });
        }
        const changes = then.slice(1).map((one, n) => {
          return one.found.filter((matches, row) => JSON.stringify(matches) !== JSON.stringify(then[n]!.found[row]))
            .length;
        });
        expect(changes.every((count) => count >= 6 && count <= COUNT)).toBe(true);
        // All alike, by another version of the step.
        await matcher.close();
        const anew = rematcher(catalogs, "2");
        await anew.idle();
        expect(await found()).toEqual(then.at(-1)!.found);

        await engine?.().merge();
        for (const { time, found: stood } of then) expect(await found(time)).toEqual(stood);
        if (engine !== undefined) {
          // What came first stood before nothing.
          const replaced = changes.slice(1).reduce((sum, count) => sum + count, 0);
          expect(await engine().keptBefore("ned")).toBeLessThanOrEqual(replaced);
        }

        // Taken in long after its own time: what it came with stood then, not what became of it.
        await write(late, catalogs);
        const came = (await found()).slice(-4);
        expect(came.flat().length).toBeGreaterThan(0);
        await load(ned, []);
        await rematched(6);
        await anew.idle();
        expect((await found()).flat()).toEqual([]);
        expect((await found(late[0]!.jd)).slice(-4)).toEqual(came);
        expect((await found(late[0]!.jd)).slice(0, -4).flat()).toEqual([]);

        await stores.catalogs.remove("ned");
        await expect.poll(async () => (await found(then[1]!.time)).flat().length, { timeout: 60_000 }).toBe(0);
      }, 180_000);
    });
  });
}
