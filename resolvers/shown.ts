// Domain rows as the API shows them: times added, keys kept for the links. Used by every area.
import type { Alert } from "../domain/alert.js";
import { alertCursor } from "../domain/cursor.js";
import { TocsinError } from "../domain/errors.js";
import type { ObjectPlace, SkyObject } from "../domain/skyobject.js";
import type { Survey } from "../domain/survey.js";
import type { AlertEdgeType, AlertType } from "../schema/alert/alert.type.js";
import type { SkyObjectType } from "../schema/object/object.type.js";
import type { Context } from "./context.js";

/** `asOf`: the time at which it stood so. */
export const shownAlert = (alert: Alert, asOf: number | null = null): AlertType => ({ ...alert, time: alert.jd, asOf });

/** `asOf`: the time at which it stood so. */
export const shownObject = (object: SkyObject, asOf?: number | null): SkyObjectType => ({
  ...object,
  asOf: asOf ?? null,
  firstSeen: object.firstJd,
  lastSeen: object.lastJd,
});

/** An object of which only the place is known; its other fields are loaded where they are asked for. */
export class ShownPlace implements SkyObjectType {
  readonly survey: Survey;
  readonly objectId: string;
  readonly ra: number;
  readonly dec: number;
  readonly lastSeen: number;
  readonly latestCandid: bigint;
  readonly #objects: Context["loaders"]["object"];

  constructor(place: ObjectPlace, objects: Context["loaders"]["object"]) {
    this.survey = place.survey;
    this.objectId = place.objectId;
    this.ra = place.ra;
    this.dec = place.dec;
    this.lastSeen = place.lastJd;
    this.latestCandid = place.latestCandid;
    this.#objects = objects;
  }

  get firstSeen(): Promise<number> {
    return this.#whole().then((object) => object.firstJd);
  }

  get alertCount(): Promise<number> {
    return this.#whole().then((object) => object.alertCount);
  }

  async #whole(): Promise<SkyObject> {
    const { survey, objectId } = this;
    const object = await this.#objects.load({ survey, id: objectId });
    if (object === null) throw new TocsinError("NOT_FOUND", `There is no object ${survey} ${objectId}.`);
    return object;
  }
}

/** Edge of a list of alerts, whose cursor fits the query of this identity only. Made when asked for: most are not. */
class AlertEdge implements AlertEdgeType {
  readonly node: AlertType;
  readonly #alert: Alert;
  readonly #identity: string;

  constructor(alert: Alert, identity: string, asOf: number | null) {
    this.node = shownAlert(alert, asOf);
    this.#alert = alert;
    this.#identity = identity;
  }

  get cursor(): string {
    const { jd, candid, survey } = this.#alert;
    return alertCursor.encode(this.#identity, [jd, candid, survey]);
  }
}

export const alertEdge =
  (identity: string, asOf: number | null = null) =>
  (alert: Alert): AlertEdgeType =>
    new AlertEdge(alert, identity, asOf);
