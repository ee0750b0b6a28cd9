// What the stores of corrections do: each is told once under a number of its own, to those who may know of it; what is left to
// be checked, what became of hits, and which alerts came late. Called with each engine's stores by its tests.
import { beforeAll, describe, expect, it } from "vitest";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../test/batches.js";
import type { AlertStore } from "./alerts.store.js";
import type { BatchStore } from "./batches.store.js";
import {
  ANY_CORRECTION,
  type ArrivalStore,
  type CorrectionConditions,
  type CorrectionStore,
  type HitCheckStore,
  type HitKey,
  type ToldCorrection,
} from "./corrections.store.js";
import type { HitStore } from "./hits.store.js";
import type { MarkedStore } from "./marks.store.js";
import type { SequenceStore } from "./sequence.store.js";

export interface CorrectionArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly sequence: SequenceStore;
  readonly corrections: CorrectionStore;
  readonly hitChecks: HitCheckStore;
  readonly hits: HitStore;
  readonly arrivals: ArrivalStore;
  readonly marks: { readonly marked: MarkedStore };
}

const SURVEY = testSurvey("ZTF");
const OTHER = testSurvey("LSST");
const RECEIPT = { survey: "ZTF", read: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const owner: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const everybody: Viewer = { scope: "everybody", programids: new Map([["ZTF", [1]]]), mayChange: false };
const START = 2_460_000.5;

/** Alert n of an object, one a day. */
const alert = (objectId: string, n: number, programid = 1): TestAlert => ({
  ...{
    candid: BigInt(n) + 1_000n * BigInt(objectId.charCodeAt(0)),
    objectId,
    jd: START + n,
    ra: 10,
    dec: 20,
    programid,
  },
});
const of = ({ objectId, jd, candid }: TestAlert) => ({ objectId, jd, candid });

const told = (about: TestAlert, more: Partial<ToldCorrection> = {}): ToldCorrection => ({
  ...{ survey: "ZTF", ...of(about), programid: about.programid!, what: "FEATURES", step: "features", version: "2" },
  ...{ source: null, filter: null, scope: null, isShown: true, reads: [] },
  ...more,
});

export function correctionContract(open: (surveys: readonly SurveyDescription[]) => Promise<CorrectionArchive>): void {
  describe("corrections", () => {
    let stores: CorrectionArchive;
    let first: bigint;
    let late: bigint;

    async function write(alerts: readonly TestAlert[], survey = SURVEY): Promise<bigint> {
      const id = stores.batches.begin();
      await stores.alerts.write(id, testBatch(survey, alerts), testHashes(alerts), testLocations(alerts));
      await stores.batches.commit(id, { ...RECEIPT, survey: survey.id, stored: alerts.length });
      return id;
    }
    const objects = [..."abcdefghij"];
    const early = objects.flatMap((objectId) => [alert(objectId, 1), alert(objectId, 5), alert(objectId, 3, 2)]);
    const lateOnes = [alert("a", 2), alert("b", 4, 2), alert("c", 9), alert("z", 2)];

    beforeAll(async () => {
      stores = await open([SURVEY, OTHER]);
      first = await write(early);
      late = await write(lateOnes);
    });

    it("know which alerts are an object's latest of their programmes", async () => {
      const asked = [
        alert("a", 5),
        alert("a", 2),
        alert("a", 3, 2),
        alert("c", 5),
        alert("c", 9),
        alert("d", 1),
        alert("q", 1),
      ];
      const known = await stores.corrections.known("ZTF", asked.map(of));
      expect(known.map(({ candid, isLatest }) => [candid, isLatest])).toEqual(
        [
          [alert("d", 1), false],
          [alert("a", 2), false],
          [alert("a", 3, 2), true],
          [alert("a", 5), true],
          [alert("c", 5), false],
          [alert("c", 9), true],
        ].map(([one, isLatest]) => [(one as TestAlert).candid, isLatest]),
      );
    });

    it("have numbers in the order of their batches once somebody numbers, and are told to whom they concern", async () => {
      const [one, other] = [stores.batches.begin(), stores.batches.begin()];
      await stores.corrections.tell(other, [
        told(alert("c", 9), { what: "MARKS", source: "watch.mine", scope: "owner" }),
      ]);
      const own = [told(alert("a", 5)), told(alert("b", 3, 2), { source: "match.x", what: "MATCHES" })];
      // Told again, as after a crash; and what only filters are run over again for.
      for (let n = 0; n < 2; n++) await stores.corrections.tell(one, own);
      await stores.corrections.tell(one, [told(alert("d", 5), { isShown: false, reads: ["feature"] })]);
      expect(await stores.corrections.number()).toBe(false);
      await stores.sequence.begin(0);
      expect(await stores.corrections.number()).toBe(true);
      expect(await stores.corrections.number()).toBe(false);
      expect(await stores.corrections.lastSeq()).toBe(3n);
      expect(await stores.corrections.seqsAfter(1n, 5)).toEqual([2n, 3n]);

      const page = async (
        viewer: Viewer,
        where: Partial<CorrectionConditions> = {},
        after = 0n,
        upTo: bigint | null = null,
      ) =>
        (await stores.corrections.page(viewer, { ...ANY_CORRECTION, ...where }, 10, after, upTo)).map(({ seq }) => seq);
      const all = await stores.corrections.page(owner, ANY_CORRECTION, 10, 0n, null);
      expect(all.map(({ seq, toldAt: _, ...one }) => one)).toEqual(
        [
          told(alert("b", 3, 2), { source: "match.x", what: "MATCHES" }),
          own[0]!,
          told(alert("c", 9), { what: "MARKS", source: "watch.mine", scope: "owner" }),
        ].map(({ isShown: _, reads: __, ...one }) => one),
      );
      expect(await page(owner, {}, 1n, 2n)).toEqual([2n]);
      expect(await page(everybody)).toEqual([2n]);
      expect(await page(owner, { objectIds: ["a", "c"] })).toEqual([2n, 3n]);
      expect(await page(owner, { what: ["MATCHES"] })).toEqual([1n]);

      const marks = testBatch(SURVEY, [alert("a", 5)]).alerts.columns;
      const columns = new Map([..."jd candid objectId".split(" ")].map((name) => [name, marks.get(name)!]));
      const kept = new Map(columns).set("content", { type: "String", values: ["list"], nulls: null });
      await stores.marks.marked.write("ZTF", stores.batches.begin(), { rows: 1, columns: kept });
      const watched = { content: "list", operand: "watch.mine" };
      expect(await page(owner, { watched })).toEqual([2n, 3n]);
      expect(await page(owner, { watched: { ...watched, operand: "watch.other" } })).toEqual([2n]);
    });

    it("leave batches to be checked, until they have been", async () => {
      const batch = stores.batches.begin();
      const reads = ["feature", "match.x"];
      await stores.corrections.tell(batch, [
        told(alert("e", 5), { reads }),
        told(alert("e", 1), { reads, source: "late" }),
        told(alert("f", 5), { reads: ["feature"], source: "watch.mine", scope: "owner" }),
      ]);
      const pending = await stores.hitChecks.pending(10);
      expect(pending.at(-1)).toBe(batch);
      expect(await stores.hitChecks.pending(10, Date.now() + 3_600_000)).toEqual([]);
      const alerts = await stores.hitChecks.alerts(batch);
      expect(alerts.map((one) => [one.candid, one.reads, one.source])).toEqual([
        [alert("f", 5).candid, ["feature"], null],
        [alert("e", 1).candid, reads, "late"],
        [alert("e", 5).candid, reads, null],
      ]);
      for (const one of pending) await stores.hitChecks.checked(one);
      expect(await stores.hitChecks.pending(10)).toEqual([]);
      const taken = await stores.hitChecks.takenAt("ZTF", [alert("a", 1).candid, alert("a", 2).candid, 1n]);
      expect(taken).toEqual(
        new Map([
          [alert("a", 1).candid, Number(first >> 20n)],
          [alert("a", 2).candid, Number(late >> 20n)],
        ]),
      );
    });

    it("find hits, numbered or not, and what became of them last", async () => {
      const about = [alert("a", 1), alert("b", 1)];
      const hit = (n: number, filterVersion: number) => ({
        ...{ filterId: "f", filterVersion, survey: "ZTF", annotations: null, passedAt: 5, programid: 1 },
        ...of(about[n]!),
      });
      await stores.hits.found(first, [hit(0, 2), hit(1, 3)]);
      const standing = async () => {
        const candids = about.map(({ candid }) => candid);
        const found = await stores.hitChecks.hits("ZTF", candids, ["f", "g"]);
        return found.map(({ candid, hitVersion }) => [candid, hitVersion]).sort();
      };
      const expected = [2, 3].map((version, n) => [about[n]!.candid, version]);
      expect(await standing()).toEqual(expected);
      await stores.sequence.number([first, late], new Map());
      expect(await standing()).toEqual(expected);
      const key = ({ filterId, filterVersion, survey, candid }: HitKey): HitKey => ({
        filterId,
        filterVersion,
        survey,
        candid,
      });
      const changes = [
        { ...key(hit(0, 2)), isWithdrawn: true, changedAt: 1_000, because: "features" },
        { ...key(hit(0, 2)), isWithdrawn: false, changedAt: 2_000, because: "features again" },
        { ...key(hit(1, 3)), isWithdrawn: true, changedAt: 3_000, because: "matches" },
      ];
      for (const change of changes) await stores.hitChecks.saveChanges([change]);
      expect(await stores.hitChecks.changes([hit(0, 2), hit(1, 3), hit(1, 4)].map(key))).toEqual(changes.slice(1));
    });

    it("find alerts that came after later ones of their object", async () => {
      const commits = await stores.arrivals.commits(0, 10);
      expect(commits.map(({ batch }) => batch)).toEqual([first, late]);
      expect(await stores.arrivals.arrivals([late, first])).toEqual([
        { batch: late, survey: "ZTF", minJd: START + 2, maxJd: START + 9 },
        { batch: first, survey: "ZTF", minJd: START + 1, maxJd: START + 5 },
      ]);
      expect(await stores.arrivals.latestJd("ZTF")).toBe(START + 9);
      const found = await stores.arrivals.late("ZTF", late, START + 5);
      expect(found.map(({ candid, later }) => [candid, later.map((one) => one.candid)])).toEqual([
        [alert("a", 2).candid, [alert("a", 3, 2).candid, alert("a", 5).candid]],
        [alert("b", 4, 2).candid, [alert("b", 5).candid]],
      ]);
      const about = { what: "PHOTOMETRY", source: String(alert("a", 2).candid) } as const;
      await stores.corrections.tell(stores.batches.begin(), [told(alert("a", 5), about)]);
      expect(await stores.arrivals.told("ZTF", [alert("a", 2).candid, alert("b", 4).candid], 0)).toEqual(
        new Set([alert("a", 2).candid]),
      );
      expect(await stores.arrivals.progress("late")).toBeNull();
      for (const at of [5, 7]) await stores.arrivals.saveProgress("late", at);
      expect(await stores.arrivals.progress("late")).toBe(7);
    });

    it("find another survey's alerts near objects of which packets came late", async () => {
      const at = (objectId: string, n: number, ra: number, dec: number, programid = 1) => ({
        ...{ ...alert(objectId, n, programid), ra, dec },
      });
      const arcsec = 1 / 3600;
      const places = { p: [50, 0], q: [50, 5 * arcsec], r: [360 - arcsec / 2, -30], s: [70, 90 - arcsec / 2] } as const;
      const near = Object.entries(places).flatMap(([id, [ra, dec]]) => [1, 2, 3].map((n) => at(id, n, ra, dec)));
      await write(near);
      const since = Number(stores.batches.begin() >> 20n) + 1;
      await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(since);
      await write([at("p", 6, 50, 0)]);
      const others = [
        // It was at p, and is somewhere else now.
        ...[at("A", 1, 50, arcsec), at("A", 2, 50.1, 0)],
        ...[at("B", 3, arcsec / 2, -30), at("C", 2, 250, 90 - arcsec / 2), at("D", 2, 80, 0)],
        // Nobody else may know that it was at q.
        ...[at("E", 2, 50, 5 * arcsec, 2), at("E", 3, 90, 0)],
      ];
      const batch = await write(others, OTHER);
      const [arrival] = await stores.arrivals.arrivals([batch]);
      const objects = await stores.arrivals.objectsIn(arrival!, [1], START + 3);
      expect(objects).toEqual([..."ACD"].map((objectId) => ({ objectId, jd: START + (objectId === "A" ? 1 : 2) })));
      const found = async (from: typeof objects, takenSince: number) => {
        const other = { survey: "LSST", publicProgramids: [1], radiusArcsec: 1.5 };
        const alerts = await stores.arrivals.alertsNear("ZTF", other, from, takenSince);
        return alerts.map(({ objectId, jd }) => `${objectId}${jd - START}`).sort();
      };
      const all = await stores.arrivals.objectsIn(arrival!, [1], START + 10);
      expect(await found(all, 0)).toEqual(["p1", "p2", "p3", "p6", "r3", "s2", "s3"]);
      expect(await found(all, since)).toEqual(["p6"]);
      expect(await found([{ objectId: "A", jd: START + 2.5 }], 0)).toEqual(["p3", "p6"]);
      expect(await found([], 0)).toEqual([]);
    });
  });
}
