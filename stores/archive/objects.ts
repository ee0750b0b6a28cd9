// ObjectStore on ClickHouse: summaries computed from an object's visible alerts, never kept beside them. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { separationArcsec } from "../../domain/sky.js";
import type { Cone, ConeMatch, SkyObject } from "../../domain/skyobject.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { ConeKey, Neighbour, ObjectStore } from "../objects.store.js";
import { bigints, blockOf, eachRow, numbers, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { cellsAround, positionClause } from "./cones.js";
import { visibleAcross, visibleIn } from "./visibility.js";

/** Neighbours are sought cell by cell, of 3.2": a larger radius would name too many cells. */
const MAX_NEIGHBOUR_ARCSEC = 60;

/** "Latest" is by (jd, candid); a row that stands twice counts once. */
const SUMMARY = `survey, objectId, uniqExact(candid) AS alertCount, min(jd) AS firstJd, max(jd) AS lastJd,
  argMax(ra, (jd, candid)) AS latestRa, argMax(dec, (jd, candid)) AS latestDec, argMax(candid, (jd, candid)) AS latestCandid`;

export class ArchiveObjects implements ObjectStore {
  constructor(private readonly client: ArchiveClient) {}

  async byIds(
    viewer: Viewer,
    survey: Survey,
    objectIds: readonly string[],
    asOf: number | null = null,
  ): Promise<Map<string, SkyObject>> {
    const visible = visibleIn(viewer, survey);
    if (visible === null || objectIds.length === 0) return new Map();
    const block = await this.client.query(
      `SELECT ${SUMMARY} FROM object_alerts
      WHERE survey = {survey:String} AND objectId IN {objectIds:Array(String)} AND ${visible.sql}
        ${asOf === null ? "" : "AND jd <= {asOf:Float64}"}
      GROUP BY survey, objectId`,
      { ...visible.parameters, survey, objectIds, ...(asOf !== null && { asOf }) },
    );
    return new Map(objectsOf(block).map((object) => [object.objectId, object]));
  }

  async cone(
    viewer: Viewer,
    cone: Cone,
    survey: Survey | null,
    first: number,
    after: ConeKey | null,
  ): Promise<ConeMatch[]> {
    const near = positionClause(cone);
    const visible = visibleAcross(viewer, survey);
    if (visible === null) return [];
    const block = await this.client.query(
      `SELECT ${SUMMARY} FROM object_alerts
      WHERE (survey, objectId) IN (SELECT survey, objectId FROM positions WHERE ${near.sql} AND ${visible.sql})
        AND ${visible.sql}
      GROUP BY survey, objectId`,
      { ...near.parameters, ...visible.parameters },
    );
    // An object that was here once may have its latest position elsewhere: the cells only propose.
    const matches = objectsOf(block)
      .map((object) => ({ object, separationArcsec: separationArcsec(cone.ra, cone.dec, object.ra, object.dec) }))
      .filter((match) => match.separationArcsec <= cone.radiusArcsec);
    return pageOfCone(matches, first, after);
  }

  async neighbours(notOf: Survey, ra: Float64Array, dec: Float64Array, radiusArcsec: number): Promise<Neighbour[]> {
    checkNeighbourRadius(radiusArcsec);
    const asking = positionsByCell(ra, dec, radiusArcsec);
    if (asking.size === 0) return [];
    const cover = blockOf(asking.size, { cell: unsigned(BigUint64Array.from(asking.keys(), BigInt)) });
    const near = await this.client.query(
      `SELECT DISTINCT cell, survey, objectId FROM positions
      WHERE cell IN (SELECT cell FROM cover) AND survey != {notOf:String}`,
      { notOf },
      { external: [{ name: "cover", block: cover }] },
    );
    // Most alerts have no neighbour in another survey: then this was all.
    if (near.rows === 0) return [];
    const surveys = strings(near, "survey");
    const objectIds = strings(near, "objectId");
    const latest = await this.#latest(surveys, objectIds);
    const found = new Map<string, Neighbour>();
    bigints(near, "cell").forEach((cell: bigint, row: number) => {
      const object = latest.get(`${surveys[row]}:${objectIds[row]}`);
      if (object === undefined) return;
      for (const index of asking.get(Number(cell)) ?? []) {
        const separation = separationArcsec(ra[index]!, dec[index]!, object.ra, object.dec);
        if (separation > radiusArcsec) continue;
        found.set(`${index}:${object.survey}:${object.objectId}`, {
          index,
          survey: object.survey,
          objectId: object.objectId,
          ra: object.ra,
          dec: object.dec,
          separationArcsec: separation,
        });
      }
    });
    return [...found.values()].sort((a, b) => a.index - b.index || nearestFirst(a, b));
  }

  /** System use: the objects as they stand with all their alerts, by "survey:objectId". */
  async #latest(surveys: readonly string[], objectIds: readonly string[]): Promise<Map<string, SkyObject>> {
    const near = blockOf(surveys.length, { survey: texts(surveys), objectId: texts(objectIds) });
    const block = await this.client.query(
      `SELECT ${SUMMARY} FROM object_alerts WHERE (survey, objectId) IN (SELECT survey, objectId FROM near)
      GROUP BY survey, objectId`,
      {},
      { external: [{ name: "near", block: near }] },
    );
    return new Map(objectsOf(block).map((object) => [`${object.survey}:${object.objectId}`, object]));
  }
}

