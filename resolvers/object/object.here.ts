// Objects in the circle of everythingHere.
import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { EverythingHereType } from "../../schema/archival/archival.type.js";
import { searchCost } from "../../schema/cost.js";
import { ConeConnectionType } from "../../schema/object/object.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import type { Context } from "../context.js";
import { search } from "./object.cone.js";

@Resolver(() => EverythingHereType)
export class ObjectsHereResolver {
  @FieldResolver(() => ConeConnectionType, {
    complexity: searchCost,
    description: "Objects of all surveys, nearest first: their light curves have all that alerts told.",
  })
  objects(
    @Root() { ra, dec, radiusArcsec }: EverythingHereType,
    @Ctx() context: Context,
    @Arg("survey", () => SurveyEnum, { nullable: true }) survey: Survey | null | undefined,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<ConeConnectionType> {
    return search(context, { ra, dec, radiusArcsec }, survey ?? null, page);
  }
}
