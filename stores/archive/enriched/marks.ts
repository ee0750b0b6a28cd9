// watch.<list>.*, area.<name> and skymap.<name> of archived alerts, out of the table `marks`. Named in sources.ts.
import { MARK_PREFIX, type Mark, type MarkKind } from "../../../domain/mark.js";
import { quoted, sqlText } from "../http.form.js";
import { type EnrichedSource, keysOf } from "./source.js";

/** By what stands behind the mark's name: what to read of the table. A map that tells no distances has NaN there. */
const VALUES: Readonly<Record<MarkKind, Readonly<Record<string, string>>>> = {
  WATCH_LIST: { name: "names", separationArcsec: "separations", ra: "ras", dec: "decs" },
  AREA: { "": "true" },
  SKYMAP: {
    "": "level",
    "distance.mean": "if(isNaN(distanceMean), NULL, distanceMean)",
    "distance.sigma": "if(isNaN(distanceSigma), NULL, distanceSigma)",
  },
};

/** What the marks hold when a statement is made: a list that was uploaded today marks alerts of last year. */
export function enrichedMarks(all: () => readonly Mark[]): EnrichedSource {
  function parsed(column: string): { mark: Mark; value: string } | null {
    const [prefix, name, ...rest] = column.split(".");
    const field = rest.join(".");
    const mark = all().find((one) => MARK_PREFIX[one.kind] === prefix && one.name === name);
    if (mark === undefined) return null;
    const value = VALUES[mark.kind][field];
    return value === undefined ? null : { mark, value };
  }

  return {
    brings: (column) => parsed(column) !== null,
    select(window, columns) {
      const read = columns.map((column) => ({ column, ...parsed(column)! }));
      const marks = [...new Map(read.map(({ mark }) => [mark.id, mark])).values()].filter(
        ({ state }) => state === "ACTIVE",
      );
      const values = read.map(({ column, mark, value }) => {
        const own = `content = ${sqlText(mark.content)}`;
        return `${mark.kind === "WATCH_LIST" ? "anyIf" : "anyOrNullIf"}(${value}, ${own}) AS ${quoted(column)}`;
      });
      return {
        key: "alert",
        sql: `SELECT jd, candid, ${values.join(", ")} FROM marks
          WHERE survey = {marksSurvey:String} AND content IN {marksContents:Array(String)}
            AND (jd, candid) IN (${keysOf(window, "jd", "candid")})
          GROUP BY jd, candid`,
        parameters: { marksSurvey: window.survey, marksContents: marks.map(({ content }) => content) },
        // An area holds an alert or does not: it is never missing.
        columns: new Map(
          read.flatMap(({ column, mark }) =>
            mark.kind === "AREA" ? [[column, `ifNull(r.${quoted(column)}, false)`]] : [],
          ),
        ),
      };
    },
  };
}
