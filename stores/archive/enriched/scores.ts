// score.<model>.<output> and class.<model> of archived alerts, out of the table `scores`. Named in sources.ts.
import { quoted, sqlText } from "../http.form.js";
import { type EnrichedSource, keysOf } from "./source.js";

/**
 * What an active model said when the alert came or, where it was only watched then, what it said as a shadow: so a model can be
 * judged in filters over the past before it is trusted with the stream.
 */
export const enrichedScores: EnrichedSource = {
  brings: (column) => parsed(column) !== null,
  select(window, columns) {
    const read = columns.map((column) => ({ column, ...parsed(column)! }));
    const values = read.map(({ column, model, output }) => {
      const value = output === null ? "said" : `values[indexOf(outputs, ${sqlText(output)})]`;
      const there = output === null ? "" : ` AND has(outputs, ${sqlText(output)})`;
      return `anyOrNullIf(${value}, model = ${sqlText(model)}${there}) AS ${quoted(column)}`;
    });
    return {
      key: "alert",
      sql: `SELECT jd, candid, ${values.join(", ")} FROM (
        SELECT jd, candid, model, outputs, values, CAST(class, 'Nullable(String)') AS said FROM scores
        WHERE survey = {scoresSurvey:String} AND model IN {scoresModels:Array(String)}
          AND (jd, candid) IN (${keysOf(window, "jd", "candid")})
          AND batch GLOBAL IN (SELECT batch FROM batches)
        ORDER BY jd, candid, model, shadow, batch DESC LIMIT 1 BY jd, candid, model
      ) GROUP BY jd, candid`,
      parameters: { scoresSurvey: window.survey, scoresModels: [...new Set(read.map(({ model }) => model))] },
    };
  },
};

/** Model and output; the output of a class is null. */
function parsed(column: string): { model: string; output: string | null } | null {
  const [kind, model, output, ...rest] = column.split(".");
  if (model === undefined || rest.length > 0) return null;
  if (kind === "score" && output !== undefined) return { model, output };
  return kind === "class" && output === undefined ? { model, output: null } : null;
}
