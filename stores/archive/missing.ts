// MissingStore on ClickHouse. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import {
  boundedMissing,
  type MissingCode,
  type MissingStep,
  type MissingValues,
  READ_ANEW,
} from "../../domain/missing.js";
import { takeRows } from "../../domain/rows.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { MissingBatch, MissingCount, MissingStore } from "../missing.store.js";
import { begunAt } from "./batches.time.js";
import { bigints, blockOf, counts, eachRow, numbers, signed, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import type { CommittedBatches } from "./committed.js";
import { REMADE } from "./remade.js";
import { visibleIn } from "./visibility.js";

const MOST = 1_000;
/** The last row of each: filled in, or not. */
const LATEST = "ORDER BY batch, step, part, filledAt DESC LIMIT 1 BY batch, step, part";
const COMMITTED = "batch GLOBAL IN (SELECT batch FROM batches)";

export class ArchiveMissing implements MissingStore {
  constructor(
    private readonly client: ArchiveClient,
    private readonly committed: CommittedBatches,
  ) {}

  async add(batchId: bigint, survey: Survey, alerts: number, missing: readonly MissingStep[]): Promise<void> {
    const kept = boundedMissing(missing);
    const now = Date.now();
    const times = (of: (one: MissingStep) => number) => signed(BigInt64Array.from(kept, (one) => BigInt(of(one))));
    await this.client.insert(
      "missing_values",
      blockOf(kept.length, {
        batch: unsigned(new BigUint64Array(kept.length).fill(batchId)),
        step: texts(kept.map(({ step }) => step)),
        part: texts(kept.map(({ part }) => part ?? "")),
        survey: texts(kept.map(() => survey)),
        alerts: counts(new Uint32Array(kept.length).fill(alerts)),
        code: texts(kept.map(({ code }) => code)),
        reason: texts(kept.map(({ reason }) => reason)),
        since: times(() => now),
        filledAt: times(({ step }) => (READ_ANEW.has(step) ? now : 0)),
      }),
    );
  }

  async ofAlerts(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, MissingValues[]>> {
    const visible = visibleIn(viewer, survey);
    if (visible === null || candids.length === 0) return new Map();
    const asked = { survey, candids };
    const takenIn = await this.client.query(
      `SELECT candid, batch FROM alert_index
      WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)} AND ${visible.sql} ORDER BY candid, batch`,
      { ...visible.parameters, ...asked },
    );
    const [candid, batch] = [bigints(takenIn, "candid"), bigints(takenIn, "batch")];
    const missing = await this.#ofBatches([...new Set(batch)]);
    if (missing.size === 0) return new Map();
    const complete = await this.committed.among(batch);
    const found = new Map<bigint, MissingValues[]>();
    // An alert is what its last complete batch made of it.
    for (let row = 0; row < takenIn.rows; row++) {
      if (complete.has(batch[row]!)) found.set(candid[row]!, missing.get(batch[row]!) ?? []);
    }
    for (const [id, lacks] of found) if (lacks.length === 0) found.delete(id);
    return this.#withRemade(survey, found);
  }

  async open(step: string): Promise<MissingBatch[]> {
    const block = await this.client.query(
      `SELECT batch, step, part, survey, alerts FROM (
        SELECT * FROM missing_values WHERE step = {step:String} ${LATEST}
      ) WHERE filledAt = 0 AND ${COMMITTED} ORDER BY batch, part LIMIT ${MOST}`,
      { step },
    );
    const [batchId, alerts] = [bigints(block, "batch"), numbers(block, "alerts")];
    const [survey, part] = [strings(block, "survey"), strings(block, "part")];
    return eachRow(block, (row) => {
      return {
        ...{ batchId: batchId[row]!, survey: survey[row]!, step },
        ...{ part: part[row] || null, alerts: alerts[row]! },
      };
    });
  }

  async alertsOf({ batchId, survey, step }: MissingBatch): Promise<{ seen: number; alerts: Block }> {
    const own = `SELECT jd, candid FROM alert_index WHERE survey = {survey:String} AND batch = {batchId:UInt64}`;
    const alerts = await this.client.query(
      `SELECT objectId, jd, candid, programid, ra, dec FROM object_alerts
      WHERE survey = {survey:String} AND (jd, candid) IN (${own})
        AND objectId IN (SELECT objectId FROM alert_index AS i WHERE survey = {survey:String} AND batch = {batchId:UInt64})
      ORDER BY jd, candid LIMIT 1 BY jd, candid`,
      { survey, batchId },
    );
    const table = REMADE.get(step)?.(survey);
    if (table === undefined || alerts.rows === 0) return { seen: alerts.rows, alerts };
    const candid = bigints(alerts, "candid");
    const made = await this.#madeIn(table, survey, Array.from(candid));
    const lacking = Uint32Array.from(candid.keys()).filter((row) => !made.has(candid[row]!));
    return { seen: alerts.rows, alerts: takeRows(alerts, lacking) };
  }

  async filled({ batchId, step, part }: MissingBatch): Promise<void> {
    const block = await this.client.query(
      `SELECT * FROM missing_values
      WHERE batch = {batchId:UInt64} AND step = {step:String} AND part = {part:String} ${LATEST}`,
      { batchId, step, part: part ?? "" },
    );
    if (block.rows === 0) return;
    const columns = new Map(block.columns).set("filledAt", signed(BigInt64Array.of(BigInt(Date.now()))));
    await this.client.insert("missing_values", { ...block, columns });
  }

  async counts(): Promise<MissingCount[]> {
    const block = await this.client.query(
      `SELECT survey, step, part, code, reason, toFloat64(count()) AS batches, toFloat64(sum(alerts)) AS missed,
        toFloat64(min(since)) AS first, toFloat64(max(since)) AS last
      FROM (SELECT * FROM missing_values ${LATEST}) WHERE filledAt = 0 AND ${COMMITTED}
      GROUP BY survey, step, part, code, reason ORDER BY last DESC, step, part LIMIT ${MOST}`,
    );
    const text = (name: string) => strings(block, name);
    const [survey, step, part, code, reason] = ["survey", "step", "part", "code", "reason"].map(text);
    const [batches, missed, first, last] = ["batches", "missed", "first", "last"].map((name) => numbers(block, name));
    return eachRow(block, (row) => ({
      ...{ survey: survey![row]!, step: step![row]!, part: part![row] || null },
      ...{ code: code![row] as MissingCode, reason: reason![row]! },
      ...{ batches: batches![row]!, alerts: missed![row]!, first: first![row]!, last: last![row]! },
    }));
  }

  async #ofBatches(batches: readonly bigint[]): Promise<Map<bigint, MissingValues[]>> {
    const found = new Map<bigint, MissingValues[]>();
    if (batches.length === 0) return found;
    const block = await this.client.query(
      `SELECT batch, step, part, code, reason, since, filledAt FROM missing_values
      WHERE batch IN {batches:Array(UInt64)} ${LATEST}`,
      { batches },
    );
    const [batch, since, filledAt] = [bigints(block, "batch"), bigints(block, "since"), bigints(block, "filledAt")];
    const text = (name: string) => strings(block, name);
    const [step, part, code, reason] = ["step", "part", "code", "reason"].map(text);
    for (let row = 0; row < block.rows; row++) {
      const own = found.get(batch[row]!) ?? [];
      found.set(batch[row]!, own);
      own.push({
        ...{ step: step![row]!, part: part![row] || null, code: code![row] as MissingCode, reason: reason![row]! },
        since: Number(since[row]),
        filledAt: filledAt[row] === 0n ? null : Number(filledAt[row]),
      });
    }
    return found;
  }

  /** Of what is made anew alert by alert the values that are there tell it. */
  async #withRemade(survey: Survey, found: Map<bigint, MissingValues[]>): Promise<Map<bigint, MissingValues[]>> {
    for (const [step, tableOf] of REMADE) {
      const candids = [...found].filter(([, own]) => own.some((one) => one.step === step)).map(([id]) => id);
      for (const [candid, batch] of await this.#madeIn(tableOf(survey), survey, candids)) {
        const filledAt = begunAt(batch);
        const own = found.get(candid)!.map((one) => (one.step === step ? { ...one, filledAt } : one));
        found.set(candid, own);
      }
    }
    return found;
  }

  /** Candid → the batch that made the values of those that have some. */
  async #madeIn(table: string, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, bigint>> {
    if (candids.length === 0) return new Map();
    const block = await this.client.query(
      `SELECT candid, max(batch) AS made FROM ${table} WHERE (jd, candid) IN (
        SELECT jd, candid FROM alert_index WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)}
      ) GROUP BY candid`,
      { survey, candids },
    );
    const [candid, made] = [bigints(block, "candid"), bigints(block, "made")];
    return new Map(eachRow(block, (row) => [candid[row]!, made[row]!]));
  }
}