export function checkNeighbourRadius(radiusArcsec: number): void {
  if (radiusArcsec >= 0 && radiusArcsec <= MAX_NEIGHBOUR_ARCSEC) return;
  const bound = `between 0 and ${MAX_NEIGHBOUR_ARCSEC} arcsec`;
  throw new TocsinError("BAD_ARGUMENT", `A neighbour's radius must lie ${bound}, not ${radiusArcsec}.`);
}

/** The `first` nearest after the key. Separations are all of domain/sky, so that a cursor's is met again to the last bit. */
export function pageOfCone(matches: readonly ConeMatch[], first: number, after: ConeKey | null): ConeMatch[] {
  return matches
    .filter((match) => after === null || nearestFirst(keyOf(match), after) > 0)
    .sort((a, b) => nearestFirst(keyOf(a), keyOf(b)))
    .slice(0, first);
}

/** The cells around each position, and which positions ask for each. */
export function positionsByCell(ra: Float64Array, dec: Float64Array, radiusArcsec: number): Map<number, number[]> {
  const asking = new Map<number, number[]>();
  for (let index = 0; index < ra.length; index++) {
    for (const cell of cellsAround(ra[index]!, dec[index]!, radiusArcsec)) {
      const positions = asking.get(cell);
      if (positions === undefined) asking.set(cell, [index]);
      else positions.push(index);
    }
  }
  return asking;
}

const keyOf = ({ object, separationArcsec }: ConeMatch): ConeKey => ({
  separationArcsec,
  survey: object.survey,
  objectId: object.objectId,
});

export function nearestFirst(a: ConeKey, b: ConeKey): number {
  if (a.separationArcsec !== b.separationArcsec) return a.separationArcsec - b.separationArcsec;
  if (a.survey !== b.survey) return a.survey < b.survey ? -1 : 1;
  return a.objectId < b.objectId ? -1 : a.objectId > b.objectId ? 1 : 0;
}

function objectsOf(block: Block): SkyObject[] {
  const survey = strings(block, "survey");
  const objectId = strings(block, "objectId");
  const ra = numbers(block, "latestRa");
  const dec = numbers(block, "latestDec");
  const firstJd = numbers(block, "firstJd");
  const lastJd = numbers(block, "lastJd");
  const alertCount = bigints(block, "alertCount");
  const latestCandid = bigints(block, "latestCandid");
  return eachRow(block, (row) => ({
    survey: survey[row]!,
    objectId: objectId[row]!,
    ra: ra[row]!,
    dec: dec[row]!,
    firstJd: firstJd[row]!,
    lastJd: lastJd[row]!,
    alertCount: Number(alertCount[row]!),
    latestCandid: latestCandid[row]!,
  }));
}
