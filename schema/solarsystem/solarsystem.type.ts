// A known body of the solar system with its own history. Filled by resolvers/solarsystem.
import { Field, ObjectType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@ObjectType("SolarSystemObject", {
  simpleResolvers: true,
  description:
    "A body that the survey names. Surveys give its alerts many objectIds, one for each place where it was met: its history goes by the designation.",
})
export class SolarSystemObjectType {
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => String, { description: "Designation, as the survey names it." })
  name!: string;
  @Field(() => DateTime, { description: "Time of its latest alert that the caller may see." })
  lastSeen!: number;
}
