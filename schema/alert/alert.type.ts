// The Alert type and its connection. Filled by resolvers/shown; links to other areas are added by resolvers/alert.
import { Field, Float, ID, Int, ObjectType } from "type-graphql";
import type { Survey } from "../../domain/survey.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { JsonValue } from "../scalars/json.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

@ObjectType("Alert", {
  simpleResolvers: true,
  description: "One detection of a change, as the survey sent it. Angles ICRS degrees, magnitudes AB, fluxes nJy.",
})
export class AlertType {
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => Long, { description: "The survey's id of the alert: ZTF candid, LSST diaSourceId." })
  candid!: bigint;
  @Field(() => ID, { description: "The survey's id of the object: ZTF objectId, LSST diaObjectId." })
  objectId!: string;
  @Field(() => DateTime, { description: "Time of the exposure." })
  time!: number;
  @Field(() => Float, { description: "Time of the exposure, Julian date, UTC." })
  jd!: number;
  @Field(() => Float, { description: "Right ascension, ICRS degrees." })
  ra!: number;
  @Field(() => Float, { description: "Declination, ICRS degrees." })
  dec!: number;
  @Field(() => String, { description: "Filter band: g, r, i for ZTF; u, g, r, i, z, y for LSST." })
  band!: string;
  @Field(() => Float, { nullable: true, description: "AB magnitude of |difference flux|, PSF photometry." })
  magnitude!: number | null;
  @Field(() => Float, { nullable: true, description: "1-sigma error of magnitude." })
  magnitudeError!: number | null;
  @Field(() => Float, { nullable: true, description: "Difference flux, nJy; negative where fainter." })
  flux!: number | null;
  @Field(() => Float, { nullable: true, description: "1-sigma error of flux, nJy." })
  fluxError!: number | null;
  @Field(() => Boolean, { description: "True where the difference is brighter than the reference." })
  isPositive!: boolean;
  @Field(() => String, {
    name: "class",
    nullable: true,
    description: "Class by rule: solar-system, stellar, hosted, hostless or unknown.",
  })
  class!: string | null;
  @Field(() => Int, { description: "Rights of the packet: 1 public (ZTF 2 partnership, 3 Caltech; LSST always 1)." })
  programid!: number;
  @Field(() => String, { nullable: true, description: "Solar-system designation, as the survey names it." })
  solarSystemName!: string | null;
  /** Not shown: JD as of which its object was asked for; absent or null: as it stands. */
  asOf?: number | null;
}

@ObjectType("Cutouts", { simpleResolvers: true, description: "Addresses of the alert's cutouts on this service." })
export class CutoutsType {
  @Field(() => String)
  science!: string;
  @Field(() => String)
  template!: string;
  @Field(() => String)
  difference!: string;
}

@ObjectType("AlertEdge", { simpleResolvers: true })
export class AlertEdgeType extends edgeOf(AlertType) {
  @Field(() => JsonValue, {
    nullable: true,
    description: "Of a backtest: the annotations that it was asked for, by name.",
  })
  annotations?: unknown;
}

@ObjectType("AlertConnection", { simpleResolvers: true })
export class AlertConnectionType extends connectionOf(AlertEdgeType) {}
