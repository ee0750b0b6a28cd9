// Corrections: what has changed of objects since it was told. Filled by resolvers/correction.
import { Field, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import { CORRECTED, type Corrected } from "../../domain/correction.js";
import type { Survey } from "../../domain/survey.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

export const CorrectedEnum = Object.fromEntries(CORRECTED.map((name) => [name, name])) as Record<Corrected, Corrected>;
registerEnumType(CorrectedEnum, {
  name: "Corrected",
  description: "What of an object is told anew.",
  valuesConfig: {
    FEATURES: { description: "Features of an alert were made anew." },
    MATCHES: { description: "Another source lies near than before: a catalog came, changed or went." },
    MARKS: {
      description: "A watch list, an area or a sky map was replaced, retracted or removed, and it matters here.",
    },
    PHOTOMETRY: {
      description: "A packet of an earlier time came late: the light curve up to the alert has more points.",
    },
    HIT_ADDED: { description: "By its values of today the alert passes a filter that it did not pass." },
    HIT_WITHDRAWN: { description: "By its values of today the alert does not pass a filter any more that it passed." },
  },
});

@ObjectType("Correction", { simpleResolvers: true, description: "Something of an object differs from what it was." })
export class CorrectionType {
  @Field(() => String, {
    description: "Pass it as `after` to go on behind this one, in the query or the subscription.",
  })
  cursor!: string;
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => ID)
  objectId!: string;
  @Field(() => Long, {
    description: "The alert of which it was told anew: a hit's own, else the object's latest of its programid.",
  })
  candid!: bigint;
  @Field(() => CorrectedEnum)
  what!: Corrected;
  @Field(() => String, { description: "The step that told it anew." })
  step!: string;
  @Field(() => String)
  version!: string;
  @Field(() => String, {
    nullable: true,
    description: "What brought it: a catalog (match.stars), a mark (watch.mine), the candid of a late alert.",
  })
  source!: string | null;
  @Field(() => ID, { nullable: true, description: "Of hits." })
  filterId!: string | null;
  @Field(() => Int, { nullable: true, description: "Of hits: the filter's version." })
  filterVersion!: number | null;
  @Field(() => DateTime)
  toldAt!: number;
}

@ObjectType("CorrectionEdge", { simpleResolvers: true })
export class CorrectionEdgeType extends edgeOf(CorrectionType) {}

@ObjectType("CorrectionConnection", { simpleResolvers: true })
export class CorrectionConnectionType extends connectionOf(CorrectionEdgeType) {}
