// CorrectionStore on ClickHouse. Made by stores.ts; numbers are given by corrections.number.ts.
import type { Corrected, StoredCorrection } from "../../domain/correction.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type {
  CorrectedAlert,
  CorrectionConditions,
  CorrectionStore,
  KnownAlert,
  ToldCorrection,
} from "../corrections.store.js";
import {
  bigints,
  blockOf,
  counts,
  eachRow,
  floats,
  integers,
  numbers,
  signed,
  strings,
  texts,
  unsigned,
} from "./blocks.js";
import type { ArchiveClient, InsertOptions, Parameter } from "./client.js";
import { CorrectionNumbers } from "./corrections.number.js";
import { STOP_WHEN_FULL } from "./pages.js";
import { visibleAcross } from "./visibility.js";

const NOW = "toUnixTimestamp64Milli(now64(3))";
const COLUMNS =
  "toldAt, survey, objectId, candid, jd, programid, what, step, version, source, scope, filterId, filterVersion";

export class ArchiveCorrections implements CorrectionStore {
  readonly #numbers: CorrectionNumbers;

  /** `fence`: what shuts out a process that numbers no more; null in one that does not number. */
  constructor(
    private readonly client: ArchiveClient,
    fence: () => InsertOptions | null,
  ) {
    this.#numbers = new CorrectionNumbers(client, fence);
  }

  async tell(batchId: bigint, corrections: readonly ToldCorrection[]): Promise<void> {
    if (corrections.length === 0) return;
    const text = (of: (correction: ToldCorrection) => string) => texts(corrections.map(of));
    const block = blockOf(corrections.length, {
      batch: unsigned(new BigUint64Array(corrections.length).fill(batchId)),
      survey: text(({ survey }) => survey),
      objectId: text(({ objectId }) => objectId),
      candid: signed(BigInt64Array.from(corrections, ({ candid }) => candid)),
      jd: floats(Float64Array.from(corrections, ({ jd }) => jd)),
      programid: integers(Int32Array.from(corrections, ({ programid }) => programid)),
      what: text(({ what }) => what),
      step: text(({ step }) => step),
      version: text(({ version }) => version),
      source: text(({ source }) => source ?? ""),
      scope: text(({ scope }) => scope ?? ""),
      filterId: text(({ filter }) => filter?.id ?? ""),
      filterVersion: counts(Uint32Array.from(corrections, ({ filter }) => filter?.version ?? 0)),
      isShown: { type: "Bool", values: Uint8Array.from(corrections, ({ isShown }) => Number(isShown)), nulls: null },
      reads: text(({ reads }) => reads.join(" ")),
    });
    // One clock for all processes.
    await this.client.insert("corrections_told", block, { computed: { toldAt: NOW } });
  }

  async known(survey: Survey, alerts: readonly CorrectedAlert[]): Promise<KnownAlert[]> {
    if (alerts.length === 0) return [];
    const asked = blockOf(alerts.length, {
      objectId: texts(alerts.map(({ objectId }) => objectId)),
      jd: floats(Float64Array.from(alerts, ({ jd }) => jd)),
      candid: signed(BigInt64Array.from(alerts, ({ candid }) => candid)),
    });
    const ofObjects = "survey = {survey:String} AND objectId GLOBAL IN (SELECT objectId FROM asked)";
    const block = await this.client.query(
      `SELECT objectId, jd, candid, programid, (objectId, programid, jd, candid) IN (
        SELECT objectId, programid, last.1, last.2 FROM (
          SELECT objectId, programid, max((jd, candid)) AS last FROM object_alerts AS others
          WHERE ${ofObjects} GROUP BY objectId, programid
        )
      ) AS isLatest
      FROM object_alerts AS corrected WHERE ${ofObjects} AND (jd, candid) GLOBAL IN (SELECT jd, candid FROM asked)
      ORDER BY jd, candid LIMIT 1 BY jd, candid`,
      { survey },
      { external: [{ name: "asked", block: asked }] },
    );
    const [objectId, candid] = [strings(block, "objectId"), bigints(block, "candid")];
    const [jd, programid, isLatest] = [numbers(block, "jd"), numbers(block, "programid"), numbers(block, "isLatest")];
    return eachRow(block, (row) => ({
      ...{ objectId: objectId[row]!, jd: jd[row]!, candid: candid[row]!, programid: programid[row]! },
      isLatest: isLatest[row] === 1,
    }));
  }

