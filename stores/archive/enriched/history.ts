// detections.*, nonDetections.* and forced.* of archived alerts, out of the table `tellings`: what packets up to each alert
// had told, as ingest/enrich/history.ts makes it of the stream. Named in sources.ts.
import { AB_ZERO_POINT_NJY } from "../../../domain/flux.js";
import { type Derived, isDerived, POINT_LISTS } from "../../../domain/photometry.js";
import type { PointField, Survey, SurveyDescription } from "../../../domain/survey.js";
import { quoted, sqlText } from "../http.form.js";
import { precedence } from "../precedence.js";
import { type EnrichedSelect, type EnrichedSource, type EnrichedWindow, keysOf } from "./source.js";

/** A column that filters read: a field of one of the lists. */
export interface Read {
  readonly column: string;
  readonly kind: number;
  readonly field: PointField;
}

export function enrichedHistory(surveys: readonly SurveyDescription[]): EnrichedSource {
  const described = new Map<Survey, SurveyDescription>(surveys.map((survey) => [survey.id, survey]));
  function parsed(column: string, survey: Survey): Read | null {
    for (const [name, kind] of POINT_LISTS) {
      const fields = described.get(survey)?.pointFields[name] ?? [];
      const field = fields.find((one) => `${name}.${one.name}` === column);
      if (field !== undefined) return { column, kind, field };
    }
    return null;
  }

  return {
    brings: (column, survey) => parsed(column, survey) !== null,
    select(window, columns) {
      const survey = described.get(window.survey)!;
      const read = columns.map((column) => parsed(column, window.survey)!);
      const rights = `p = l.programid OR p IN (${survey.publicProgramids.join(", ")})`;
      return {
        key: "object",
        ...pointsByObject(survey, `IN (${keysOf(window, "objectId")})`, window, read),
        columns: new Map(read.map((one) => [one.column, pointsKnown(one, precedence("l.jd", "l.candid"), rights)])),
      };
    },
  };
}

/** What each point's place in a list, its time and its rights need; three of them are values as well. */
const KEYS = ["jd", "pointId", "rights", "since", "until"];
const SAME: Readonly<Record<string, string>> = { jd: "jd", pointId: "pointId", programid: "rights" };
const keyOf = (column: string): string => SAME[column] ?? `value ${column}`;
const arrayOf = (kind: number, key: string): string => quoted(`history ${kind} ${key}`);
/** Greater than any packet's precedence. */
const NEVER = `toUInt128('${2n ** 128n - 1n}')`;

/**
 * A row for each object: of each kind arrays of its points in all their tellings, by time. A telling is its point's latest
 * word from each packet that told it, `since`, until the next packet that told another one, `until`. Two such packets are
 * known of a telling, its first and its last: what came in between is taken to have told the same. `which` objects: IN and a
 * sub-query.
 */
