// match.<catalog>.* of archived alerts, out of the table `matches`. Named in sources.ts.
import type { Catalog } from "../../../domain/catalog.js";
import { isKeptAsText, matchFields } from "../../../domain/match.js";
import type { Operand } from "../../../domain/operand.js";
import { quoted, sqlText } from "../http.form.js";
import { type EnrichedSource, type EnrichedWindow, keysOf } from "./source.js";

const PREFIX = "match.";

/** The lists of the catalogs that are active when a statement is made. */
export function enrichedMatches(active: () => readonly Catalog[]): EnrichedSource {
  /** The catalog and the field that a column's name tells of. */
  function parsed(column: string): { catalog: Catalog; field: Operand } | null {
    if (!column.startsWith(PREFIX)) return null;
    const [name, ...rest] = column.slice(PREFIX.length).split(".");
    const catalog = active().find((one) => one.name === name);
    const field = catalog && matchFields(catalog).find((one) => one.name === rest.join("."));
    return catalog && field ? { catalog, field } : null;
  }

  return {
    brings: (column) => parsed(column) !== null,
    select(window, columns) {
      const read = columns.map((column) => ({ column, ...parsed(column)! }));
      const catalogs = [...new Set(read.map(({ catalog }) => catalog.name))];
      const values = read.map(({ column, catalog, field }) => {
        return `anyIf(${listOf(field)}, catalog = ${sqlText(catalog.name)}) AS ${quoted(column)}`;
      });
      const needed = ["id", "separationArcsec", "ra", "dec", "numberNames", "numbers", "textNames", "texts"];
      return {
        key: "alert",
        sql: `SELECT jd, candid, ${values.join(", ")} FROM (
          SELECT catalog, jd, candid, ${needed.join(", ")} FROM matches
          WHERE survey = {matchSurvey:String} AND catalog IN {matchCatalogs:Array(String)} ${between(window)}
            AND (jd, candid) IN (${keysOf(window, "jd", "candid")})
          ORDER BY catalog, jd, candid, batch DESC LIMIT 1 BY catalog, jd, candid
        ) GROUP BY jd, candid`,
        parameters: {
          matchSurvey: window.survey,
          matchCatalogs: catalogs,
          ...(Number.isFinite(window.startJd) && { matchStart: window.startJd }),
          ...(Number.isFinite(window.endJd) && { matchEnd: window.endJd }),
        },
      };
    },
  };
}

function between({ startJd, endJd }: EnrichedWindow): string {
  const from = Number.isFinite(startJd) ? "AND jd >= {matchStart:Float64}" : "";
  const to = Number.isFinite(endJd) ? "AND jd < {matchEnd:Float64}" : "";
  return `${from} ${to}`;
}

/** One value for each match, of the very type that the stream's list has. */
function listOf({ name, type, nullable }: Operand): string {
  // The rows of other catalogs, whose ids may be texts, are read and left out.
  if (name === "id") return type === "String" ? "id" : `arrayMap(x -> to${type}OrZero(x), id)`;
  if (!nullable) return quoted(name);
  const kind = isKeptAsText(type) ? "text" : "number";
  const place = `indexOf(${kind}Names, ${sqlText(name)})`;
  const values = `arraySlice(${kind}s, (${place} - 1) * length(id) + 1, length(id))`;
  const typed =
    type === "String"
      ? values
      : kind === "text"
        ? `arrayMap(x -> to${type}OrNull(x), ${values})`
        : numbersOf(type, values);
  // A row that was made when the catalog had no such column.
  const missing = `arrayMap(x -> CAST(NULL, 'Nullable(${type})'), id)`;
  return `if(${place} = 0, ${missing}, ${typed})`;
}

/** NaN is a missing number. */
const numbersOf = (type: Operand["type"], values: string): string =>
  `arrayMap(x -> if(isNaN(x), NULL, ${type === "Bool" ? "toBool" : `to${type}`}(if(isNaN(x), 0, x))), ${values})`;
