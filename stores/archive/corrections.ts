// CorrectionStore on ClickHouse. Made by stores.ts.
import type { Corrected, Correction, StoredCorrection } from "../../domain/correction.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { CorrectionKey, CorrectionStore } from "../corrections.store.js";
import { bigints, blockOf, eachRow, floats, integers, numbers, signed, strings, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { visibleAcross } from "./visibility.js";

/** Time between an insert's toldAt and the moment at which everybody can read it; no insert of ours takes as long. */
const SETTLE_MS = 10_000;
const NOW = "toUnixTimestamp64Milli(now64(3))";
const KEY = "toldAt, survey, objectId, candid, what";

export class ArchiveCorrections implements CorrectionStore {
  constructor(
    private readonly client: ArchiveClient,
    private readonly settleMs: number = SETTLE_MS,
  ) {}

  async tell(corrections: readonly Correction[]): Promise<void> {
    if (corrections.length === 0) return;
    const text = (name: "survey" | "objectId" | "what" | "step" | "version") =>
      texts(corrections.map((correction) => correction[name]));
    const block = blockOf(corrections.length, {
      survey: text("survey"),
      objectId: text("objectId"),
      candid: signed(BigInt64Array.from(corrections, ({ candid }) => candid)),
      what: text("what"),
      jd: floats(Float64Array.from(corrections, ({ jd }) => jd)),
      programid: integers(Int32Array.from(corrections, ({ programid }) => programid)),
      step: text("step"),
      version: text("version"),
    });
    // One clock for all processes.
    await this.client.insert("corrections", block, { computed: { toldAt: NOW } });
  }

  async page(
    viewer: Viewer,
    survey: Survey | null,
    first: number,
    after: CorrectionKey | null,
  ): Promise<StoredCorrection[]> {
    const visible = visibleAcross(viewer, survey);
    if (visible === null) return [];
    const later =
      after === null
        ? "1"
        : `toldAt >= {toldAt:Int64} AND (${KEY}) > ({toldAt:Int64}, {afterSurvey:String}, {objectId:String}, {candid:Int64}, {what:String})`;
    const { survey: afterSurvey, ...rest } = after ?? { survey: "" };
    const key = after === null ? {} : { ...rest, toldAt: BigInt(after.toldAt), afterSurvey };
    const block = await this.client.query(
      `SELECT ${KEY}, jd, programid, step, version FROM corrections
      WHERE toldAt < ${NOW} - {settle:Int64} AND ${later} AND ${visible.sql}
      ORDER BY ${KEY} LIMIT 1 BY ${KEY} LIMIT {first:UInt32}`,
      { ...visible.parameters, ...key, settle: BigInt(this.settleMs), first },
    );
    const [toldAt, candid] = [bigints(block, "toldAt"), bigints(block, "candid")];
    const [jd, programid] = [numbers(block, "jd"), numbers(block, "programid")];
    const [surveys, objectId] = [strings(block, "survey"), strings(block, "objectId")];
    const [what, step, version] = [strings(block, "what"), strings(block, "step"), strings(block, "version")];
    return eachRow(block, (row) => ({
      toldAt: Number(toldAt[row]!),
      survey: surveys[row]!,
      objectId: objectId[row]!,
      candid: candid[row]!,
      what: what[row] as Corrected,
      jd: jd[row]!,
      programid: programid[row]!,
      step: step[row]!,
      version: version[row]!,
    }));
  }
}
