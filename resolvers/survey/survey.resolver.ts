// The surveys that this service knows.
import { Ctx, Query, Resolver } from "type-graphql";
import { SurveyInfoType } from "../../schema/survey/survey.type.js";
import type { Context } from "../context.js";

@Resolver()
export class SurveyResolver {
  @Query(() => [SurveyInfoType], { description: "The surveys that this service knows." })
  surveys(@Ctx() { services }: Context): SurveyInfoType[] {
    return [...services.surveys.values()];
  }
}
