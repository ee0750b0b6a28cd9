// AlertWhere to the store's conditions, with every bound checked. Called by the alerts query.
import type { Cone } from "../../domain/skyobject.js";
import type { AlertWhere, TimeWindow } from "../../schema/alert/alert.input.js";
import type { AlertConditions } from "../../stores/alerts.store.js";
import { badArgument, cone, MAX_NAME, text } from "../bounds.js";

const MINUTES_PER_DAY = 1_440;
/** A hundred years: longer than any survey. */
const MAX_MINUTES = 100 * 365.25 * MINUTES_PER_DAY;

/** Throws BAD_ARGUMENT where no condition is given or one is out of its bounds. */
export function conditionsOf(where: AlertWhere): AlertConditions {
  const circle = circleOf(where);
  const conditions: AlertConditions = {
    ...(where.survey != null && { survey: where.survey }),
    ...(where.objectId != null && { objectId: text("objectId", where.objectId, MAX_NAME) }),
    ...(circle && { cone: circle }),
    ...(where.time != null && { time: windowOf(where.time) }),
    ...(where.class != null && { class: text("class", where.class, MAX_NAME) }),
    ...(where.solarSystemName != null && {
      solarSystemName: text("solarSystemName", where.solarSystemName, MAX_NAME),
    }),
  };
  if (Object.keys(conditions).length === 0) {
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

function windowOf({ start, minutes, end }: TimeWindow): { startJd: number; endJd: number } {
  if ((minutes == null) === (end == null)) {
    const found = end == null ? "neither" : "both";
    throw badArgument(`time must have exactly one of minutes and end, found ${found}.`, { argument: "time" });
  }
  const length = minutes ?? ((end as number) - start) * MINUTES_PER_DAY;
  if (!(length > 0 && length <= MAX_MINUTES)) {
    const name = end == null ? "minutes" : "end";
    const bound = end == null ? `above 0 and at most ${MAX_MINUTES}` : "after start, by at most 100 years";
    throw badArgument(`${name} must be ${bound}, found ${minutes ?? "a window without any time in it or too long"}.`, {
      argument: `time.${name}`,
    });
  }
  return { startJd: start, endJd: end ?? start + length / MINUTES_PER_DAY };
}
