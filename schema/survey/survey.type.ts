// The Survey enum, whose values are the surveys registered at start, and what the API tells of a survey.
import { Field, Int, ObjectType, registerEnumType } from "type-graphql";
import type { Survey, SurveyDescription } from "../../domain/survey.js";

/** Filled by registerSurveys before the schema is built; type-graphql reads it then. */
export const SurveyEnum: Record<Survey, Survey> = {};
registerEnumType(SurveyEnum, { name: "Survey", description: "The surveys that this service knows." });

/** The values of the Survey enum, from the surveys' own descriptions. Called once, by resolvers/build. */
export function registerSurveys(surveys: Iterable<SurveyDescription>): void {
  for (const known of Object.keys(SurveyEnum)) delete SurveyEnum[known];
  for (const { id } of surveys) SurveyEnum[id] = id;
}

@ObjectType("SurveyInfo", { simpleResolvers: true, description: "A survey and what anybody may see of it." })
export class SurveyInfoType {
  @Field(() => SurveyEnum)
  id!: Survey;
  @Field(() => String, { description: "Full name." })
  title!: string;
  @Field(() => [String], { description: "Filter bands." })
  bands!: readonly string[];
  @Field(() => [Int], { description: "Values of programid that anybody may see." })
  publicProgramids!: readonly number[];
}
