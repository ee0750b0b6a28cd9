// FeatureStore on ClickHouse. Made by stores.ts.

import type { Block, Column } from "../../domain/columns.js";
import { featureColumnName, type NamedFeature, namedFeatures } from "../../domain/features/features.js";
import type { Survey, SurveyDescription } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type {
  AlertFeatures,
  FeatureKey,
  FeatureStore,
  FeatureValue,
  OutdatedFeatures,
  StaleObject,
} from "../features.store.js";
import { alertTableName } from "./alerts.table.js";
import { annexed } from "./alerts.write.js";
import { bigints, column, eachRow, numbers, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { featureTable } from "./features.table.js";
import { quoted } from "./http.form.js";
import { IN_TIME } from "./pages.js";
import { visibleIn } from "./visibility.js";

export class ArchiveFeatures implements FeatureStore {
  readonly #features: ReadonlyMap<Survey, readonly NamedFeature[]>;

  constructor(
    private readonly client: ArchiveClient,
    surveys: readonly SurveyDescription[],
  ) {
    this.#features = new Map(surveys.map(({ id, bands }) => [id, namedFeatures(bands)]));
  }

  async byCandid(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, AlertFeatures>> {
    const visible = visibleIn(viewer, survey);
    const features = this.#features.get(survey);
    if (visible === null || features === undefined || candids.length === 0) return new Map();
    const list = features.map(({ path }) => quoted(featureColumnName(path)));
    const block = await this.client.query(
      `SELECT candid, version, ${list.join(", ")} FROM ${featureTable(survey)} WHERE (jd, candid) IN (
        SELECT jd, candid FROM alert_index WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)}
      ) AND ${visible.sql} ORDER BY batch DESC LIMIT 1 BY candid`,
      { ...visible.parameters, survey, candids },
    );
    if (block.rows === 0) return new Map();
    const columns = features.map((one) => ({ ...one, column: column(block, featureColumnName(one.path)) }));
    const candid = bigints(block, "candid");
    const version = numbers(block, "version");
    const read = (row: number): AlertFeatures => {
      const whole: Record<string, FeatureValue> = {};
      const scopes = new Map<string, Record<string, FeatureValue>>();
      for (const { scope, feature, column } of columns) {
        let values = scope === null ? whole : scopes.get(scope);
        if (values === undefined) {
          values = {};
          scopes.set(scope!, values);
        }
        values[feature.name] = valueAt(column, row);
      }
      return { candid: candid[row]!, version: version[row]!, whole, scopes };
    };
    return new Map(eachRow(block, (row) => [candid[row]!, read(row)]));
  }

  async stale(
    viewer: Viewer,
    survey: Survey,
    before: number,
    first: number,
    after: string | null,
  ): Promise<StaleObject[]> {
    const visible = visibleIn(viewer, survey);
    if (visible === null || !this.#features.has(survey)) return [];
    const table = featureTable(survey);
    // Few granules have an old version, as a rule: the objects in them are looked at, not all.
    const block = await this.client.query(
      `SELECT objectId, argMax(version, (jd, candid, batch)) AS made FROM ${table}
      WHERE objectId IN (SELECT objectId FROM ${table} WHERE version < {before:UInt32} AND objectId > {after:String})
      AND ${visible.sql} GROUP BY objectId HAVING made < {before:UInt32} ORDER BY objectId LIMIT {first:UInt32}`,
      { ...visible.parameters, before, after: after ?? "", first },
    );
    const objectId = strings(block, "objectId");
    const made = numbers(block, "made");
    return eachRow(block, (row) => ({ objectId: objectId[row]!, version: made[row]! }));
  }

  async outdated(survey: Survey, before: number, after: FeatureKey | null, rows: number): Promise<OutdatedFeatures> {
    const later = after === null ? "1" : "jd >= {jd:Float64} AND (jd, candid) > ({jd:Float64}, {candid:Int64})";
    const key = after === null ? {} : { jd: after.jd, candid: after.candid };
    const page = await this.client.query(
      `SELECT ${KEYS} FROM ${alertTableName(survey)} WHERE ${later}
      ORDER BY jd, candid LIMIT 1 BY jd, candid LIMIT {rows:UInt32} ${IN_TIME}`,
      { ...key, rows },
    );
    if (page.rows === 0) return { alerts: page, seen: 0, last: null };
    const last = { jd: numbers(page, "jd").at(-1)!, candid: bigints(page, "candid").at(-1)! };
    const alerts = await this.client.query(
      `SELECT ${KEYS} FROM asked WHERE (jd, candid) NOT IN (
        SELECT jd, candid FROM ${featureTable(survey)}
        WHERE (jd, candid) GLOBAL IN (SELECT jd, candid FROM asked) AND version >= {before:UInt32}
      )`,
      { before },
      { external: [{ name: "asked", block: page }] },
    );
    return { alerts, seen: page.rows, last };
  }

  write(batchId: bigint, survey: Survey, rows: Block): Promise<void> {
    return this.client.insert(featureTable(survey), annexed(rows, survey, batchId));
  }
}

const KEYS = "jd, candid, objectId, programid";

function valueAt({ type, values, nulls }: Column, row: number): FeatureValue {
  if (nulls?.[row]) return null;
  return type === "Bool" ? values[row] === 1 : (values[row] as number | string);
}
