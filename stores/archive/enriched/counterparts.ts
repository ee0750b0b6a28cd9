// <other survey>.detections.* of archived alerts: what packets of the other survey up to an alert had told of its counterpart,
// as ingest/enrich/counterparthistory.ts makes it of the stream. Named in sources.ts.
import { counterpartList, POINT_KIND } from "../../../domain/photometry.js";
import type { Survey, SurveyDescription } from "../../../domain/survey.js";
import { otherSurvey } from "../../counterparts.store.js";
import { nearestObjects } from "../counterparts.nearest.js";
import { quoted, sqlText } from "../http.form.js";
import { precedence } from "../precedence.js";
import { pointsByObject, pointsKnown, type Read } from "./history.js";
import { type EnrichedSource, type EnrichedWindow, keysOf } from "./source.js";

/** One for each survey that may be the other. */
export const enrichedCounterparts = (surveys: readonly SurveyDescription[]): EnrichedSource[] =>
  surveys.map((other) => counterpartsIn(other, new Map(surveys.map((survey) => [survey.id, survey]))));

/** Two surveys' packets have no order but their times: whatever was told up to the alert's time is known. */
const LAST_CANDID = `toInt64(${2n ** 63n - 1n})`;

function counterpartsIn(other: SurveyDescription, described: ReadonlyMap<Survey, SurveyDescription>): EnrichedSource {
  const fields = new Map(
    other.pointFields.detections.map((field) => [`${counterpartList(other.id)}.${field.name}`, field]),
  );
  return {
    brings: (column, survey) => survey !== other.id && fields.has(column),
    select(window, columns) {
      const read: Read[] = columns.map((column) => {
        return { column, kind: POINT_KIND.detection, field: fields.get(column)! };
      });
      const own = described.get(window.survey)!;
      const { candidates, nearest } = nearestObjects(placesOf(window), otherSurvey(own, other));
      const points = pointsByObject(other, `GLOBAL IN (${candidates})`, window, read);
      const rights = `p IN (${other.publicProgramids.join(", ")})`;
      const lists = read.map((one) => {
        return `${pointsKnown(one, precedence("l.jd", LAST_CANDID), rights)} AS ${quoted(one.column)}`;
      });
      return {
        key: "alert",
        sql: `SELECT l.jd AS jd, l.candid AS candid, ${lists.join(", ")}
          FROM (${nearest}) AS l INNER JOIN (${points.sql}) AS r ON l.objectId = r.objectId`,
        parameters: points.parameters,
      };
    },
  };
}

const placesOf = (window: EnrichedWindow): string => `SELECT jd, candid, ra, dec FROM object_alerts AS placed
  WHERE survey = ${sqlText(window.survey)} AND (objectId, jd, candid) IN (${keysOf(window, "objectId", "jd", "candid")})`;
