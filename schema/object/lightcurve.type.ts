// Light curves as the API shows them. Filled by resolvers/object from domain/photometry.
import { Field, Float, ObjectType } from "type-graphql";
import { pointsCost } from "../cost.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { Long } from "../scalars/long.scalar.js";

@ObjectType("Detection", { simpleResolvers: true })
export class DetectionType {
  @Field(() => Long)
  candid!: bigint;
  @Field(() => DateTime)
  time!: number;
  @Field(() => Float, { description: "Julian date, UTC." })
  jd!: number;
  @Field(() => String)
  band!: string;
  @Field(() => Float, { nullable: true, description: "AB magnitude of |difference flux|." })
  magnitude!: number | null;
  @Field(() => Float, { nullable: true, description: "1-sigma error of magnitude." })
  magnitudeError!: number | null;
  @Field(() => Float, { nullable: true, description: "Difference flux, nJy; negative where fainter." })
  flux!: number | null;
  @Field(() => Float, { nullable: true, description: "1-sigma error of flux, nJy." })
  fluxError!: number | null;
  @Field(() => Boolean, { description: "True where the difference is brighter than the reference." })
  isPositive!: boolean;
}

@ObjectType("NonDetection", { simpleResolvers: true })
export class NonDetectionType {
  @Field(() => DateTime)
  time!: number;
  @Field(() => Float, { description: "Julian date, UTC." })
  jd!: number;
  @Field(() => String)
  band!: string;
  @Field(() => Float, { description: "5-sigma limit of the image, AB magnitude." })
  limitingMagnitude!: number;
}

@ObjectType("ForcedPoint", { simpleResolvers: true })
export class ForcedPointType {
  @Field(() => DateTime)
  time!: number;
  @Field(() => Float, { description: "Julian date, UTC." })
  jd!: number;
  @Field(() => String)
  band!: string;
  @Field(() => Float, { nullable: true, description: "Difference flux at the object's place, nJy." })
  flux!: number | null;
  @Field(() => Float, { nullable: true, description: "1-sigma error of flux, nJy." })
  fluxError!: number | null;
  @Field(() => Float, {
    nullable: true,
    description: "AB zero point of the survey's own counts; null where the survey gives nJy.",
  })
  zeroPoint!: number | null;
}

@ObjectType("LightCurve", {
  simpleResolvers: true,
  description:
    "Merged over all alerts of the object, oldest first: one detection per candid, one limit and one forced point per survey image.",
})
export class LightCurveType {
  @Field(() => [DetectionType], { complexity: pointsCost })
  detections!: DetectionType[];
  @Field(() => [NonDetectionType], { complexity: pointsCost })
  nonDetections!: NonDetectionType[];
  @Field(() => [ForcedPointType], { complexity: pointsCost })
  forced!: ForcedPointType[];
}
