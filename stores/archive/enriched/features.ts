// Features of archived alerts, as filters read them. Named in sources.ts.
import { featureColumnName, namedFeatures } from "../../../domain/features/features.js";
import { featureOperandName } from "../../../domain/features/operands.js";
import type { Survey, SurveyDescription } from "../../../domain/survey.js";
import { featureTable } from "../features.table.js";
import { quoted } from "../http.form.js";
import { type EnrichedSource, keysOf } from "./source.js";

/** The row of an alert's latest batch: what was made of it last. */
export function featureSource(surveys: readonly SurveyDescription[]): EnrichedSource {
  const columns = new Map<Survey, ReadonlyMap<string, string>>();
  for (const { id, bands } of surveys) {
    const names = namedFeatures(bands).map(({ path }) => [featureOperandName(path), featureColumnName(path)] as const);
    columns.set(id, new Map(names));
  }
  return {
    brings: (name, survey) => columns.get(survey)?.has(name) ?? false,
    select: (window, names) => {
      const list = names.map((name) => `${quoted(columns.get(window.survey)!.get(name)!)} AS ${quoted(name)}`);
      return {
        key: "alert",
        sql: `SELECT jd, candid, ${list.join(", ")} FROM ${featureTable(window.survey)}
          WHERE (jd, candid) IN (${keysOf(window, "jd", "candid")}) ORDER BY batch DESC LIMIT 1 BY jd, candid`,
        parameters: {},
      };
    },
  };
}