export function pointsByObject(
  { id, pointColumns }: SurveyDescription,
  which: string,
  { endJd }: Pick<EnrichedWindow, "endJd">,
  read: readonly Read[],
): Pick<EnrichedSelect, "sql" | "parameters"> {
  const fixed = new Set(pointColumns.filter(({ isFixed }) => isFixed).map(({ name }) => name));
  const kinds = [...new Set(read.map(({ kind }) => kind))];
  const values = [...new Map(read.map(({ field }) => [keyOf(field.column), field]))].filter(
    ([key]) => !KEYS.includes(key),
  );
  const before = Number.isFinite(endJd)
    ? `AND firstTold < ${precedence("{historyEnd:Float64}", `toInt64(${-(2n ** 63n)})`)}`
    : "";
  const tellings = `SELECT objectId, kind, pointId, jd, programid AS rights,
      arrayJoin(if(firstTold = lastTold, [firstTold], [firstTold, lastTold])) AS since
      ${values.map(([key, field]) => `, ${stored(field)} AS ${quoted(key)}`).join("")}
    FROM tellings AS points WHERE survey = ${sqlText(id)} AND kind IN (${kinds.join(", ")}) ${before}
      AND objectId ${which}`;
  const timed = `SELECT objectId, kind, pointId, jd, rights, since, leadInFrame(since, 1, ${NEVER}) OVER w AS until
      ${values.map(([key, { column }]) => `, ${fixed.has(column) ? `max(${quoted(key)}) OVER w AS ` : ""}${quoted(key)}`).join("")}
    FROM (${tellings}) WINDOW w AS (PARTITION BY objectId, kind, pointId ORDER BY since
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)`;
  const gathered = kinds.flatMap((kind) => [
    ...KEYS.map((key) => `groupArrayIf(${key}, kind = ${kind}) AS ${quoted(`${kind} ${key}`)}`),
    ...values.map(([key]) => `groupArrayIf(${quoted(key)}, kind = ${kind}) AS ${quoted(`${kind} ${key}`)}`),
  ]);
  const ordered = kinds.flatMap((kind) => {
    const own = (key: string) => quoted(`${kind} ${key}`);
    const order = `arraySort((n, j, p) -> (j, p), arrayEnumerate(${own("jd")}), ${own("jd")}, ${own("pointId")})`;
    return [
      ...KEYS.map((key) => `arrayMap(n -> ${own(key)}[n], ${order}) AS ${arrayOf(kind, key)}`),
      ...values.map(
        ([key, field]) => `arrayMap(n -> ${unmarked(`${own(key)}[n]`, field)}, ${order}) AS ${arrayOf(kind, key)}`,
      ),
    ];
  });
  return {
    sql: `SELECT objectId, ${ordered.join(", ")} FROM (
      SELECT objectId, ${gathered.join(", ")} FROM (${timed}) GROUP BY objectId)`,
    parameters: Number.isFinite(endJd) ? { historyEnd: endJd } : {},
  };
}

/**
 * The points that an alert knows: told up to a packet (its precedence) and not told otherwise since, not later than the
 * alert, of `rights`, a condition over p. l is the alert, r what pointsByObject gives of the object.
 */
export function pointsKnown({ kind, field }: Read, upTo: string, rights: string): string {
  const [jd, , programid, since, until] = KEYS.map((key) => `r.${arrayOf(kind, key)}`);
  const isKnown = `j <= l.jd AND s <= ${upTo} AND u > ${upTo} AND (${rights})`;
  const known = `arrayMap((j, s, u, p) -> ${isKnown}, ${jd}, ${since}, ${until}, ${programid})`;
  return `arrayFilter((v, isKnown) -> isKnown, r.${arrayOf(kind, keyOf(field.column))}, ${known})`;
}

const FORMULA: Readonly<Record<Derived, string>> = {
  snr: "abs(flux) / fluxError",
  counts: `toFloat32(flux / exp10((${AB_ZERO_POINT_NJY} - zeroPoint) / 2.5))`,
  countsError: `toFloat32(fluxError / exp10((${AB_ZERO_POINT_NJY} - zeroPoint) / 2.5))`,
};

const SOURCES: Readonly<Record<Derived, readonly string[]>> = {
  snr: ["flux", "fluxError"],
  counts: ["flux", "zeroPoint"],
  countsError: ["fluxError", "zeroPoint"],
};

/** A value of a telling as the table has it: of numbers -inf is missing, of texts the empty one. */
function stored({ column, type }: PointField): string {
  // The kind of aggregate is part of a column's type, not of its values'.
  if (!isDerived(column))
    return type.startsWith("Float") ? `to${type}(${quoted(column)})` : `identity(${quoted(column)})`;
  const known = SOURCES[column].map((name) => `${name} > -inf`).join(" AND ");
  return `if(${known} AND isFinite(${FORMULA[column]}), ${FORMULA[column]}, -inf)`;
}

/** The same with NULL where it is missing. */
function unmarked(value: string, { column, type }: PointField): string {
  if (column === "band") return value;
  if (type === "String") return `nullIf(${value}, '')`;
  return type === "Bool" ? `toNullable(${value})` : `if(${value} = -inf, NULL, ${value})`;
}
