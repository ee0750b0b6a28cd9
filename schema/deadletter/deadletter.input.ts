// Which dead letters. Read by resolvers/deadletter.
import { Field, InputType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@InputType({ description: "Conditions are ANDed." })
export class DeadLetterWhere {
  @Field(() => [Long], { nullable: true, description: "At most 1,000." })
  ids?: bigint[] | null;
  @Field(() => String, { nullable: true, description: "Its code: UNKNOWN_SCHEMA, MALFORMED and so on." })
  reason?: string | null;
  @Field(() => SurveyEnum, { nullable: true })
  survey?: Survey | null;
  @Field(() => String, { nullable: true, description: "Beginning of the source: a topic, a file, a folder." })
  source?: string | null;
  @Field(() => DateTime, { nullable: true, description: "Received then or later." })
  from?: number | null;
  @Field(() => DateTime, { nullable: true, description: "Received before then." })
  to?: number | null;
  @Field(() => Boolean, { nullable: true, description: "Taken in after all, or not." })
  replayed?: boolean | null;
}