  number(): Promise<boolean> {
    return this.#numbers.number();
  }

  async page(
    viewer: Viewer,
    where: CorrectionConditions,
    first: number,
    after: bigint,
    upTo: bigint | null,
  ): Promise<StoredCorrection[]> {
    const visible = visibleAcross(viewer, where.survey);
    if (visible === null) return [];
    const chosen = conditions(where, upTo);
    const block = await this.client.query(
      `SELECT seq, ${COLUMNS} FROM corrections_numbered
      WHERE seq > {after:UInt64} AND ${visible.sql} AND scope IN ('', {scope:String}) ${chosen.sql}
      ORDER BY seq LIMIT 1 BY seq LIMIT {first:UInt32} ${STOP_WHEN_FULL}`,
      { ...visible.parameters, ...chosen.parameters, after, first, scope: viewer.scope },
    );
    const [seq, toldAt, candid] = [bigints(block, "seq"), bigints(block, "toldAt"), bigints(block, "candid")];
    const [jd, programid, filterVersion] = [
      numbers(block, "jd"),
      numbers(block, "programid"),
      numbers(block, "filterVersion"),
    ];
    const text = (name: string) => strings(block, name);
    const [survey, objectId, what, step] = [text("survey"), text("objectId"), text("what"), text("step")];
    const [version, source, scope, filterId] = [text("version"), text("source"), text("scope"), text("filterId")];
    return eachRow(block, (row) => ({
      seq: seq[row]!,
      toldAt: Number(toldAt[row]!),
      survey: survey[row]!,
      objectId: objectId[row]!,
      candid: candid[row]!,
      jd: jd[row]!,
      programid: programid[row]!,
      what: what[row] as Corrected,
      step: step[row]!,
      version: version[row]!,
      source: source[row]! || null,
      scope: scope[row]! || null,
      filter: filterId[row] === "" ? null : { id: filterId[row]!, version: filterVersion[row]! },
    }));
  }

  async seqsAfter(after: bigint, first: number): Promise<bigint[]> {
    const block = await this.client.query(
      `SELECT seq FROM corrections_numbered WHERE seq > {after:UInt64}
      ORDER BY seq LIMIT 1 BY seq LIMIT {first:UInt32} ${STOP_WHEN_FULL}`,
      { after, first },
    );
    return Array.from(bigints(block, "seq"));
  }

  async lastSeq(): Promise<bigint> {
    const block = await this.client.query("SELECT seq FROM corrections_numbered ORDER BY seq DESC LIMIT 1");
    return bigints(block, "seq")[0] ?? 0n;
  }
}

function conditions(
  { objectIds, what, filterIds, watched }: CorrectionConditions,
  upTo: bigint | null,
): { sql: string; parameters: Record<string, Parameter> } {
  const clauses: string[] = [];
  const parameters: Record<string, Parameter> = {};
  const within = (name: string, column: string, values: readonly string[] | null) => {
    if (values === null) return;
    clauses.push(`${column} IN {${name}:Array(String)}`);
    parameters[name] = values;
  };
  within("objectIds", "objectId", objectIds);
  within("what", "what", what);
  within("filterIds", "filterId", filterIds);
  const untilSeq = upTo === null ? "" : "AND seq <= {upTo:UInt64}";
  if (upTo !== null) {
    clauses.push("seq <= {upTo:UInt64}");
    parameters.upTo = upTo;
  }
  if (watched !== null) {
    // Of the list's alerts only those that are asked about at all: it may hold millions.
    clauses.push(`(source = {operand:String} OR (survey, jd, candid) GLOBAL IN (
      SELECT survey, jd, candid FROM marks AS marked WHERE content = {content:String} AND (jd, candid) GLOBAL IN (
        SELECT jd, candid FROM corrections_numbered AS told WHERE seq > {after:UInt64} ${untilSeq}
      )
    ))`);
    parameters.operand = watched.operand;
    parameters.content = watched.content;
  }
  return { sql: clauses.map((clause) => `AND ${clause}`).join(" "), parameters };
}
