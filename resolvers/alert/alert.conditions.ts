// AlertWhere to the store's conditions, with every bound checked. Called by the alerts query.
import type { Cone } from "../../domain/skyobject.js";
import type { AlertWhere } from "../../schema/alert/alert.input.js";
import type { AlertConditions } from "../../stores/alerts.store.js";
import { badArgument, cone, MAX_NAME, text } from "../bounds.js";
import { windowOf } from "../timewindow.js";

/** Throws BAD_ARGUMENT where no condition is given or one is out of its bounds. */
export function conditionsOf(where: AlertWhere): AlertConditions {
  const circle = circleOf(where);
  const conditions: AlertConditions = {
    ...(where.survey != null && { survey: where.survey }),
    ...(where.objectId != null && { objectId: text("objectId", where.objectId, MAX_NAME) }),
    ...(circle && { cone: circle }),
    ...(where.time != null && { time: windowOf("time", where.time) }),
    ...(where.class != null && { class: text("class", where.class, MAX_NAME) }),
    ...(where.solarSystemName != null && {
      solarSystemName: text("solarSystemName", where.solarSystemName, MAX_NAME),
    }),
  };
  if (Object.keys(conditions).length === 0 && where.matches == null) {
    throw badArgument("where must have at least one condition, found none.", { argument: "where" });
  }
  return conditions;
}

function circleOf(where: AlertWhere): Cone | null {
  if (where.cone != null && where.coneAt != null) {
    throw badArgument("where must have at most one of cone and coneAt, found both.", { argument: "coneAt" });
  }
  if (where.coneAt != null) return cone({ ...where.coneAt.position, radiusArcsec: where.coneAt.radiusArcsec });
  return where.cone == null ? null : cone(where.cone);
}
