// watch.<list>.*, area.<name> and skymap.<name> of archived alerts, out of the table `marks`. Named in sources.ts.
import type { Mark } from "../../../domain/mark.js";
import { MARK_PREFIX } from "../../../domain/mark.js";
import { quoted, sqlText } from "../http.form.js";
import { type EnrichedSource, keysOf } from "./source.js";

/** Columns of the table that are the fields of a list. */
const LISTS: Readonly<Record<string, string>> = {
  name: "names",
  separationArcsec: "separations",
  ra: "ras",
  dec: "decs",
};

/** What the marks hold when a statement is made: a list that was uploaded today marks alerts of last year. */
export function enrichedMarks(all: () => readonly Mark[]): EnrichedSource {
  function parsed(column: string): { mark: Mark; value: string } | null {
    const [prefix, name, field, ...rest] = column.split(".");
    const mark = all().find((one) => MARK_PREFIX[one.kind] === prefix && one.name === name);
    if (mark === undefined || rest.length > 0) return null;
    if (mark.kind === "WATCH_LIST") {
      const value = field === undefined ? undefined : LISTS[field];
      return value === undefined ? null : { mark, value };
    }
    return field === undefined ? { mark, value: mark.kind === "AREA" ? "true" : "level" } : null;
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
