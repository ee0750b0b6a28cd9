// Light curves of archives, and everything that was measured at a place. Filled by resolvers/archival, and of the place's
// objects and catalogs by resolvers/object and resolvers/catalog.
import { Field, Float, ID, ObjectType } from "type-graphql";
import type { ArchivalSource, TimeKind } from "../../domain/archival.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { JsonValue } from "../scalars/json.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { TimeKindEnum } from "./archive.type.js";

@ObjectType("ArchivalPoint", {
  simpleResolvers: true,
  description: "A measurement. Of its three times that one is given which the archive has.",
})
export class ArchivalPointType {
  @Field(() => Float, { nullable: true, description: "Heliocentric MJD; null where the archive has another time." })
  hmjd!: number | null;
  @Field(() => Float, {
    nullable: true,
    description: "MJD at the observatory; null where the archive has another time.",
  })
  mjd!: number | null;
  @Field(() => Float, { nullable: true, description: "Barycentric MJD; null where the archive has another time." })
  bmjd!: number | null;
  @Field(() => Float, {
    description: "Of the source itself, not of a difference; as the archive calibrated it (ZTF: PSF magnitude, AB).",
  })
  magnitude!: number;
  @Field(() => Float, { nullable: true, description: "1-sigma error of magnitude." })
  magnitudeError!: number | null;
  @Field(() => Float, {
    nullable: true,
    description: "ZTF's clrcoeff: times the source's PS1 g - r, added to magnitude, it gives the PS1 magnitude.",
  })
  colorCoefficient!: number | null;
  @Field(() => Long, { description: "Quality bits, the archive's own (ZTF: catflags); 0 where it has none." })
  flags!: bigint;
  @Field(() => Boolean, { description: "None of the archive's badFlags is set (ZTF: 32768)." })
  isGood!: boolean;
}

@ObjectType("ArchivalPointEdge", { simpleResolvers: true })
export class ArchivalPointEdgeType extends edgeOf(ArchivalPointType) {}

@ObjectType("ArchivalPointConnection", { simpleResolvers: true })
export class ArchivalPointConnectionType extends connectionOf(ArchivalPointEdgeType) {}

@ObjectType("ArchivalLightCurve", {
  simpleResolvers: true,
  description: "A source of an archive in one band. A star of three bands in two overlapping fields of ZTF has six.",
})
export class ArchivalLightCurveType {
  @Field(() => String)
  archive!: string;
  @Field(() => ID, { description: "The archive's own id; decimal text where it is a number." })
  sourceId!: string;
  @Field(() => String)
  band!: string;
  @Field(() => Float, { description: "ICRS degrees." })
  ra!: number;
  @Field(() => Float, { description: "ICRS degrees." })
  dec!: number;
  @Field(() => Float, { description: "From the object or the place that was asked for." })
  separationArcsec!: number;
  @Field(() => TimeKindEnum, { description: "Which time its points have." })
  timeKind!: TimeKind;
  @Field(() => JsonValue, { description: "The archive's own columns of the source (ZTF: fieldid, rcid)." })
  fields!: Readonly<Record<string, unknown>>;
  /**
   * Not shown: the key of its points, the archive's name and revision, its bad bits, whether points with them are left out,
   * and the time after which they are, as the archive has times; null: none.
   */
  key!: Pick<ArchivalSource, "load" | "cell" | "source" | "band">;
  revision!: string;
  badFlags!: number;
  goodOnly!: boolean;
  upTo!: number | null;
}

@ObjectType("ArchivalLightCurveEdge", { simpleResolvers: true })
export class ArchivalLightCurveEdgeType extends edgeOf(ArchivalLightCurveType) {}

@ObjectType("ArchivalLightCurveConnection", { simpleResolvers: true })
export class ArchivalLightCurveConnectionType extends connectionOf(ArchivalLightCurveEdgeType) {}

@ObjectType("EverythingHere", {
  simpleResolvers: true,
  description:
    "What is known of a circle: objects of all surveys with their light curves, light curves of archives, sources of catalogs.",
})
export class EverythingHereType {
  @Field(() => Float, { description: "ICRS degrees." })
  ra!: number;
  @Field(() => Float, { description: "ICRS degrees." })
  dec!: number;
  @Field(() => Float)
  radiusArcsec!: number;
}
