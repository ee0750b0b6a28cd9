// Corrections: what has changed of objects since it was told. Filled by resolvers/correction.
import { Field, ID, ObjectType, registerEnumType } from "type-graphql";
import { CORRECTED, type Corrected } from "../../domain/correction.js";
import type { Survey } from "../../domain/survey.js";
import { PageInfoType } from "../paging/pageinfo.type.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

const CorrectedEnum = Object.fromEntries(CORRECTED.map((name) => [name, name])) as Record<Corrected, Corrected>;
registerEnumType(CorrectedEnum, { name: "Corrected", description: "What of an object is told anew." });

@ObjectType("Correction", { simpleResolvers: true, description: "Something of an object differs from what it was." })
export class CorrectionType {
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => ID)
  objectId!: string;
  @Field(() => Long, { description: "The alert of which it was told anew." })
  candid!: bigint;
  @Field(() => CorrectedEnum)
  what!: Corrected;
  @Field(() => String, { description: "The step that told it anew." })
  step!: string;
  @Field(() => String)
  version!: string;
  @Field(() => DateTime)
  toldAt!: number;
}

@ObjectType("CorrectionEdge", { simpleResolvers: true })
export class CorrectionEdgeType {
  @Field(() => String)
  cursor!: string;
  @Field(() => CorrectionType)
  node!: CorrectionType;
}

@ObjectType("CorrectionConnection", { simpleResolvers: true })
export class CorrectionConnectionType {
  @Field(() => [CorrectionEdgeType])
  edges!: CorrectionEdgeType[];
  @Field(() => PageInfoType)
  pageInfo!: PageInfoType;
}
