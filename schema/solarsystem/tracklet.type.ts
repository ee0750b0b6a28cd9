// Candidates of moving objects within a night. Filled by resolvers/solarsystem.
import { ArgsType, Field, Float, Int, ObjectType } from "type-graphql";
import type { Alert } from "../../domain/alert.js";
import { AlertType } from "../alert/alert.type.js";

@ArgsType()
export class TrackletArgs {
  @Field(() => String, {
    nullable: true,
    description: "Which detections, in the filter language; isPositive where it is absent.",
  })
  where?: string | null;
  @Field(() => Float, { defaultValue: 0.05, description: "Degrees a day, at least 0.05." })
  minRate!: number;
  @Field(() => Float, { defaultValue: 2, description: "Degrees a day, at most 10." })
  maxRate!: number;
  @Field(() => Int, { defaultValue: 3, description: "From 2 to 20. Pairs are mostly chance: docs/classifiers.md." })
  minDetections!: number;
  @Field(() => Int, { nullable: true, description: "The best of them: 1 to 1,000, 100 where it is absent." })
  first?: number | null;
}

@ObjectType("Tracklet", { simpleResolvers: true, description: "Detections on one path at one rate within a night." })
export class TrackletType {
  @Field(() => [AlertType], { description: "By time. None of them is in another tracklet." })
  alerts!: readonly Alert[];
  @Field(() => Float, { description: "Degrees a day." })
  rate!: number;
  @Field(() => Float, { description: "Direction at the first detection, degrees from north by east." })
  positionAngle!: number;
  @Field(() => Float, { description: "From the first detection to the last, hours." })
  hours!: number;
  @Field(() => Float, { description: "Of the detections about a great circle at that rate; 0 of two." })
  rmsArcsec!: number;
}

@ObjectType("TrackletCandidates", { simpleResolvers: true })
export class TrackletCandidatesType {
  @Field(() => Int, { description: "Detections of objects that were met once, without a name, among those asked for." })
  detections!: number;
  @Field(() => Int, { description: "Candidates among them." })
  count!: number;
  @Field(() => [TrackletType], { description: "Most detections first; of as many those nearest to their lines." })
  tracklets!: readonly TrackletType[];
}
