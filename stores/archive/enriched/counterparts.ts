// <other survey>.detections.* of archived alerts: what packets of the other survey up to an alert had told of its counterpart,
// as ingest/enrich/counterparthistory.ts makes it of the stream. Named in sources.ts.
import type { Block } from "../../../domain/columns.js";
import { counterpartList, POINT_KIND } from "../../../domain/photometry.js";
import { takeRows } from "../../../domain/rows.js";
import type { SurveyDescription } from "../../../domain/survey.js";
import { type NearestStore, otherSurvey } from "../../counterparts.store.js";
import { column, floats, signed, texts } from "../blocks.js";
import type { ArchiveClient, ExternalTable } from "../client.js";
import { quoted, sqlText } from "../http.form.js";
import { precedence } from "../precedence.js";
import { pointsByObject, pointsKnown, type Read } from "./history.js";
import { type EnrichedSource, type EnrichedWindow, keysOf } from "./source.js";

/** One for each survey that may be the other. */
export const enrichedCounterparts = (
  surveys: readonly SurveyDescription[],
  client: ArchiveClient,
  nearest: NearestStore,
): EnrichedSource[] => surveys.map((other) => counterpartsIn(other, surveys, client, nearest));

/** Two surveys' packets have no order but their times: whatever was told up to the alert's time is known. */
const LAST_CANDID = `toInt64(${2n ** 63n - 1n})`;

function counterpartsIn(
  other: SurveyDescription,
  surveys: readonly SurveyDescription[],
  client: ArchiveClient,
  nearest: NearestStore,
): EnrichedSource {
  const fields = new Map(
    other.pointFields.detections.map((field) => [`${counterpartList(other.id)}.${field.name}`, field]),
  );
  return {
    brings: (column, survey) => survey !== other.id && fields.has(column),
    async select(window, columns) {
      const read: Read[] = columns.map((column) => {
        return { column, kind: POINT_KIND.detection, field: fields.get(column)! };
      });
      const own = surveys.find(({ id }) => id === window.survey)!;
      const places = await placesOf(client, window);
      const objectIds = await nearest.nearest(places, otherSurvey(own, other));
      const pairs = pairsOf(`counterparts_${other.id}`, places, objectIds);
      const points = pointsByObject(other, `IN (SELECT objectId FROM ${quoted(pairs.name)})`, window, read);
      const rights = `p IN (${other.publicProgramids.join(", ")})`;
      const lists = read.map((one) => {
        return `${pointsKnown(one, precedence("l.jd", LAST_CANDID), rights)} AS ${quoted(one.column)}`;
      });
      return {
        key: "alert",
        sql: `SELECT l.jd AS jd, l.candid AS candid, ${lists.join(", ")}
          FROM (SELECT jd, candid, objectId FROM ${quoted(pairs.name)}) AS l
          INNER JOIN (${points.sql}) AS r ON l.objectId = r.objectId`,
        parameters: points.parameters,
        external: [pairs],
      };
    },
  };
}

const placesOf = (client: ArchiveClient, window: EnrichedWindow): Promise<Block> =>
  client.query(
    `SELECT DISTINCT jd, candid, ra, dec FROM object_alerts
    WHERE survey = ${sqlText(window.survey)} AND (objectId, jd, candid) IN (${keysOf(window, "objectId", "jd", "candid")})`,
    window.parameters,
    window.asked === undefined ? {} : { external: [window.asked] },
  );

/** jd, candid and counterpart of those alerts that have one. */
function pairsOf(name: string, places: Block, objectIds: readonly (string | null)[]): ExternalTable {
  const known = Uint32Array.from(objectIds.flatMap((id, row) => (id === null ? [] : [row])));
  const rows = known.length;
  if (rows === 0) {
    const none = { jd: floats(new Float64Array(0)), candid: signed(new BigInt64Array(0)), objectId: texts([]) };
    return { name, block: { rows, columns: new Map(Object.entries(none)) } };
  }
  const chosen = takeRows(places, known);
  const objectId = texts(Array.from(known, (row) => objectIds[row]!));
  const columns = { jd: column(chosen, "jd"), candid: column(chosen, "candid"), objectId };
  return { name, block: { rows, columns: new Map(Object.entries(columns)) } };
}
