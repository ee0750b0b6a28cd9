// The SkyObject type, cones and counterparts. Links to alerts and light curves are added by resolvers/object.
import { Field, Float, ID, Int, ObjectType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@ObjectType("SkyObject", {
  simpleResolvers: true,
  description: "The sum of an object's alerts that the caller may see. Its position is that of the latest one.",
})
export class SkyObjectType {
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => ID)
  objectId!: string;
  @Field(() => Float, { description: "Right ascension, ICRS degrees." })
  ra!: number;
  @Field(() => Float, { description: "Declination, ICRS degrees." })
  dec!: number;
  @Field(() => DateTime, { description: "Time of the first alert." })
  firstSeen!: number | Promise<number>;
  @Field(() => DateTime, { description: "Time of the latest alert." })
  lastSeen!: number;
  @Field(() => Int)
  alertCount!: number | Promise<number>;
  /** Not shown: the key of latestAlert. */
  latestCandid!: bigint;
  /** Not shown: JD at which it stood so; null: as it stands. Its alerts and its light curve end there too. */
  asOf?: number | null;
}

@ObjectType("Counterpart", { simpleResolvers: true, description: "The same source as another survey sees it." })
export class CounterpartType {
  @Field(() => Float, {
    description: "Distance of the two positions when they were linked, arcsec; of those that the caller may see.",
  })
  separationArcsec!: number;
  @Field(() => SkyObjectType)
  object!: SkyObjectType;
}

@ObjectType("ConeEdge", { simpleResolvers: true })
export class ConeEdgeType extends edgeOf(SkyObjectType) {
  @Field(() => Float, { description: "Distance from the centre, arcsec." })
  separationArcsec!: number;
}

@ObjectType("ConeConnection", { simpleResolvers: true })
export class ConeConnectionType extends connectionOf(ConeEdgeType) {}
