// Pages of alerts, newest first. Called by alerts.ts.
import type { Alert } from "../../domain/alert.js";
import type { Block } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import type { AlertConditions, AlertKey } from "../alerts.store.js";
import { newestPage } from "./alerts.orders.js";
import { ALERT_COLUMNS, alertsOf } from "./alerts.rows.js";
import type { AlertTable } from "./alerts.table.js";
import { bigints } from "./blocks.js";
import type { ArchiveClient, Parameter } from "./client.js";
import { cellClause, SEPARATION } from "./cones.js";
import type { Visible } from "./visibility.js";

export interface Where {
  readonly clauses: string[];
  readonly parameters: Record<string, Parameter>;
}

/** Order of pages over all surveys: jd and candid descending, then survey. */
export function newestFirst(a: AlertKey, b: AlertKey): number {
  if (a.jd !== b.jd) return b.jd - a.jd;
  if (a.candid !== b.candid) return a.candid < b.candid ? 1 : -1;
  return a.survey < b.survey ? -1 : a.survey > b.survey ? 1 : 0;
}

/** A page of one survey's alerts. */
export async function surveyPage(
  client: ArchiveClient,
  table: AlertTable,
  visible: Visible,
  where: AlertConditions,
  first: number,
  after: AlertKey | null,
): Promise<Alert[]> {
  // These hold for the small table of an object's alerts as well as for the wide one.
  const keys: Where = { clauses: [visible.sql], parameters: { ...visible.parameters, first } };
  if (where.time !== undefined) {
    keys.clauses.push("jd >= {startJd:Float64}", "jd < {endJd:Float64}");
    Object.assign(keys.parameters, where.time);
  }
  addAfter(keys, table.survey, after);

  const { parameters } = keys;
  const clauses = [...keys.clauses, ...ownClauses(keys, where)];
  if (where.objectId !== undefined || where.cone !== undefined) {
    const narrowed = where.class !== undefined || where.solarSystemName !== undefined;
    clauses.push(`(jd, candid) IN (${placed(keys, table.survey, where, narrowed)})`);
  }
  const sql = `SELECT ${ALERT_COLUMNS}, batch FROM ${table.name} WHERE ${clauses.join(" AND ")}
    ORDER BY ${newestPage(where)}`;
  // Repeats are few and are left out here: with LIMIT 1 BY the engine reads several times as much of every column.
  for (let limit = first + 1; ; limit *= 2) {
    const block = await client.query(sql, { ...parameters, limit });
    const alerts = latestOfEach(block, alertsOf(table.survey, block));
    // Of the last alert more rows may follow.
    if (block.rows < limit || alerts.length > first) return alerts.slice(0, first);
  }
}

/** Rows lie beside each other that are one alert's: the one of the latest batch counts. */
function latestOfEach(block: Block, alerts: readonly Alert[]): Alert[] {
  const found: Alert[] = [];
  const batch = bigints(block, "batch");
  let latest = 0n;
  for (const [row, alert] of alerts.entries()) {
    const before = found.at(-1);
    const isRepeat = before?.candid === alert.candid && before.jd === alert.jd;
    if (isRepeat && batch[row]! < latest) continue;
    latest = batch[row]!;
    if (isRepeat) found[found.length - 1] = alert;
    else found.push(alert);
  }
  return found;
}

/** Clauses over a survey's table that choose its alerts by all but their time: for whoever adds time and rights. */
export function chosenAlerts(table: AlertTable, where: Omit<AlertConditions, "time">, after: AlertKey | null): Where {
  const keys: Where = { clauses: [], parameters: {} };
  addAfter(keys, table.survey, after);
  const clauses = [...keys.clauses, ...ownClauses(keys, where)];
  if (where.objectId !== undefined || where.cone !== undefined) {
    clauses.push(`(jd, candid) IN (${placed(keys, table.survey, where, true)})`);
  }
  return { clauses, parameters: keys.parameters };
}

/** A page for each object: the newest `first` of each after the key. */
export async function objectPages(
  client: ArchiveClient,
  table: AlertTable,
  visible: Visible,
  objectIds: readonly string[],
  first: number,
  after: AlertKey | null,
): Promise<Map<string, Alert[]>> {
  const keys: Where = {
    clauses: ["survey = {survey:String}", "objectId IN {objectIds:Array(String)}", visible.sql],
    parameters: { ...visible.parameters, survey: table.survey, objectIds, first },
  };
  addAfter(keys, table.survey, after);
  const block = await client.query(
    `SELECT ${ALERT_COLUMNS} FROM ${table.name} WHERE (jd, candid) IN (
      SELECT jd, candid FROM (SELECT DISTINCT objectId, jd, candid FROM object_alerts WHERE ${keys.clauses.join(" AND ")})
      ORDER BY jd DESC, candid DESC LIMIT {first:UInt32} BY objectId
    ) AND ${visible.sql}
    ORDER BY jd DESC, candid DESC, batch DESC LIMIT 1 BY jd, candid`,
    keys.parameters,
  );
  const pages = new Map<string, Alert[]>();
  for (const alert of alertsOf(table.survey, block)) {
    const page = pages.get(alert.objectId);
    if (page === undefined) pages.set(alert.objectId, [alert]);
    else page.push(alert);
  }
  return pages;
}

/** Conditions on columns of the wide table. Adds their values to the parameters. */
function ownClauses({ parameters }: Where, where: AlertConditions): string[] {
  const clauses: string[] = [];
  if (where.class !== undefined) {
    clauses.push("class = {class:String}");
    parameters.class = where.class;
  }
  if (where.solarSystemName !== undefined) {
    clauses.push("solarSystemName = {solarSystemName:String}");
    parameters.solarSystemName = where.solarSystemName;
  }
  return clauses;
}

function addAfter({ clauses, parameters }: Where, survey: Survey, after: AlertKey | null): void {
  if (after === null) return;
  // At equal (jd, candid) a survey that sorts behind the key's is still to come. The primary key understands jd alone.
  const under = survey > after.survey ? "<=" : "<";
  clauses.push("jd <= {afterJd:Float64}", `(jd < {afterJd:Float64} OR candid ${under} {afterCandid:Int64})`);
  parameters.afterJd = after.jd;
  parameters.afterCandid = after.candid;
}

/** Keys of the alerts of an object or within a cone, or both. Adds their values to the parameters. */
function placed(keys: Where, survey: Survey, where: AlertConditions, narrowed: boolean): string {
  const clauses = ["survey = {survey:String}", ...keys.clauses];
  keys.parameters.survey = survey;
  if (where.objectId !== undefined) {
    clauses.push("objectId = {objectId:String}");
    keys.parameters.objectId = where.objectId;
  }
  if (where.cone !== undefined) {
    const cells = cellClause(where.cone);
    Object.assign(keys.parameters, cells.parameters);
    clauses.push(
      `objectId IN (SELECT objectId FROM positions AS near WHERE ${cells.sql} AND survey = {survey:String})`,
      `${SEPARATION} <= {radiusArcsec:Float64}`,
    );
  }
  // Where no other condition follows, the newest of these keys are the page.
  const limit = narrowed ? "" : " ORDER BY jd DESC, candid DESC LIMIT {first:UInt32}";
  // The aliases are for clusters: the older planner asks for them where a sub-query is each shard's own.
  return `SELECT DISTINCT jd, candid FROM object_alerts AS placed WHERE ${clauses.join(" AND ")}${limit}`;
}
