// StaleStore on ClickHouse. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { StaleStore, StaleValues } from "../stale.store.js";
import { eachRow, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { REMADE } from "./remade.js";
import { visibleIn } from "./visibility.js";

export class ArchiveStale implements StaleStore {
  constructor(private readonly client: ArchiveClient) {}

  async scores(
    viewer: Viewer,
    survey: Survey,
    { name, version }: { readonly name: string; readonly version: string },
    first: number,
    after: string | null,
  ): Promise<StaleValues[]> {
    const visible = visibleIn(viewer, survey);
    if (visible === null) return [];
    const own = `survey = {survey:String} AND model = {name:String} AND NOT shadow AND ${visible.sql}`;
    // Of what an old version has scored: few, as a rule.
    const block = await this.client.query(
      `SELECT objectId, argMaxIf(version, (jd, candid, batch), version != {version:String}) AS madeBy
      FROM scores WHERE ${own} AND objectId IN (
        SELECT objectId FROM scores AS old WHERE ${own} AND version != {version:String} AND objectId > {after:String}
      ) GROUP BY objectId
      HAVING maxIf((jd, candid), version = {version:String}) < max((jd, candid)) ORDER BY objectId LIMIT {first:UInt32}`,
      { ...visible.parameters, survey, name, version, first, after: after ?? "" },
    );
    return staleOf(block);
  }

  async matches(
    viewer: Viewer,
    survey: Survey,
    { name, revision }: { readonly name: string; readonly revision: number },
    first: number,
    after: string | null,
  ): Promise<StaleValues[]> {
    const visible = visibleIn(viewer, survey);
    if (visible === null) return [];
    const own = "survey = {survey:String} AND catalog = {name:String}";
    const old = `SELECT objectId FROM matches AS old
      WHERE ${own} AND revision != {revision:UInt64} AND objectId > {after:String}`;
    // The table of matches does not know whose its alerts are.
    const seen =
      visible.sql === "1"
        ? "1"
        : `(jd, candid) IN (SELECT jd, candid FROM object_alerts AS seen
          WHERE survey = {survey:String} AND ${visible.sql} AND objectId IN (${old}))`;
    const block = await this.client.query(
      `SELECT objectId, argMax(revision, (jd, candid, batch)) AS made, toString(made) AS madeBy FROM matches
      WHERE ${own} AND objectId IN (${old}) AND ${seen}
      GROUP BY objectId HAVING made != {revision:UInt64} ORDER BY objectId LIMIT {first:UInt32}`,
      { ...visible.parameters, survey, name, revision: BigInt(revision), first, after: after ?? "" },
    );
    return staleOf(block);
  }

  async missing(
    viewer: Viewer,
    survey: Survey,
    { step, part }: { readonly step: string; readonly part: string | null },
    first: number,
    after: string | null,
  ): Promise<string[]> {
    const visible = visibleIn(viewer, survey);
    if (visible === null) return [];
    const open = `SELECT batch FROM missing_values AS open
      WHERE survey = {survey:String} AND step = {step:String} AND part IN ('', {part:String})
      GROUP BY batch, step, part HAVING max(filledAt) = 0`;
    const lacking = (alias: string, columns: string) =>
      `SELECT ${columns} FROM alert_index AS ${alias} WHERE survey = {survey:String}
      AND batch GLOBAL IN (${open}) AND batch GLOBAL IN (SELECT batch FROM batches)`;
    const table = REMADE.get(step)?.(survey);
    const made = `SELECT jd, candid FROM ${table} AS made WHERE (jd, candid) IN (${lacking("found", "jd, candid")})`;
    const since = table === undefined ? "" : `AND (jd, candid) NOT IN (${made})`;
    const block = await this.client.query(
      `SELECT objectId, argMax((jd, candid) IN (${lacking("lacking", "jd, candid")} ${since}), (jd, candid)) AS lacks
      FROM object_alerts
      WHERE survey = {survey:String} AND ${visible.sql} AND objectId > {after:String}
        AND objectId IN (${lacking("objects", "objectId")})
      GROUP BY objectId HAVING lacks = 1 ORDER BY objectId LIMIT {first:UInt32}`,
      { ...visible.parameters, survey, step, part: part ?? "", first, after: after ?? "" },
    );
    return [...strings(block, "objectId")];
  }
}

function staleOf(block: Block): StaleValues[] {
  const [objectId, madeBy] = [strings(block, "objectId"), strings(block, "madeBy")];
  return eachRow(block, (row) => ({ objectId: objectId[row]!, madeBy: madeBy[row]! }));
}
