// Queries of objects by id and by place, and an object's alerts, light curve and counterparts.
import { Arg, Args, Ctx, FieldResolver, Float, ID, Query, Resolver, Root } from "type-graphql";
import { alertCursor, queryIdentity } from "../../domain/cursor.js";
import { TocsinError } from "../../domain/errors.js";
import { EMPTY_LIGHT_CURVE } from "../../domain/photometry.js";
import type { Survey } from "../../domain/survey.js";
import { AlertConnectionType, AlertType } from "../../schema/alert/alert.type.js";
import { idsCost, lookupCost, pageCost, searchCost } from "../../schema/cost.js";
import { LightCurveType } from "../../schema/object/lightcurve.type.js";
import { ConeConnectionType, CounterpartType, SkyObjectType } from "../../schema/object/object.type.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { DateTime } from "../../schema/scalars/datetime.scalar.js";
import { type Coordinates, Position } from "../../schema/scalars/position.scalar.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { list, MAX_NAME, pageSize, text } from "../bounds.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";
import { alertEdge, shownAlert, shownObject } from "../shown.js";
import { search } from "./object.cone.js";
import { visibleCounterparts } from "./object.counterparts.js";

const AS_OF =
  "As it stood at that time, to the millisecond as times are shown: what alerts up to then had told, and matches that were known then. Null where none had come.";
/** Times are shown rounded to the millisecond: an alert is there at the time that it shows. */
const HALF_MS = 0.5 / 86_400_000;
const upTo = (asOf: number | null | undefined): number | null => (asOf == null ? null : asOf + HALF_MS);
/** No alert of that time comes behind it, newest first. */
const LAST_CANDID = 2n ** 63n - 1n;

@Resolver(() => SkyObjectType)
export class ObjectResolver {
  @Query(() => SkyObjectType, { nullable: true, complexity: lookupCost })
  async object(
    @Ctx() { loaders }: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("objectId", () => ID) objectId: string,
    @Arg("asOf", () => DateTime, { nullable: true, description: AS_OF }) asOf: number | null | undefined,
  ): Promise<SkyObjectType | null> {
    const time = upTo(asOf);
    const object = await loaders.object.load({ survey, id: text("objectId", objectId, MAX_NAME), asOf: time });
    return object && shownObject(object, time);
  }

  @Query(() => [SkyObjectType], {
    nullable: "items",
    complexity: idsCost,
    description: "In the order asked for; null where unknown. At most 1,000.",
  })
  async objects(
    @Ctx() { loaders }: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("objectIds", () => [ID]) objectIds: string[],
    @Arg("asOf", () => DateTime, { nullable: true, description: AS_OF }) asOf: number | null | undefined,
  ): Promise<(SkyObjectType | null)[]> {
    const ids = list("objectIds", objectIds, MAX_PAGE).map((id) => text("objectIds", id, MAX_NAME));
    const time = upTo(asOf);
    const objects = await Promise.all(ids.map((id) => loaders.object.load({ survey, id, asOf: time })));
    return objects.map((object) => object && shownObject(object, time));
  }

  @Query(() => ConeConnectionType, { complexity: searchCost, description: "Nearest first." })
  coneSearch(
    @Ctx() context: Context,
    @Arg("ra", () => Float, { description: "ICRS degrees, 0 to 360." }) ra: number,
    @Arg("dec", () => Float, { description: "ICRS degrees, -90 to 90." }) dec: number,
    @Arg("radiusArcsec", () => Float, { description: "Above 0, at most 36,000 (10 degrees)." }) radiusArcsec: number,
    @Arg("survey", () => SurveyEnum, { nullable: true }) survey: Survey | null | undefined,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<ConeConnectionType> {
    return search(context, { ra, dec, radiusArcsec }, survey ?? null, page);
  }

  @Query(() => ConeConnectionType, {
    complexity: searchCost,
    description: "coneSearch around a position as people write it. Nearest first.",
  })
  coneSearchAt(
    @Ctx() context: Context,
    @Arg("position", () => Position) position: Coordinates,
    @Arg("radiusArcsec", () => Float, { description: "Above 0, at most 36,000 (10 degrees)." }) radiusArcsec: number,
    @Arg("survey", () => SurveyEnum, { nullable: true }) survey: Survey | null | undefined,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<ConeConnectionType> {
    return search(context, { ...position, radiusArcsec }, survey ?? null, page);
  }

  @FieldResolver(() => AlertType)
  async latestAlert(@Root() object: SkyObjectType, @Ctx() { loaders }: Context): Promise<AlertType> {
    const alert = await loaders.alert.load({ survey: object.survey, id: object.latestCandid });
    if (alert === null) {
      throw new TocsinError("NOT_FOUND", `There is no alert ${object.survey} ${object.latestCandid}.`);
    }
    return shownAlert(alert, object.asOf);
  }

  @FieldResolver(() => AlertConnectionType, { complexity: pageCost, description: "Newest first." })
  async alerts(
    @Root() { survey, objectId, asOf }: SkyObjectType,
    @Ctx() { loaders, breathe }: Context,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<AlertConnectionType> {
    const first = pageSize(page.first);
    const identity = queryIdentity("object", survey, objectId, ...(asOf == null ? [] : [asOf]));
    const key = page.after == null ? null : alertCursor.decode(identity, page.after);
    const start = asOf == null ? null : { jd: asOf, candid: LAST_CANDID, survey };
    const after = key ? { jd: key[0], candid: key[1], survey: key[2] } : start;
    const alerts = await loaders.objectPage.load({ survey, objectId, first: first + 1, after });
    await breathe();
    return connection(alerts, first, alertEdge(identity, asOf));
  }

  @FieldResolver(() => LightCurveType)
  async lightCurve(
    @Root() { survey, objectId, asOf }: SkyObjectType,
    @Ctx() { loaders, breathe }: Context,
  ): Promise<LightCurveType> {
    const curve = await loaders.lightCurve.load({ survey, id: objectId, asOf });
    await breathe();
    const { detections, nonDetections, forced } = curve ?? EMPTY_LIGHT_CURVE;
    return {
      detections: detections.map((point) => ({ ...point, time: point.jd })),
      nonDetections: nonDetections.map((point) => ({ ...point, time: point.jd })),
      forced: forced.map((point) => ({ ...point, time: point.jd })),
    };
  }

  @FieldResolver(() => [CounterpartType], {
    complexity: ({ childComplexity }) => 5 + 3 * childComplexity,
    description: "The same source in other surveys, nearest first.",
  })
  counterparts(@Root() object: SkyObjectType, @Ctx() context: Context): Promise<CounterpartType[]> {
    return visibleCounterparts(object, context);
  }
}
