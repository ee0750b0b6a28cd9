// Which object of another survey was the counterpart of an alert at its time: one SQL text, in which the stream asks for its
// batches (NearestStore, made by stores.ts) and reads of the archive for theirs (enriched/counterparts.ts).
import type { Block } from "../../domain/columns.js";
import { REACH } from "../../domain/healpix.js";
import type { NearestStore, OtherSurvey } from "../counterparts.store.js";
import { bigints, blockOf, chosen, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";
import { sqlText } from "./http.form.js";

export class ArchiveNearest implements NearestStore {
  constructor(private readonly client: ArchiveClient) {}

  async nearest(alerts: Block, other: OtherSurvey): Promise<(string | null)[]> {
    if (alerts.rows === 0) return [];
    const asked = blockOf(alerts.rows, chosen(alerts, ["jd", "candid", "ra", "dec"]));
    const { nearest } = nearestObjects("SELECT jd, candid, ra, dec FROM asked", other);
    const found = await this.client.query(
      `SELECT candid, objectId FROM (${nearest}) SETTINGS ${EVALUATION_SETTINGS}`,
      {},
      { external: [{ name: "asked", block: asked }] },
    );
    const objectIds = strings(found, "objectId");
    const of = new Map(Array.from(bigints(found, "candid"), (candid, row) => [candid, objectIds[row]!]));
    return Array.from(bigints(asked, "candid"), (candid) => of.get(candid) ?? null);
  }
}

export interface Nearest {
  /** SELECT of the objectId of everything that could be the counterpart of one of the places. */
  readonly candidates: string;
  /**
   * SELECT of jd, candid and objectId, a row for each place that has a counterpart: of the other survey's objects whose
   * position at that time (that of their latest public alert up to jd) is within the radius, the nearest; of equally
   * near ones the first by objectId.
   */
  readonly nearest: string;
}

/** `places`: a SELECT of jd, candid, ra, dec of alerts. */
export function nearestObjects(places: string, other: OtherSurvey): Nearest {
  const isPublic = `survey = ${sqlText(other.survey)} AND programid IN (${other.publicProgramids.join(", ")})`;
  const order = coverOrder(other.radiusArcsec);
  const cells = coverOf(places, other.radiusArcsec, order);
  const coarse = `intDiv(cell, ${4 ** (CELL_ORDER - order)})`;
  // A row tells of the cell in which its object was some time: its position then was no farther away than a cell is wide.
  const near = `SELECT DISTINCT c.jd AS jd, c.candid AS candid, c.ra AS ra, c.dec AS dec, p.objectId AS objectId
    FROM (${cells}) AS c INNER JOIN (
      SELECT ${coarse} AS cover, objectId, ra, dec FROM positions AS placed
      WHERE ${isPublic} AND ${coarse} GLOBAL IN (SELECT cell FROM (${cells}))
    ) AS p ON c.cell = p.cover
    WHERE ${separation("c", "p")} <= ${other.radiusArcsec + CELL_ARCSEC}`;
  const candidates = `SELECT objectId FROM (${near})`;
  const steps = `SELECT objectId, jd, argMax(ra, candid) AS ra, argMax(dec, candid) AS dec FROM object_alerts AS told
    WHERE ${isPublic} AND objectId GLOBAL IN (${candidates}) GROUP BY objectId, jd`;
  const apart = `SELECT n.jd AS jd, n.candid AS candid, n.objectId AS objectId, ${separation("n", "o")} AS separation
    FROM (${near}) AS n ASOF INNER JOIN (${steps}) AS o ON n.objectId = o.objectId AND n.jd >= o.jd`;
  return {
    candidates,
    nearest: `SELECT jd, candid, argMin(objectId, (separation, objectId)) AS objectId FROM (${apart})
      WHERE separation <= ${other.radiusArcsec} GROUP BY jd, candid`,
  };
}

/** Of the table `positions`: migrations/0001-alerts.ts. */
const CELL_ORDER = 16;
const ARCSEC = 180 * 3600;
/** More than any two points of such a cell are apart. */
const CELL_ARCSEC = (2 * REACH * ARCSEC) / Math.PI / 2 ** CELL_ORDER;

/** The circle on which a cover is sampled is so many radii wide. */
const RING = 8;
const RING_POINTS = 12;

/**
 * The finest order whose cells are found by the circle. A cell that meets the disc holds, from a point of the disc on, a
 * wedge of at least 52 degrees (the smallest angle of a HEALPix pixel) whose sides are half the cell's: as far as the
 * circle, if half a side is RING + 1 radii divided by the sine of 52 degrees. Seen from the middle of the disc the wedge
 * covers at least 52 - 2 asin(1 / RING) = 37 degrees of the circle, whose points are 30 apart. Sides are at least 0.8 of
 * the square root of a cell's area.
 */
function coverOrder(radiusArcsec: number): number {
  const side = (2 * (RING + 1) * radiusArcsec) / Math.sin((52 * Math.PI) / 180);
  const whole = 0.8 * Math.sqrt(Math.PI / 3) * (ARCSEC / Math.PI);
  return Math.min(CELL_ORDER, Math.floor(Math.log2(whole / side)));
}

/** The places with the nested cells of that order that meet their discs: jd, candid, ra, dec, cell. */
function coverOf(places: string, radiusArcsec: number, order: number): string {
  const radius = (RING * radiusArcsec * Math.PI) / ARCSEC;
  const bearings = Array.from({ length: RING_POINTS }, (_, n) => (2 * Math.PI * n) / RING_POINTS);
  const key = "jd, candid, ra, dec";
  const sampled = `SELECT ${key}, radians(dec) AS north, arrayJoin([${bearings.join(", ")}]) AS bearing FROM (${places})`;
  const risen = `SELECT ${key}, north, bearing,
    sin(north) * ${Math.cos(radius)} + cos(north) * ${Math.sin(radius)} * cos(bearing) AS z FROM (${sampled})`;
  const turned = `SELECT ${key}, z, ra / 45 + atan2(sin(bearing) * ${Math.sin(radius)} * cos(north),
    ${Math.cos(radius)} - sin(north) * z) * ${4 / Math.PI} AS turns FROM (${risen})`;
  // From here on as domain/healpix.ts has it, which says whose formulas these are.
  const plane = `SELECT ${key}, z, turns - 8 * floor(turns / 8) AS x, (x + 1.5 * z + 1) / 2 AS rising,
    (1.5 * z + 1 - x) / 2 AS falling, floor(rising) AS a, least(floor(falling), 1 - a) AS b,
    least(floor(x / 2), 3) AS quarter, x - 2 * quarter - 1 AS t, sqrt(3 * greatest(0, 1 - abs(z))) AS sigma FROM (${turned})`;
  const onFace = `SELECT ${key},
    multiIf(z > 2 / 3, quarter, z < -2 / 3, quarter + 8, a + b > 0, positiveModulo(-b, 4),
      positiveModulo(a, 4) + if(a + b = 0, 4, 8)) AS face,
    multiIf(z > 2 / 3, 1 - sigma * (1 - t) / 2, z < -2 / 3, sigma * (1 + t) / 2, rising - a) AS east,
    multiIf(z > 2 / 3, 1 - sigma * (1 + t) / 2, z < -2 / 3, sigma * (1 - t) / 2, falling - b) AS up FROM (${plane})`;
  const index = (fraction: string) =>
    `toUInt32(greatest(0, least(${2 ** order - 1}, floor(${fraction} * ${2 ** order}))))`;
  return `SELECT DISTINCT ${key}, toUInt64(face) * ${4 ** order} + mortonEncode(${index("east")}, ${index("up")}) AS cell
    FROM (${onFace})`;
}

/** Arcsec between the places of two tables: Vincenty's form, as domain/sky.ts has it. */
function separation(one: string, other: string): string {
  const [d1, d2] = [`radians(${one}.dec)`, `radians(${other}.dec)`];
  const turn = `radians(${other}.ra - ${one}.ra)`;
  return `degrees(atan2(
    hypot(cos(${d2}) * sin(${turn}), cos(${d1}) * sin(${d2}) - sin(${d1}) * cos(${d2}) * cos(${turn})),
    sin(${d1}) * sin(${d2}) + cos(${d1}) * cos(${d2}) * cos(${turn}))) * 3600`;
}
