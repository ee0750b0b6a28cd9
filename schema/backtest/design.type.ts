// Reasons and measures of a filter that is being designed. Filled by resolvers/backtest.
import { Field, Float, Int, ObjectType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { JsonValue } from "../scalars/json.scalar.js";
import { Long } from "../scalars/long.scalar.js";

/** Of which alert a clause tells, and the columns that it reads. */
export interface ClauseReads {
  readonly survey: Survey;
  readonly candid: bigint;
  readonly columns: readonly string[];
}

@ObjectType("Clause", { simpleResolvers: true, description: "A part of a condition that `and` joins to the others." })
export class ClauseType {
  @Field(() => String)
  text!: string;
  @Field(() => Int, { description: "From 1." })
  line!: number;
  @Field(() => Int, { description: "From 1." })
  column!: number;
  @Field(() => Boolean)
  passes!: boolean;
  /** Not shown. */
  reads!: ClauseReads;
  @Field(() => JsonValue, { description: "What it read: fields, named parts and list functions, by their text." })
  values!: unknown;
}

@ObjectType("Explanation", { simpleResolvers: true })
export class ExplanationType {
  @Field(() => Boolean, { description: "Whether all clauses do." })
  passes!: boolean;
  @Field(() => [ClauseType])
  clauses!: ClauseType[];
}

@ObjectType("FilterCost", {
  simpleResolvers: true,
  description: "What a filter adds to the live stream, measured over a batch of the newest alerts.",
})
export class FilterCostType {
  @Field(() => Float, { description: "Milliseconds per 1,000 alerts." })
  milliseconds!: number;
  @Field(() => Float, { description: "How many filters of ordinary cost it is worth." })
  medians!: number;
  @Field(() => Float, {
    nullable: true,
    description: "What an active filter may cost, in the same unit; null: anything.",
  })
  limit!: number | null;
}

@ObjectType("FunnelNight", { simpleResolvers: true })
export class FunnelNightType {
  @Field(() => String, { description: "YYYYMMDD." })
  night!: string;
  @Field(() => Long)
  alerts!: bigint;
}

@ObjectType("FunnelClause", { simpleResolvers: true })
export class FunnelClauseType {
  @Field(() => String)
  text!: string;
  @Field(() => Int, { description: "From 1." })
  line!: number;
  @Field(() => Int, { description: "From 1." })
  column!: number;
  @Field(() => Long, { description: "Alerts that pass this clause and all before it." })
  remaining!: bigint;
  @Field(() => Long, { description: "Alerts that it would remove if it stood alone." })
  removes!: bigint;
  @Field(() => Long, { description: "Alerts that it removes and no other clause does: what would come in without it." })
  removesAlone!: bigint;
  @Field(() => String, {
    nullable: true,
    description: "What is odd about it: nothing passes it, or it removes nothing.",
  })
  note!: string | null;
}

@ObjectType("FilterFunnel", {
  simpleResolvers: true,
  description: "Which clause removes how many of the alerts of late.",
})
export class FilterFunnelType {
  @Field(() => [FunnelNightType], { description: "The newest nights that have alerts, newest first." })
  nights!: FunnelNightType[];
  @Field(() => Long, { description: "Alerts that were looked at." })
  scanned!: bigint;
  @Field(() => Int, { description: "1: all alerts of these nights; n: one of so many, by chance." })
  oneOf!: number;
  @Field(() => Long, { description: "Those of them that pass." })
  passed!: bigint;
  @Field(() => Float, {
    description: "How many alerts of a night pass, from what was looked at; null without any nights.",
    nullable: true,
  })
  perNight!: number | null;
  @Field(() => [FunnelClauseType], { description: "In the order of the text." })
  clauses!: FunnelClauseType[];
}
