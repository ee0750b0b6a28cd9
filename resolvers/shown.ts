// Domain rows as the API shows them: times added, keys kept for the links. Used by every area.
import type { Alert } from "../domain/alert.js";
import { alertCursor } from "../domain/cursor.js";
import type { SkyObject } from "../domain/skyobject.js";
import type { AlertEdgeType, AlertType } from "../schema/alert/alert.type.js";
import type { SkyObjectType } from "../schema/object/object.type.js";

export const shownAlert = (alert: Alert): AlertType => ({ ...alert, time: alert.jd });

export const shownObject = (object: SkyObject): SkyObjectType => ({
  ...object,
  firstSeen: object.firstJd,
  lastSeen: object.lastJd,
});

/** Edge of a list of alerts, whose cursor fits the query of this identity only. Made when asked for: most are not. */
export const alertEdge =
  (identity: string) =>
  (alert: Alert): AlertEdgeType => ({
    get cursor() {
      return alertCursor.encode(identity, [alert.jd, alert.candid, alert.survey]);
    },
    node: shownAlert(alert),
  });
