// The receipt of a night: what came, and what became of it. Filled by resolvers/receipt.
import { Field, Int, ObjectType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@ObjectType("OffsetRange", { simpleResolvers: true, description: "Kafka offsets, both ends included." })
export class OffsetRangeType {
  @Field(() => Long)
  first!: bigint;
  @Field(() => Long)
  last!: bigint;
}

/** Not a type of the schema by itself. */
@ObjectType("ReceiptSums", { simpleResolvers: true })
abstract class SumsType {
  @Field(() => Int, { description: "Deliveries: packets and dead letters, each as often as it came." })
  received!: number;
  @Field(() => Int, { description: "Alerts taken in." })
  stored!: number;
  @Field(() => Int, { description: "What had been taken in, or set aside, before." })
  duplicates!: number;
  @Field(() => Int, { description: "What is set aside now: one that was replayed counts as what became of it." })
  deadLetters!: number;
}

@ObjectType("SourceReceipt", { simpleResolvers: true, description: "Deliveries of a topic's partition, or of a file." })
export class SourceReceiptType extends SumsType {
  @Field(() => Boolean, { description: "received = stored + duplicates + deadLetters." })
  adds!: boolean;
  @Field(() => String, { description: "Topic or file; members of an archive count as the archive." })
  source!: string;
  @Field(() => Int, { nullable: true, description: "Null for files." })
  partition!: number | null;
  @Field(() => OffsetRangeType, { nullable: true, description: "First and last offset of the night's batches." })
  offsets!: OffsetRangeType | null;
  @Field(() => [OffsetRangeType], {
    description:
      "Offsets between the two that no batch had, of whichever night. Kafka also counts transaction markers and compacted or aborted records as offsets: those that lie between two messages of one fetch are known and no gap. At most 1,000.",
  })
  gaps!: OffsetRangeType[];
}

@ObjectType("NightReceipt", {
  simpleResolvers: true,
  description: "What was received of a night, and what became of it.",
})
export class NightReceiptType extends SumsType {
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => String)
  night!: string;
  @Field(() => Int, { description: "Hits of its alerts that have been delivered." })
  hits!: number;
  @Field(() => Int, { description: "Distinct alerts of the night in the archive's tables: what stored must be." })
  archived!: number;
  @Field(() => Boolean, {
    description:
      "received = stored + duplicates + deadLetters, here and of what is unattributed, and stored = archived. False is an alarm.",
  })
  adds!: boolean;
  @Field(() => Int, { description: "Sources and partitions of the night." })
  sourceCount!: number;
  @Field(() => [SourceReceiptType], { description: "The first 1,000 by name and partition." })
  sources!: SourceReceiptType[];
  @Field(() => [SourceReceiptType], {
    description:
      "Dead letters received on this date (UTC) of which nobody can tell the survey: their source has brought nothing else. They are in no night's sums.",
  })
  unattributed!: SourceReceiptType[];
}
