// How far archived alerts have been matched with a catalog. Filled by resolvers/crossmatch.
import { Field, ObjectType } from "type-graphql";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@ObjectType("Rematch", {
  simpleResolvers: true,
  description: "How far alerts that were archived before the catalog came or changed have been matched with it.",
})
export class RematchType {
  @Field(() => SurveyEnum)
  survey!: string;
  @Field(() => Long, { description: "Alerts that are done." })
  done!: bigint;
  @Field(() => Long, { description: "Alerts that there were when it began." })
  total!: bigint;
  @Field(() => Boolean)
  complete!: boolean;
}
