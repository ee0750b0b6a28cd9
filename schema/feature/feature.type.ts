// Features of light curves as the API shows them: one field for each of domain/features' lists, with its unit in the
// description. Links from alerts and objects are added by resolvers/feature.
import { Field, Float, Int, ObjectType } from "type-graphql";
import { BAND_FEATURES } from "../../domain/features/band.features.js";
import type { Feature } from "../../domain/features/definition.js";
import { COLOUR_FEATURES, OBJECT_FEATURES } from "../../domain/features/object.features.js";
import { SkyObjectType } from "../object/object.type.js";
import { connectionOf, edgeOf } from "../paging/connection.js";

const TYPES = { Float32: Float, Float64: Float, Int32: Int, Bool: Boolean, String };

/** The decorators of a class's fields, one for each feature. */
function fieldsOf(type: { readonly prototype: object }, features: readonly Feature[]): void {
  for (const { name, type: of, unit, description } of features) {
    const told = unit === null ? description : `${description} ${unit}.`;
    Field(() => TYPES[of], { nullable: true, description: told })(type.prototype, name);
  }
}

@ObjectType("BandFeatures", { simpleResolvers: true, description: "Features of the points in one band." })
export class BandFeaturesType {
  @Field(() => String)
  band!: string;
}
fieldsOf(BandFeaturesType, BAND_FEATURES);

@ObjectType("ColourFeatures", { simpleResolvers: true, description: "Features of two bands next to each other." })
export class ColourFeaturesType {
  @Field(() => String, { description: 'The bluer band first: "gr" is g - r.' })
  bands!: string;
}
fieldsOf(ColourFeaturesType, COLOUR_FEATURES);

@ObjectType("Features", {
  simpleResolvers: true,
  description:
    "What a light curve shows up to an alert, as filters read it under feature.*: detections, and forced photometry of at least 3 sigma. A value that is not defined is null.",
})
export class FeaturesType {
  @Field(() => Int, { description: "Version of the step that made them." })
  version!: number;
  @Field(() => [BandFeaturesType], { description: "Each band of the survey, with or without points." })
  bands!: BandFeaturesType[];
  @Field(() => [ColourFeaturesType])
  colours!: ColourFeaturesType[];
}
fieldsOf(FeaturesType, OBJECT_FEATURES);

@ObjectType("Period", {
  simpleResolvers: true,
  description:
    "Highest peak of the multiband Lomb-Scargle periodogram of fluxes: one sine in all bands, a floating mean in each (VanderPlas and Ivezic 2015).",
})
export class PeriodType {
  @Field(() => Float, { description: "d." })
  period!: number;
  @Field(() => Float, { description: "0 to 1: the part of chi squared about the bands' means that the sine explains." })
  power!: number;
  @Field(() => Float, { description: "Chance of so high a peak in noise, at most (Baluev 2008)." })
  falseAlarmProbability!: number;
  @Field(() => Int, { description: "Detections and forced points used." })
  pointCount!: number;
  @Field(() => Int)
  bandCount!: number;
}

@ObjectType("StaleFeaturesEdge", { simpleResolvers: true })
export class StaleFeaturesEdgeType extends edgeOf(SkyObjectType) {
  @Field(() => Int, { description: "Version that made the object's latest features." })
  version!: number;
}

@ObjectType("StaleFeaturesConnection", { simpleResolvers: true })
export class StaleFeaturesConnectionType extends connectionOf(StaleFeaturesEdgeType) {}
