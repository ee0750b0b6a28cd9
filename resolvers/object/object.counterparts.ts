// Counterparts of an object as the caller may know them. Called by object.resolver.ts.

import { separationArcsec } from "../../domain/sky.js";
import type { Survey } from "../../domain/survey.js";
import type { CounterpartType, SkyObjectType } from "../../schema/object/object.type.js";
import { type Context, surveyOf } from "../context.js";
import { shownObject } from "../shown.js";

/**
 * A link may stand because of a position that only a partnership alert has: who may not see all alerts of both surveys
 * is told the distance of the positions that it sees, and nothing of a pair that these do not make one. As of a time the
 * positions of that time decide.
 */
export async function visibleCounterparts(
  root: Pick<SkyObjectType, "survey" | "objectId" | "ra" | "dec" | "asOf">,
  context: Context,
): Promise<CounterpartType[]> {
  const { loaders, viewer } = context;
  const asOf = root.asOf ?? null;
  const seesAll = (survey: Survey) => viewer.programids.get(survey) === "all";
  const radius = (survey: Survey) => surveyOf(context, survey).counterpartRadiusArcsec;
  const linked = await loaders.counterparts.load({ survey: root.survey, objectId: root.objectId });
  const shown = await Promise.all(
    linked.map(async (counterpart): Promise<CounterpartType | null> => {
      const object = await loaders.object.load({ survey: counterpart.survey, id: counterpart.objectId, asOf });
      if (object === null) return null;
      const own = { separationArcsec: counterpart.separationArcsec, object: shownObject(object, asOf) };
      if (asOf === null && seesAll(root.survey) && seesAll(object.survey)) return own;
      const seen = separationArcsec(root.ra, root.dec, object.ra, object.dec);
      return seen > Math.min(radius(root.survey), radius(object.survey)) ? null : { ...own, separationArcsec: seen };
    }),
  );
  return shown.filter((counterpart) => counterpart !== null).sort((a, b) => a.separationArcsec - b.separationArcsec);
}
