// What watch lists and areas are made of and changed by. Read by resolvers/mark.
import { Field, Float, InputType, Int } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { SurveyEnum } from "../survey/survey.type.js";

@InputType("WatchedPositionInput")
export class WatchedPositionInput {
  @Field(() => String, { description: "At most 100 characters." })
  name!: string;
  @Field(() => Float, { description: "ICRS degrees." })
  ra!: number;
  @Field(() => Float, { description: "ICRS degrees." })
  dec!: number;
  @Field(() => Float, { nullable: true, description: "Above 0, at most 300." })
  radiusArcsec?: number | null;
}

@InputType("WatchListInput", { description: "Positions, or names of objects; larger lists by PUT /watchlists/{name}." })
export class WatchListInput {
  @Field(() => String, {
    description: "A letter, then letters, digits and _, at most 64. A list of this name is replaced.",
  })
  name!: string;
  @Field(() => [WatchedPositionInput], { nullable: true, description: "At most 1,000." })
  positions?: WatchedPositionInput[] | null;
  @Field(() => [String], {
    nullable: true,
    description: "Objects of `survey`, which are where they were seen last. At most 1,000.",
  })
  objectIds?: string[] | null;
  @Field(() => SurveyEnum, { nullable: true })
  survey?: Survey | null;
  @Field(() => Float, { nullable: true, defaultValue: 2, description: "Of those that tell no radius." })
  radiusArcsec?: number | null;
  @Field(() => String, { nullable: true })
  description?: string | null;
  @Field(() => Boolean, { nullable: true, description: "Everybody may see it; absent: as it was, at first not." })
  isShared?: boolean | null;
  @Field(() => Int, { nullable: true, description: "Archived alerts of so many days are marked too; absent: all." })
  pastDays?: number | null;
}

@InputType("CircleInput")
export class CircleInput {
  @Field(() => Float)
  ra!: number;
  @Field(() => Float)
  dec!: number;
  @Field(() => Float, { description: "Degrees, above 0, at most 180." })
  radiusDeg!: number;
}

@InputType("VertexInput")
export class VertexInput {
  @Field(() => Float)
  ra!: number;
  @Field(() => Float)
  dec!: number;
}

@InputType("AreaInput", { description: "Exactly one of moc, circle and polygon." })
export class AreaInput {
  @Field(() => String, {
    description: "A letter, then letters, digits and _, at most 64. An area of this name is replaced.",
  })
  name!: string;
  @Field(() => String, { nullable: true, description: 'A MOC as text ("3/1 3-5 4/20") or as JSON.' })
  moc?: string | null;
  @Field(() => CircleInput, { nullable: true })
  circle?: CircleInput | null;
  @Field(() => [VertexInput], { nullable: true, description: "3 to 200 corners within 80 degrees of their middle." })
  polygon?: VertexInput[] | null;
  @Field(() => String, { nullable: true })
  description?: string | null;
  @Field(() => Boolean, { nullable: true })
  isShared?: boolean | null;
  @Field(() => Int, { nullable: true, description: "Archived alerts of so many days are marked too; absent: all." })
  pastDays?: number | null;
}

@InputType("ChangeMarkInput", { description: "What is absent or null stays." })
export class ChangeMarkInput {
  @Field(() => String, { nullable: true, description: "Filters that read it by its former name must be changed." })
  name?: string | null;
  @Field(() => String, { nullable: true })
  description?: string | null;
  @Field(() => Boolean, { nullable: true })
  isShared?: boolean | null;
}
