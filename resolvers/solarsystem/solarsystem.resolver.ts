// Known bodies of the solar system by their designations, and their alerts over all objectIds.
import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from "type-graphql";
import { alertCursor, queryIdentity } from "../../domain/cursor.js";
import type { Survey } from "../../domain/survey.js";
import { AlertConnectionType } from "../../schema/alert/alert.type.js";
import { findCost, searchCost } from "../../schema/cost.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { SolarSystemObjectType } from "../../schema/solarsystem/solarsystem.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { MAX_NAME, pageSize, text } from "../bounds.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";
import { alertEdge } from "../shown.js";

@Resolver(() => SolarSystemObjectType)
export class SolarSystemResolver {
  @Query(() => SolarSystemObjectType, {
    nullable: true,
    complexity: findCost,
    description: "Null where no alert that the caller may see has this designation.",
  })
  async solarSystemObject(
    @Ctx() { stores, viewer }: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("name", () => String, { description: "Designation, exactly as the survey names it." }) name: string,
  ): Promise<SolarSystemObjectType | null> {
    const conditions = { survey, solarSystemName: text("name", name, MAX_NAME) };
    const [latest] = await stores.alerts.page(viewer, conditions, 1, null);
    return latest === undefined ? null : { survey, name, lastSeen: latest.jd };
  }

  @FieldResolver(() => AlertConnectionType, { complexity: searchCost, description: "Newest first." })
  async alerts(
    @Root() { survey, name }: SolarSystemObjectType,
    @Ctx() { stores, viewer }: Context,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<AlertConnectionType> {
    const first = pageSize(page.first);
    const identity = queryIdentity("solarsystem", survey, name);
    const after = page.after == null ? null : alertCursor.decode(identity, page.after);
    const key = after && { jd: after[0], candid: after[1], survey: after[2] };
    const alerts = await stores.alerts.page(viewer, { survey, solarSystemName: name }, first + 1, key);
    return connection(alerts, first, alertEdge(identity));
  }
}
