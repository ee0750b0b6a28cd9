// Filters, their versions, what they may read and what a check says. Filled by resolvers/filter.
import { Field, ID, Int, ObjectType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { PageInfoType } from "../paging/pageinfo.type.js";
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
  @Field(() => FilterVersionType, { description: "The version in force." })
  version!: FilterVersionType;
  @Field(() => [FilterVersionType], { description: "Oldest first." })
  versions!: FilterVersionType[];
}

@ObjectType("FilterEdge", { simpleResolvers: true })
export class FilterEdgeType {
  @Field(() => String)
  cursor!: string;
  @Field(() => FilterType)
  node!: FilterType;
}

@ObjectType("FilterConnection", { simpleResolvers: true })
export class FilterConnectionType {
  @Field(() => [FilterEdgeType])
  edges!: FilterEdgeType[];
  @Field(() => PageInfoType)
  pageInfo!: PageInfoType;
}
