// Domain rows as the API shows them: times added, keys kept for the links. Used by every area.
import type { Alert } from "../domain/alert.js";
import { alertCursor } from "../domain/cursor.js";
import { TocsinError } from "../domain/errors.js";
import type { ObjectPlace, SkyObject } from "../domain/skyobject.js";
import type { AlertEdgeType, AlertType } from "../schema/alert/alert.type.js";
import type { SkyObjectType } from "../schema/object/object.type.js";
import type { Context } from "./context.js";

export const shownAlert = (alert: Alert): AlertType => ({ ...alert, time: alert.jd });

export const shownObject = (object: SkyObject): SkyObjectType => ({
  ...object,
  firstSeen: object.firstJd,
  lastSeen: object.lastJd,
});

/** An object of which only the place is known; its other fields are loaded where they are asked for. */
export function shownPlace(place: ObjectPlace, { object: objects }: Context["loaders"]): SkyObjectType {
  const whole = async (): Promise<SkyObject> => {
    const object = await objects.load({ survey: place.survey, id: place.objectId });
    if (object === null) throw new TocsinError("NOT_FOUND", `There is no object ${place.survey} ${place.objectId}.`);
    return object;
  };
  return {
    ...place,
    lastSeen: place.lastJd,
    get firstSeen() {
      return whole().then((object) => object.firstJd);
    },
    get alertCount() {
      return whole().then((object) => object.alertCount);
    },
  };
}

/** Edge of a list of alerts, whose cursor fits the query of this identity only. Made when asked for: most are not. */
export const alertEdge =
  (identity: string) =>
  (alert: Alert): AlertEdgeType => ({
    get cursor() {
      return alertCursor.encode(identity, [alert.jd, alert.candid, alert.survey]);
    },
    node: shownAlert(alert),
  });
