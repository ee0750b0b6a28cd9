// What alerts can be asked by. Read by resolvers/alert.
import { Field, Float, ID, InputType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { type Coordinates, Position } from "../scalars/position.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@InputType("ConeInput", { description: "A circle on the sky." })
export class ConeInput {
  @Field(() => Float, { description: "Right ascension of the centre, ICRS degrees, 0 to 360." })
  ra!: number;
  @Field(() => Float, { description: "Declination of the centre, ICRS degrees." })
  dec!: number;
  @Field(() => Float, { description: "Radius, arcsec, above 0, at most 36,000 (10 degrees)." })
  radiusArcsec!: number;
}

@InputType("ConeAtInput", { description: "A circle on the sky, its centre as people write it." })
export class ConeAtInput {
  @Field(() => Position)
  position!: Coordinates;
  @Field(() => Float, { description: "Radius, arcsec, above 0, at most 36,000 (10 degrees)." })
  radiusArcsec!: number;
}

@InputType("TimeWindow", { description: "Exactly one of minutes and end. The end does not belong to the window." })
export class TimeWindow {
  @Field(() => DateTime)
  start!: number;
  @Field(() => Float, { nullable: true })
  minutes?: number | null;
  @Field(() => DateTime, { nullable: true })
  end?: number | null;
}

@InputType("AlertWhere", { description: "Conditions are ANDed; at least one must be given." })
export class AlertWhere {
  @Field(() => SurveyEnum, { nullable: true })
  survey?: Survey | null;
  @Field(() => ID, { nullable: true })
  objectId?: string | null;
  @Field(() => ConeInput, { nullable: true })
  cone?: ConeInput | null;
  @Field(() => ConeAtInput, { nullable: true, description: "Like cone; only one of the two." })
  coneAt?: ConeAtInput | null;
  @Field(() => TimeWindow, { nullable: true })
  time?: TimeWindow | null;
  @Field(() => String, { name: "class", nullable: true, description: "A class given by a classifier." })
  class?: string | null;
  @Field(() => String, { nullable: true, description: "Solar-system designation, as the survey names it." })
  solarSystemName?: string | null;
  @Field(() => String, {
    nullable: true,
    description:
      "A condition in the filter language; survey must be given too. A page may be short while hasNextPage is true: so far " +
      "it was searched.",
  })
  matches?: string | null;
}
