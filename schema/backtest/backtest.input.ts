// Which two texts are compared. Read by resolvers/backtest.
import { Field, ID, InputType, Int } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { SurveyEnum } from "../survey/survey.type.js";

@InputType("FilterDifferenceInput", {
  description:
    "Versions of a filter, or texts: of each side a version or a text. Without a filter, survey and both texts.",
})
export class FilterDifferenceInput {
  @Field(() => ID, { nullable: true })
  filterId?: string | null;
  @Field(() => SurveyEnum, { nullable: true, description: "Only without filterId." })
  survey?: Survey | null;
  @Field(() => Int, {
    nullable: true,
    description: "Default: the version in force where `to` is a text, else the one before `toVersion`.",
  })
  fromVersion?: number | null;
  @Field(() => Int, { nullable: true, description: "Default: the version in force." })
  toVersion?: number | null;
  @Field(() => String, { nullable: true, description: "A condition in the filter language." })
  from?: string | null;
  @Field(() => String, { nullable: true, description: "A condition in the filter language." })
  to?: string | null;
}
