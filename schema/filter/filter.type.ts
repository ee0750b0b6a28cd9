// Filters, their versions, what they may read and what a check says. Filled by resolvers/filter.
import { Field, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import type { StreamFormat } from "../../domain/filter.js";
import type { Survey } from "../../domain/survey.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@ObjectType("FilterField", { simpleResolvers: true, description: "A name that a filter may use." })
export class FilterFieldType {
  @Field(() => String)
  name!: string;
  @Field(() => String)
  type!: string;
  @Field(() => String, { nullable: true })
  unit!: string | null;
  @Field(() => String)
  description!: string;
}

@ObjectType("FilterExample", { simpleResolvers: true, description: "A filter to begin with." })
export class FilterExampleType {
  @Field(() => String, { description: "Unique within its survey: young-supernova." })
  name!: string;
  @Field(() => String)
  title!: string;
  @Field(() => String, { description: "What it catches, and who uses such cuts." })
  description!: string;
  @Field(() => String, { description: "The condition, with its comments." })
  where!: string;
}

@ObjectType("FilterError", { simpleResolvers: true })
export class FilterErrorType {
  @Field(() => String)
  message!: string;
  @Field(() => Int, { description: "From 1." })
  line!: number;
  @Field(() => Int, { description: "From 1." })
  column!: number;
}

@ObjectType("FilterCheck", { simpleResolvers: true })
export class FilterCheckType {
  @Field(() => Boolean)
  ok!: boolean;
  @Field(() => [FilterErrorType])
  errors!: readonly FilterErrorType[];
  @Field(() => [FilterErrorType], { description: "What runs but is probably not meant, unlike units for example." })
  warnings!: readonly FilterErrorType[];
  @Field(() => [String])
  fieldsRead!: readonly string[];
  /** Not shown: what was checked. Cost, funnel and alerts per night are measured by resolvers/backtest. */
  survey!: Survey;
  where!: string;
}

@ObjectType("Annotation", { simpleResolvers: true, description: "A named value computed for every hit." })
export class AnnotationType {
  @Field(() => String)
  name!: string;
  @Field(() => String)
  expression!: string;
}

@ObjectType("FilterVersion", { simpleResolvers: true })
export class FilterVersionType {
  @Field(() => Int, { description: "From 1." })
  number!: number;
  @Field(() => String, { description: "The condition, in the filter language." })
  where!: string;
  @Field(() => [AnnotationType])
  annotations!: readonly AnnotationType[];
  @Field(() => DateTime)
  createdAt!: number;
  @Field(() => String, { nullable: true })
  changelog!: string | null;
}

export const StreamFormatEnum: { readonly [format in StreamFormat]: format } = { AVRO: "AVRO", JSON: "JSON" };
registerEnumType(StreamFormatEnum, {
  name: "StreamFormat",
  description: "How the messages of a filter's topic are written.",
  valuesConfig: {
    AVRO: { description: "By the schema at /streams/hits.avsc; the first bytes of a message name it." },
    JSON: { description: "As the API answers: 64-bit ids are decimal strings." },
  },
});

@ObjectType("FilterStream", { simpleResolvers: true, description: "The Kafka topic that gets a filter's hits." })
export class FilterStreamType {
  @Field(() => StreamFormatEnum)
  format!: StreamFormat;
  @Field(() => String, { description: "Made of the filter's id and the format: renaming the filter changes nothing." })
  topic!: string;
}

@ObjectType("Filter", { simpleResolvers: true })
export class FilterType {
  @Field(() => ID)
  id!: string;
  @Field(() => String)
  name!: string;
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => Boolean, { description: "Whether it runs on the live stream." })
  active!: boolean;
  @Field(() => FilterStreamType, { nullable: true, description: "Null where the hits are not published to Kafka." })
  stream!: FilterStreamType | null;
  @Field(() => FilterVersionType, { description: "The version in force." })
  version!: FilterVersionType;
  @Field(() => [FilterVersionType], { description: "Oldest first." })
  versions!: FilterVersionType[];
}

@ObjectType("FilterEdge", { simpleResolvers: true })
export class FilterEdgeType extends edgeOf(FilterType) {}

@ObjectType("FilterConnection", { simpleResolvers: true })
export class FilterConnectionType extends connectionOf(FilterEdgeType) {}
