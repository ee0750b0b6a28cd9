// HistoryStore on ClickHouse. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import type { HistoryStore } from "../history.store.js";
import type { AlertTable } from "./alerts.table.js";
import { blockOf, strings, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { precedenceCandid, precedenceJd } from "./precedence.js";

/** In every answer. */
const ALWAYS = ["objectId", "kind", "pointId", "jd", "programid"];
const TELLERS = `${precedenceJd("firstTold")} AS firstJd, ${precedenceCandid("firstTold")} AS firstCandid,
  ${precedenceJd("lastTold")} AS lastJd, ${precedenceCandid("lastTold")} AS lastCandid`;

export class ArchiveHistory implements HistoryStore {
  constructor(
    private readonly client: ArchiveClient,
    private readonly tables: ReadonlyMap<Survey, AlertTable>,
  ) {}

  async tellings(survey: Survey, objectIds: readonly string[], columns: readonly string[]): Promise<Block> {
    const known = await this.#known(survey, objectIds);
    if (known.length === 0) return { rows: 0, columns: new Map() };
    const { points } = this.tables.get(survey)!;
    const more = columns.filter((name) => !ALWAYS.includes(name) && points.columns.includes(name));
    const list = more.map((name) => {
      const type = points.fixed.get(name);
      // The kind of aggregate is part of a column's type, not of its values'.
      return type === undefined ? quoted(name) : `to${type}(${quoted(name)}) AS ${quoted(name)}`;
    });
    return this.client.query(
      `SELECT ${["toLowCardinality(objectId) AS objectId", ...ALWAYS.slice(1), ...list, TELLERS].join(", ")}
      FROM tellings WHERE survey = {survey:String} AND tellings.objectId IN (SELECT objectId FROM asked)`,
      { survey },
      { external: [{ name: "asked", block: blockOf(known.length, { objectId: texts(known) }) }] },
    );
  }

  /** Those that alerts were archived of. To ask for a new one's tellings costs six times as much as to find that it is new. */
  async #known(survey: Survey, objectIds: readonly string[]): Promise<readonly string[]> {
    if (objectIds.length === 0) return [];
    const block = await this.client.query(
      `SELECT DISTINCT objectId FROM object_alerts
      WHERE survey = {survey:String} AND objectId IN (SELECT objectId FROM asked)`,
      { survey },
      { external: [{ name: "asked", block: blockOf(objectIds.length, { objectId: texts(objectIds) }) }] },
    );
    return strings(block, "objectId");
  }
}
