// ArrivalStore on ClickHouse: in which order alerts came, beside the order of their times. Made by stores.ts.
import type { Survey } from "../../domain/survey.js";
import type { Arrival, ArrivalStore, Commit, CorrectedAlert, LateAlert, LateObject } from "../corrections.store.js";
import type { OtherSurvey } from "../counterparts.store.js";
import { alertTableName } from "./alerts.table.js";
import { idAt } from "./batches.js";
import { bigints, blockOf, eachRow, numbers, signed, strings, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { alertsNear, takenFrom } from "./corrections.near.js";
import { IN_TIME } from "./pages.js";

/** A batch is committed so long after it began at most, or it is taken in again as another one. */
const OPEN_MS = 30 * 60_000;

export class ArchiveArrivals implements ArrivalStore {
  constructor(private readonly client: ArchiveClient) {}

  async commits(since: number, first: number): Promise<Commit[]> {
    const block = await this.client.query(
      `SELECT batch, committedAt FROM batches
      WHERE batch >= {floor:UInt64} AND committedAt >= {since:Int64} AND stored > 0
      ORDER BY committedAt, batch LIMIT 1 BY batch LIMIT {first:UInt32}`,
      { floor: idAt(since - OPEN_MS), since: BigInt(since), first },
    );
    const [batch, committedAt] = [bigints(block, "batch"), bigints(block, "committedAt")];
    return eachRow(block, (row) => ({ batch: batch[row]!, committedAt: Number(committedAt[row]) }));
  }

  async arrivals(batches: readonly bigint[]): Promise<Arrival[]> {
    if (batches.length === 0) return [];
    const block = await this.client.query(
      `SELECT batch, any(survey) AS survey, min(jd) AS minJd, max(jd) AS maxJd FROM alert_index
      WHERE batch IN {batches:Array(UInt64)} GROUP BY batch`,
      { batches },
    );
    const [survey, batch] = [strings(block, "survey"), bigints(block, "batch")];
    const [minJd, maxJd] = [numbers(block, "minJd"), numbers(block, "maxJd")];
    const found = eachRow(block, (row) => ({
      ...{ batch: batch[row]!, survey: survey[row]!, minJd: minJd[row]!, maxJd: maxJd[row]! },
    }));
    return found.sort((a, b) => batches.indexOf(a.batch) - batches.indexOf(b.batch));
  }

  async latestJd(survey: Survey): Promise<number | null> {
    const block = await this.client.query(
      // NULLS FIRST: as the table's order is read backwards.
      `SELECT jd FROM ${alertTableName(survey)} ORDER BY jd DESC NULLS FIRST LIMIT 1 ${IN_TIME}`,
    );
    return numbers(block, "jd")[0] ?? null;
  }

  async late(survey: Survey, batch: bigint, beforeJd: number): Promise<LateAlert[]> {
    const suspects = alertsOf(
      await this.client.query(
        `SELECT objectId, jd, candid, programid FROM alert_index
        WHERE survey = {survey:String} AND batch = {batch:UInt64} AND jd < {beforeJd:Float64}
        ORDER BY jd, candid LIMIT 1 BY candid`,
        { survey, batch, beforeJd },
      ),
    );
    if (suspects.length === 0) return [];
    const asked = blockOf(suspects.length, { objectId: texts(suspects.map(({ objectId }) => objectId)) });
    const fromJd = suspects[0]!.jd;
    const others = await this.client.query(
      `SELECT objectId, jd, candid, programid FROM object_alerts
      WHERE survey = {survey:String} AND objectId GLOBAL IN (SELECT objectId FROM asked) AND jd > {fromJd:Float64}
      ORDER BY jd, candid LIMIT 1 BY objectId, jd, candid`,
      { survey, fromJd },
      { external: [{ name: "asked", block: asked }] },
    );
    const known = alertsOf(others);
    const before = await this.#takenBefore(survey, batch, known);
    const earlier = known.filter(({ candid }) => before.has(candid));
    return suspects.flatMap((alert) => {
      const later = earlier.filter(({ objectId, jd }) => objectId === alert.objectId && jd > alert.jd);
      return later.length === 0 ? [] : [{ ...alert, later }];
    });
  }

  /** Those that an earlier batch took in. */
  async #takenBefore(survey: Survey, batch: bigint, alerts: readonly { candid: bigint }[]): Promise<Set<bigint>> {
    if (alerts.length === 0) return new Set();
    const asked = blockOf(alerts.length, { candid: signed(BigInt64Array.from(alerts, ({ candid }) => candid)) });
    const block = await this.client.query(
      `SELECT DISTINCT candid FROM alert_index
      WHERE survey = {survey:String} AND candid GLOBAL IN (SELECT candid FROM asked) AND batch < {batch:UInt64}`,
      { survey, batch },
      { external: [{ name: "asked", block: asked }] },
    );
    return new Set(bigints(block, "candid"));
  }

  async objectsIn({ survey, batch }: Arrival, programids: readonly number[], beforeJd: number): Promise<LateObject[]> {
    const block = await this.client.query(
      `SELECT objectId, min(jd) AS earliest FROM alert_index
      WHERE survey = {survey:String} AND batch = {batch:UInt64} AND programid IN {programids:Array(Int32)}
        AND jd < {beforeJd:Float64}
      GROUP BY objectId ORDER BY objectId`,
      { survey, batch, programids, beforeJd },
    );
    const [objectId, earliest] = [strings(block, "objectId"), numbers(block, "earliest")];
    return eachRow(block, (row) => ({ objectId: objectId[row]!, jd: earliest[row]! }));
  }

  async alertsNear(
    survey: Survey,
    other: OtherSurvey,
    objects: readonly LateObject[],
    takenSince: number,
  ): Promise<CorrectedAlert[]> {
    const near = objects.length === 0 ? [] : await alertsNear(this.client, survey, other, objects);
    return takenFrom(this.client, survey, idAt(takenSince), near);
  }

  async told(survey: Survey, candids: readonly bigint[], since: number): Promise<Set<bigint>> {
    const block = await this.client.query(
      `SELECT DISTINCT source FROM corrections_told
      WHERE batch >= {from:UInt64} AND survey = {survey:String} AND what = 'PHOTOMETRY' AND source IN {sources:Array(String)}`,
      { from: idAt(since), survey, sources: candids.map(String) },
    );
    return new Set(strings(block, "source").map(BigInt));
  }

  async progress(work: string): Promise<number | null> {
    const block = await this.client.query(
      "SELECT at FROM corrections_progress WHERE work = {work:String} ORDER BY savedAt DESC LIMIT 1",
      { work },
    );
    return block.rows === 0 ? null : Number(bigints(block, "at")[0]);
  }

  async saveProgress(work: string, at: number): Promise<void> {
    const row = {
      work: texts([work]),
      at: signed(BigInt64Array.of(BigInt(at))),
      savedAt: signed(BigInt64Array.of(BigInt(Date.now()))),
    };
    await this.client.insert("corrections_progress", blockOf(1, row));
  }
}

function alertsOf(block: Parameters<typeof strings>[0]) {
  const [objectId, candid] = [strings(block, "objectId"), bigints(block, "candid")];
  const [jd, programid] = [numbers(block, "jd"), numbers(block, "programid")];
  return eachRow(block, (row) => ({
    ...{ objectId: objectId[row]!, jd: jd[row]!, candid: candid[row]!, programid: programid[row]! },
  }));
}
