// Dead letters: packets and files that could not be taken in. Filled by resolvers/deadletter.
import { Field, Int, ObjectType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@ObjectType("DeadLetter", { simpleResolvers: true })
export class DeadLetterType {
  @Field(() => Long)
  id!: bigint;
  @Field(() => String, { description: "Stable code: TRUNCATED, UNKNOWN_SCHEMA, BAD_VALUE and so on." })
  reason!: string;
  @Field(() => String, { description: "What was wrong, in a sentence." })
  message!: string;
  @Field(() => String, { description: "File (with !member for a tar member) or topic." })
  source!: string;
  @Field(() => String, { description: "Where in the source: record, byte, or partition and offset." })
  position!: string;
  @Field(() => SurveyEnum, { nullable: true })
  survey!: Survey | null;
  @Field(() => DateTime)
  receivedAt!: number;
  @Field(() => Int, { description: "How many bytes of it were kept, at most 16 MiB: GET /deadletters/{id} has them." })
  bytesKept!: number;
  @Field(() => DateTime, { nullable: true, description: "When it was taken in after all." })
  replayedAt!: number | null;
}

@ObjectType("ReplayResult", { simpleResolvers: true })
export class ReplayResultType {
  @Field(() => Int, { description: "Dead letters that were taken in." })
  replayed!: number;
  @Field(() => Int, { description: "Dead letters that failed again; they stay." })
  failed!: number;
  @Field(() => Int, { description: "Alerts that they brought." })
  stored!: number;
  @Field(() => Int, { description: "Alerts in them that had been taken in before." })
  duplicates!: number;
  @Field(() => [String], { description: "Why the first few failed." })
  reasons!: string[];
}

@ObjectType("DeadLetterEdge", { simpleResolvers: true })
export class DeadLetterEdgeType extends edgeOf(DeadLetterType) {}

@ObjectType("DeadLetterConnection", { simpleResolvers: true })
export class DeadLetterConnectionType extends connectionOf(DeadLetterEdgeType) {}
