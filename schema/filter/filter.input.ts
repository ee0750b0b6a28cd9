// What a filter is made and changed by. Read by resolvers/filter.
import { Field, InputType } from "type-graphql";
import type { StreamFormat } from "../../domain/filter.js";
import type { Survey } from "../../domain/survey.js";
import { SurveyEnum } from "../survey/survey.type.js";
import { StreamFormatEnum } from "./filter.type.js";

@InputType("AnnotationInput", { description: "A named value to compute for every hit." })
export class AnnotationInput {
  @Field(() => String, { description: "A letter or _, then letters, digits and _; at most 50 in all." })
  name!: string;
  @Field(() => String, { description: "An expression in the filter language." })
  expression!: string;
}

@InputType("FilterStreamInput", { description: "Publish the hits to a Kafka topic, from now on." })
export class FilterStreamInput {
  @Field(() => StreamFormatEnum)
  format!: StreamFormat;
}

@InputType("CreateFilterInput")
export class CreateFilterInput {
  @Field(() => String)
  name!: string;
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => String, { description: "The condition, in the filter language." })
  where!: string;
  @Field(() => [AnnotationInput], { nullable: true })
  annotations?: AnnotationInput[] | null;
  @Field(() => Boolean, { nullable: true, defaultValue: true })
  active?: boolean | null;
  @Field(() => FilterStreamInput, { nullable: true })
  stream?: FilterStreamInput | null;
}

@InputType("UpdateFilterInput", { description: "What is absent or null stays; but a stream that is null ends." })
export class UpdateFilterInput {
  @Field(() => String, { nullable: true })
  name?: string | null;
  @Field(() => String, { nullable: true })
  where?: string | null;
  @Field(() => [AnnotationInput], { nullable: true, description: "Replaces all; an empty list removes them." })
  annotations?: AnnotationInput[] | null;
  @Field(() => Boolean, { nullable: true })
  active?: boolean | null;
  @Field(() => String, { nullable: true, description: "Why, kept with the version that this change makes." })
  changelog?: string | null;
  @Field(() => FilterStreamInput, {
    nullable: true,
    description: "Null ends it. Another format is another topic, which begins with the hits from now on.",
  })
  stream?: FilterStreamInput | null;
}
