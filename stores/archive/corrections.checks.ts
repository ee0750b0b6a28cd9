// HitCheckStore on ClickHouse: corrected alerts over which filters are run again, and what became of their hits. Made by stores.ts.
import type { Corrected } from "../../domain/correction.js";
import type { Survey } from "../../domain/survey.js";
import type { AlertToCheck, HitChange, HitCheckStore, HitKey, Standing } from "../corrections.store.js";
import { idAt } from "./batches.js";
import { bigints, blockOf, counts, eachRow, numbers, signed, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

export class ArchiveHitChecks implements HitCheckStore {
  constructor(private readonly client: ArchiveClient) {}

  async pending(first: number, since = 0): Promise<bigint[]> {
    const block = await this.client.query(
      `SELECT DISTINCT batch FROM corrections_told
      WHERE batch >= {from:UInt64} AND reads != ''
        AND batch NOT IN (SELECT batch FROM corrections_checked AS checked WHERE batch >= {from:UInt64})
      ORDER BY batch LIMIT {first:UInt32}`,
      { from: idAt(since), first },
    );
    return Array.from(bigints(block, "batch"));
  }

  async alerts(batchId: bigint): Promise<AlertToCheck[]> {
    const block = await this.client.query(
      `SELECT survey, objectId, jd, candid, programid, reads, what, if(scope = '', source, '') AS known FROM corrections_told
      WHERE batch = {batchId:UInt64} AND reads != ''
      ORDER BY survey, reads, jd, candid LIMIT 1 BY survey, reads, jd, candid`,
      { batchId },
    );
    const text = (name: string) => strings(block, name);
    const [survey, objectId, reads] = [text("survey"), text("objectId"), text("reads")];
    const [what, source] = [text("what"), text("known")];
    const [jd, candid, programid] = [numbers(block, "jd"), bigints(block, "candid"), numbers(block, "programid")];
    return eachRow(block, (row) => ({
      survey: survey[row]!,
      objectId: objectId[row]!,
      jd: jd[row]!,
      candid: candid[row]!,
      programid: programid[row]!,
      reads: reads[row]!.split(" "),
      what: what[row] as Corrected,
      source: source[row]! || null,
    }));
  }

  async checked(batchId: bigint): Promise<void> {
    await this.client.insert("corrections_checked", blockOf(1, { batch: unsigned(BigUint64Array.of(batchId)) }));
  }

  async takenAt(survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, number>> {
    if (candids.length === 0) return new Map();
    const block = await this.client.query(
      `SELECT candid, toInt64(bitShiftRight(min(batch), 20)) AS takenAt FROM alert_index
      WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)} GROUP BY candid`,
      { survey, candids },
    );
    const takenAt = bigints(block, "takenAt");
    return new Map(Array.from(bigints(block, "candid"), (candid, row) => [candid, Number(takenAt[row])]));
  }

  async hits(survey: Survey, candids: readonly bigint[], filterIds: readonly string[]): Promise<Standing[]> {
    if (candids.length === 0 || filterIds.length === 0) return [];
    const own =
      "survey = {survey:String} AND candid IN {candids:Array(Int64)} AND filterId IN {filterIds:Array(String)}";
    const block = await this.client.query(
      `SELECT candid, filterId, max(filterVersion) AS filterVersion FROM (
        SELECT candid, filterId, filterVersion FROM hits WHERE ${own}
        UNION ALL
        SELECT candid, filterId, filterVersion FROM hits_found WHERE ${own} AND batch GLOBAL IN (
          SELECT batch FROM alert_index AS taken WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)}
        )
      ) GROUP BY candid, filterId`,
      { survey, candids, filterIds },
    );
    const [candid, filterId] = [bigints(block, "candid"), strings(block, "filterId")];
    const hitVersion = numbers(block, "filterVersion");
    return eachRow(block, (row) => ({
      ...{ candid: candid[row]!, filterId: filterId[row]!, hitVersion: hitVersion[row]! },
    }));
  }

  async changes(hits: readonly HitKey[]): Promise<HitChange[]> {
    if (hits.length === 0) return [];
    const asked = blockOf(hits.length, {
      survey: texts(hits.map(({ survey }) => survey)),
      candid: signed(BigInt64Array.from(hits, ({ candid }) => candid)),
      filterId: texts(hits.map(({ filterId }) => filterId)),
      filterVersion: counts(Uint32Array.from(hits, ({ filterVersion }) => filterVersion)),
    });
    const key = "survey, candid, filterId, filterVersion";
    const block = await this.client.query(
      `SELECT ${key}, isWithdrawn, changedAt, because FROM hit_changes
      WHERE (${key}) IN (SELECT ${key} FROM asked) ORDER BY ${key}, changedAt DESC LIMIT 1 BY ${key}`,
      {},
      { external: [{ name: "asked", block: asked }] },
    );
    const [survey, filterId, because] = [
      strings(block, "survey"),
      strings(block, "filterId"),
      strings(block, "because"),
    ];
    const [candid, changedAt] = [bigints(block, "candid"), bigints(block, "changedAt")];
    const [filterVersion, isWithdrawn] = [numbers(block, "filterVersion"), numbers(block, "isWithdrawn")];
    return eachRow(block, (row) => ({
      ...{ survey: survey[row]!, candid: candid[row]!, filterId: filterId[row]!, filterVersion: filterVersion[row]! },
      ...{ isWithdrawn: isWithdrawn[row] === 1, changedAt: Number(changedAt[row]), because: because[row]! },
    }));
  }

  async saveChanges(changes: readonly HitChange[]): Promise<void> {
    if (changes.length === 0) return;
    const block = blockOf(changes.length, {
      survey: texts(changes.map(({ survey }) => survey)),
      candid: signed(BigInt64Array.from(changes, ({ candid }) => candid)),
      filterId: texts(changes.map(({ filterId }) => filterId)),
      filterVersion: counts(Uint32Array.from(changes, ({ filterVersion }) => filterVersion)),
      changedAt: signed(BigInt64Array.from(changes, ({ changedAt }) => BigInt(changedAt))),
      isWithdrawn: {
        type: "Bool",
        values: Uint8Array.from(changes, ({ isWithdrawn }) => Number(isWithdrawn)),
        nulls: null,
      },
      because: texts(changes.map(({ because }) => because)),
    });
    await this.client.insert("hit_changes", block);
  }
}
