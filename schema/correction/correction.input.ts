// Which corrections are asked for. Read by resolvers/correction.
import { Field, ID, InputType } from "type-graphql";
import type { Corrected } from "../../domain/correction.js";
import type { Survey } from "../../domain/survey.js";
import { SurveyEnum } from "../survey/survey.type.js";
import { CorrectedEnum } from "./correction.type.js";

@InputType({ description: "All of what is given must hold." })
export class CorrectionConditionsInput {
  @Field(() => SurveyEnum, { nullable: true })
  survey?: Survey | null;
  @Field(() => [ID], { nullable: true, description: "1 to 100." })
  objectIds?: string[] | null;
  @Field(() => [CorrectedEnum], { nullable: true })
  what?: Corrected[] | null;
  @Field(() => [ID], { nullable: true, description: "Of hits of these filters only; 1 to 100." })
  filterIds?: string[] | null;
  @Field(() => String, {
    nullable: true,
    description: "Name of a watch list: of alerts that it holds now, and of those that it holds no more.",
  })
  watchList?: string | null;
}
