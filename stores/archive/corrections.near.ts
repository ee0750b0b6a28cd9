// Alerts of one survey near objects of another one, whose packets came late. Called by corrections.late.ts.
import { separationArcsec } from "../../domain/sky.js";
import type { Survey } from "../../domain/survey.js";
import type { CorrectedAlert, LateObject } from "../corrections.store.js";
import type { OtherSurvey } from "../counterparts.store.js";
import { bigints, blockOf, numbers, signed, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { positionsByCell } from "./objects.js";

/** Places are taken together within these digits of a degree, and sought so much farther around, arcsec. */
const DIGITS = 4;
const WIDER = 0.4;

/** A place that a late object had, by its number in the lists. */
interface Places {
  readonly ra: Float64Array;
  readonly dec: Float64Array;
  /** From when on the object's past is another one. */
  readonly fromJd: Float64Array;
}

export async function alertsNear(
  client: ArchiveClient,
  survey: Survey,
  other: OtherSurvey,
  objects: readonly LateObject[],
): Promise<CorrectedAlert[]> {
  const places = await placesOf(client, other, objects);
  const radius = other.radiusArcsec + WIDER;
  const asking = positionsByCell(places.ra, places.dec, radius);
  if (asking.size === 0) return [];
  const cover = blockOf(asking.size, { cell: unsigned(BigUint64Array.from(asking.keys(), BigInt)) });
  const near = await client.query(
    `SELECT DISTINCT cell, objectId FROM positions
    WHERE cell IN (SELECT cell FROM cover) AND survey = {survey:String}`,
    { survey },
    { external: [{ name: "cover", block: cover }] },
  );
  if (near.rows === 0) return [];
  const placesBy = new Map<string, number[]>();
  const cells = bigints(near, "cell");
  for (const [row, objectId] of strings(near, "objectId").entries()) {
    placesBy.set(objectId, [...(placesBy.get(objectId) ?? []), ...asking.get(Number(cells[row]))!]);
  }
  const found = await client.query(
    `SELECT objectId, jd, candid, ra, dec FROM object_alerts
    WHERE survey = {survey:String} AND objectId IN (SELECT objectId FROM near) AND jd >= {fromJd:Float64}
    ORDER BY objectId, jd, candid LIMIT 1 BY objectId, jd, candid`,
    { survey, fromJd: Math.min(...objects.map(({ jd }) => jd)) },
    { external: [{ name: "near", block: blockOf(placesBy.size, { objectId: texts([...placesBy.keys()]) }) }] },
  );
  const [jd, ra, dec] = ["jd", "ra", "dec"].map((name) => numbers(found, name)) as Float64Array[];
  const candid = bigints(found, "candid");
  return strings(found, "objectId").flatMap((objectId, row) => {
    const isNear = placesBy.get(objectId)!.some((place) => {
      const separation = separationArcsec(ra![row]!, dec![row]!, places.ra[place]!, places.dec[place]!);
      return jd![row]! >= places.fromJd[place]! && separation <= radius;
    });
    return isNear ? [{ objectId, jd: jd![row]!, candid: candid[row]! }] : [];
  });
}

/** Where the objects were in public alerts, whenever: which of them was the latest at a time is for others to say. */
async function placesOf(
  client: ArchiveClient,
  { survey, publicProgramids }: OtherSurvey,
  objects: readonly LateObject[],
): Promise<Places> {
  const block = await client.query(
    `SELECT DISTINCT objectId, round(ra, ${DIGITS}) AS east, round(dec, ${DIGITS}) AS north FROM object_alerts
    WHERE survey = {survey:String} AND objectId IN (SELECT objectId FROM late) AND programid IN {publicProgramids:Array(Int32)}`,
    { survey, publicProgramids },
    {
      external: [
        { name: "late", block: blockOf(objects.length, { objectId: texts(objects.map((one) => one.objectId)) }) },
      ],
    },
  );
  const since = new Map(objects.map(({ objectId, jd }) => [objectId, jd]));
  const [ra, dec] = ["east", "north"].map((name) => numbers(block, name)) as Float64Array[];
  return { ra: ra!, dec: dec!, fromJd: Float64Array.from(strings(block, "objectId"), (id) => since.get(id)!) };
}

/** Those of the alerts that batches from this one on took in first. */
export async function takenFrom<Taken extends CorrectedAlert>(
  client: ArchiveClient,
  survey: Survey,
  batch: bigint,
  alerts: readonly Taken[],
): Promise<Taken[]> {
  if (alerts.length === 0) return [];
  const asked = blockOf(alerts.length, { candid: signed(BigInt64Array.from(alerts, ({ candid }) => candid)) });
  const block = await client.query(
    `SELECT candid FROM alert_index
    WHERE survey = {survey:String} AND candid GLOBAL IN (SELECT candid FROM asked)
    GROUP BY candid HAVING min(batch) >= {batch:UInt64}`,
    { survey, batch },
    { external: [{ name: "asked", block: asked }] },
  );
  const taken = new Set(bigints(block, "candid"));
  return alerts.filter(({ candid }) => taken.has(candid));
}
