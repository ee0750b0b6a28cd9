// The delivery clock of an alert, and how long a night's alerts took. Filled by resolvers/clock.
import { Field, Float, Int, ObjectType, registerEnumType } from "type-graphql";
import { DateTime } from "../scalars/datetime.scalar.js";

@ObjectType("AlertClock", {
  simpleResolvers: true,
  description: "When the alert passed which stage of its way. Null where nobody told: files have no emittedAt.",
})
export class AlertClockType {
  @Field(() => DateTime, { description: "Time of the exposure." })
  observedAt!: number;
  @Field(() => DateTime, { nullable: true, description: "Kafka's timestamp of the survey's message." })
  emittedAt!: number | null;
  @Field(() => DateTime, { nullable: true, description: "We read it." })
  receivedAt!: number | null;
  @Field(() => DateTime, { nullable: true, description: "It lies in the archive." })
  storedAt!: number | null;
  @Field(() => DateTime, { nullable: true, description: "All active filters have seen it." })
  filteredAt!: number | null;
  @Field(() => DateTime, {
    nullable: true,
    description: "The hits of its batch were numbered: subscribers and streams have them from then on.",
  })
  deliveredAt!: number | null;
}

/** In the order of LATENCY_STAGES of stores/clock.store.ts. */
export enum LatencyStageEnum {
  OBSERVED_TO_EMITTED = "emitted",
  EMITTED_TO_RECEIVED = "received",
  RECEIVED_TO_STORED = "stored",
  STORED_TO_FILTERED = "filtered",
  FILTERED_TO_DELIVERED = "delivered",
  RECEIVED_TO_DELIVERED = "receivedToDelivered",
}
registerEnumType(LatencyStageEnum, { name: "LatencyStage" });

@ObjectType("StageLatency", {
  simpleResolvers: true,
  description:
    "Seconds between two stages, over the night's alerts that the caller may see and whose both ends are known. Negative where the survey's clock is ahead of ours.",
})
export class StageLatencyType {
  @Field(() => LatencyStageEnum)
  stage!: LatencyStageEnum;
  @Field(() => Int)
  count!: number;
  @Field(() => Float, { description: "Percentiles by t-digest, good to some per cent." })
  p50!: number;
  @Field(() => Float)
  p90!: number;
  @Field(() => Float)
  p99!: number;
  @Field(() => Float)
  max!: number;
}
