// What enrichment could not add, and why. Filled by resolvers/missing.
import { Field, ObjectType, registerEnumType } from "type-graphql";
import { MISSING_CODES, type MissingCode } from "../../domain/missing.js";
import type { Survey } from "../../domain/survey.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

export const MissingCodeEnum = Object.fromEntries(Object.keys(MISSING_CODES).map((code) => [code, code])) as Record<
  string,
  MissingCode
>;
registerEnumType(MissingCodeEnum, {
  name: "MissingCode",
  description: "Why values are missing.",
  valuesConfig: Object.fromEntries(Object.entries(MISSING_CODES).map(([code, description]) => [code, { description }])),
});

@ObjectType("MissingValues", {
  simpleResolvers: true,
  description: "What enrichment could not add to an alert: filters found nothing there.",
})
export class MissingValuesType {
  @Field(() => String, {
    description:
      "The step that should have made them: history, counterparthistory, crossmatch, features, scores, marks.",
  })
  step!: string;
  @Field(() => String, {
    nullable: true,
    description: "The catalog, the model, or the mark as filters write it (watch.mine); null: all that the step adds.",
  })
  part!: string | null;
  @Field(() => MissingCodeEnum)
  code!: MissingCode;
  @Field(() => String, { description: "What the fault said, at most 300 characters." })
  reason!: string;
  @Field(() => DateTime, { description: "When they could not be made: filters ran without them." })
  since!: number;
  @Field(() => DateTime, { nullable: true, description: "When they were made after all; null: they are missing." })
  filledAt!: number | null;
}

@ObjectType("MissingOperand", {
  simpleResolvers: true,
  description: "Something that a clause reads and the alert lacks.",
})
export class MissingOperandType extends MissingValuesType {
  @Field(() => String, { description: "As filters write it; of a list without its fields: match.gaia_dr3." })
  operand!: string;
}

@ObjectType("MissingCount", {
  simpleResolvers: true,
  description: "What is missing in the archive for one reason.",
})
export class MissingCountType {
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => String)
  step!: string;
  @Field(() => String, { nullable: true })
  part!: string | null;
  @Field(() => MissingCodeEnum)
  code!: MissingCode;
  @Field(() => String)
  reason!: string;
  @Field(() => Long, { description: "Batches that lack it." })
  batches!: bigint;
  @Field(() => Long, { description: "Alerts of those batches." })
  alerts!: bigint;
  @Field(() => DateTime, { description: "When it was missing first." })
  first!: number;
  @Field(() => DateTime, { description: "When it was missing last." })
  last!: number;
}
