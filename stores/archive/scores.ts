// ScoreStore on ClickHouse. Made by stores.ts.
import type { AlertScores } from "../../domain/classifier.js";
import type { ListColumn } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { ScoredAlert, ScoreStore } from "../scores.store.js";
import { begunAt } from "./batches.time.js";
import { bigints, blockOf, floats, numbers, signed, strings, stringsOrNull, texts } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { visibleIn } from "./visibility.js";

const MAX_ALERTS = 1_000;

export class ArchiveScores implements ScoreStore {
  constructor(private readonly client: ArchiveClient) {}

  async scores(
    viewer: Viewer,
    survey: Survey,
    alerts: readonly ScoredAlert[],
    shadow: boolean,
  ): Promise<Map<bigint, AlertScores[]>> {
    if (alerts.length > MAX_ALERTS) {
      throw new TocsinError("BAD_ARGUMENT", `Scores of at most ${MAX_ALERTS} alerts at once, not ${alerts.length}.`);
    }
    const visible = visibleIn(viewer, survey);
    if (visible === null || alerts.length === 0) return new Map();
    const asked = blockOf(alerts.length, {
      jd: floats(Float64Array.from(alerts, ({ jd }) => jd)),
      candid: signed(BigInt64Array.from(alerts, ({ candid }) => candid)),
      objectId: texts(alerts.map(({ objectId }) => objectId)),
    });
    const block = await this.client.query(
      `SELECT candid, batch, model, version, shadow, inputHash, outputs, values, toNullable(class) AS class, toNullable(reason) AS reason
      FROM scores
      WHERE survey = {survey:String} AND (jd, candid) IN (SELECT jd, candid FROM asked) AND ${visible.sql}
        ${shadow ? "" : "AND NOT shadow"}
      ORDER BY candid, model, version, batch DESC LIMIT 1 BY candid, model, version`,
      { ...visible.parameters, survey },
      { external: [{ name: "asked", block: asked }] },
    );
    const found = new Map<bigint, AlertScores[]>();
    if (block.rows === 0) return found;
    const candid = bigints(block, "candid");
    const batch = bigints(block, "batch");
    const model = strings(block, "model");
    const version = strings(block, "version");
    const shadows = numbers(block, "shadow");
    const inputHash = bigints(block, "inputHash");
    const classOf = stringsOrNull(block, "class");
    const reason = stringsOrNull(block, "reason");
    const outputs = outputsOf(block.lists!.get("outputs")!, block.lists!.get("values")!);
    for (let row = 0; row < block.rows; row += 1) {
      const scores = found.get(candid[row]!) ?? [];
      found.set(candid[row]!, scores);
      scores.push({
        model: model[row]!,
        version: version[row]!,
        outputs: outputs(row),
        class: classOf(row),
        inputHash: inputHash[row]!,
        reason: reason(row),
        shadow: shadows[row] === 1,
        saidAt: begunAt(batch[row]!),
      });
    }
    return found;
  }
}

function outputsOf(names: ListColumn, values: ListColumn): (row: number) => Record<string, number> {
  return (row) => {
    const first = row === 0 ? 0 : names.ends[row - 1]!;
    const said = Array.from(names.items.values.slice(first, names.ends[row]!) as readonly string[]);
    return Object.fromEntries(said.map((name, k) => [name, Number(values.items.values[first + k])]));
  };
}
