// PhotometryStore on ClickHouse: light curves merged as they are read. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import {
  type Detection,
  type ForcedPoint,
  type LightCurve,
  type NonDetection,
  POINT_KIND,
} from "../../domain/photometry.js";
import type { Survey } from "../../domain/survey.js";
import { maySee, type Viewer } from "../../domain/viewer.js";
import type { PhotometryStore } from "../photometry.store.js";
import { bigints, numbers, strings } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { precedence } from "./precedence.js";
import { visibleIn } from "./visibility.js";

const MAX_OBJECTS = 1_000;
const COLUMNS =
  "objectId, kind, pointId, jd, band, magnitude, magnitudeError, flux, fluxError, limitingMagnitude, zeroPoint, isPositive, programid";

export class ArchivePhotometry implements PhotometryStore {
  constructor(private readonly client: ArchiveClient) {}

  async lightCurves(
    viewer: Viewer,
    survey: Survey,
    objectIds: readonly string[],
    asOf: number | null = null,
  ): Promise<Map<string, LightCurve>> {
    if (objectIds.length > MAX_OBJECTS) {
      throw new TocsinError("BAD_ARGUMENT", `At most ${MAX_OBJECTS} light curves at once, not ${objectIds.length}.`);
    }
    if (visibleIn(viewer, survey) === null || objectIds.length === 0) return new Map();
    const known = asOf === null ? LATEST : KNOWN_THEN;
    // Each point's latest telling is taken before it is asked whether that one may be seen. A second SELECT around this
    // one, for rights and time, would cost the engine as much again for a few objects: most of their time is its planning.
    const block = await this.client.query(
      `SELECT ${COLUMNS} FROM tellings
      WHERE survey = {survey:String} AND objectId IN {objectIds:Array(String)} AND ${known.where}
      ORDER BY objectId, kind, pointId, ${known.lastTold} DESC, firstTold DESC LIMIT 1 BY objectId, kind, pointId
      SETTINGS enable_analyzer = 0`,
      { survey, objectIds, ...(asOf !== null && { asOf }) },
    );
    return curvesOf(block, (programid) => maySee(viewer, survey, programid));
  }
}

const LATEST = { where: "1", lastTold: "lastTold" };
/**
 * What alerts up to `asOf` told. A telling that was repeated later counts as told the first time only: when it was told
 * again is not known, and until then another one may have taken its place.
 */
const THEN = precedence("{asOf:Float64}", (2n ** 63n - 1n).toString());
const KNOWN_THEN = { where: `firstTold <= ${THEN}`, lastTold: `if(lastTold <= ${THEN}, lastTold, firstTold)` };

interface Curve {
  readonly detections: Detection[];
  readonly nonDetections: NonDetection[];
  readonly forced: ForcedPoint[];
}

/** Value of a row; -inf is a missing one. */
function finiteOrNull(block: Block, name: string): (row: number) => number | null {
  const values = numbers(block, name);
  return (row) => (values[row] === Number.NEGATIVE_INFINITY ? null : values[row]!);
}

/** Rows are ordered by object, kind and id; a curve's points by time, at one time by id. */
function curvesOf(block: Block, isVisible: (programid: number) => boolean): Map<string, LightCurve> {
  const objectId = strings(block, "objectId");
  const kind = numbers(block, "kind");
  const pointId = bigints(block, "pointId");
  const jd = numbers(block, "jd");
  const band = strings(block, "band");
  const magnitude = finiteOrNull(block, "magnitude");
  const magnitudeError = finiteOrNull(block, "magnitudeError");
  const flux = finiteOrNull(block, "flux");
  const fluxError = finiteOrNull(block, "fluxError");
  const limitingMagnitude = finiteOrNull(block, "limitingMagnitude");
  const zeroPoint = finiteOrNull(block, "zeroPoint");
  const isPositive = numbers(block, "isPositive");
  const programid = numbers(block, "programid");

  const curves = new Map<string, Curve>();
  let curve: Curve = { detections: [], nonDetections: [], forced: [] };
  let of: string | undefined;
  for (let row = 0; row < block.rows; row++) {
    if (!isVisible(programid[row]!)) continue;
    if (objectId[row] !== of) {
      of = objectId[row];
      curve = { detections: [], nonDetections: [], forced: [] };
      curves.set(of!, curve);
    }
    const at = { jd: jd[row]!, band: band[row]! };
    if (kind[row] === POINT_KIND.detection) {
      curve.detections.push({
        candid: pointId[row]!,
        ...at,
        magnitude: magnitude(row),
        magnitudeError: magnitudeError(row),
        flux: flux(row),
        fluxError: fluxError(row),
        isPositive: isPositive[row] === 1,
      });
    } else if (kind[row] === POINT_KIND.forced) {
      curve.forced.push({ ...at, flux: flux(row), fluxError: fluxError(row), zeroPoint: zeroPoint(row) });
    } else {
      const limit = limitingMagnitude(row);
      // A limit without a value tells nothing.
      if (limit !== null) curve.nonDetections.push({ ...at, limitingMagnitude: limit });
    }
  }
  // Sorting keeps the order of what is equal.
  for (const { detections, nonDetections, forced } of curves.values()) {
    for (const points of [detections, nonDetections, forced]) points.sort((a, b) => a.jd - b.jd);
  }
  return curves;
}
