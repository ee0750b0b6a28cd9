// The microlensing fit of an object. Filled by resolvers/score.
import { Field, Float, Int, ObjectType } from "type-graphql";
import { MICROLENSING_CUTS } from "../../domain/microlensing.js";

@ObjectType("MicrolensingBand", { simpleResolvers: true })
export class MicrolensingBandType {
  @Field(() => String)
  band!: string;
  @Field(() => Float, { description: "Flux of the lensed source, nJy." })
  sourceFlux!: number;
  @Field(() => Float, { description: "Difference flux far from the event, nJy." })
  baseline!: number;
  @Field(() => Float)
  chi2!: number;
  @Field(() => Int)
  points!: number;
}

const CUTS = Object.entries(MICROLENSING_CUTS).map(([name, meaning]) => `${name}: ${meaning}`);

@ObjectType("Microlensing", {
  simpleResolvers: true,
  description: "A point lens before a point source (Paczynski 1986), fitted to the difference fluxes of all bands.",
})
export class MicrolensingType {
  @Field(() => Boolean, { description: "It passes every cut." })
  candidate!: boolean;
  @Field(() => [String], { description: `Cuts that it does not pass. ${CUTS.join(" ")}` })
  failedCuts!: readonly string[];
  @Field(() => Float, { description: "Time of the closest approach, JD." })
  t0!: number;
  @Field(() => Float, { nullable: true, description: "1 sigma, d; null where the data do not tell." })
  t0Error!: number | null;
  @Field(() => Float, { description: "Einstein crossing time, d." })
  tE!: number;
  @Field(() => Float, { nullable: true })
  tEError!: number | null;
  @Field(() => Float, { description: "Closest approach, Einstein radii." })
  u0!: number;
  @Field(() => Float, { nullable: true })
  u0Error!: number | null;
  @Field(() => Float, { description: "Greatest magnification." })
  magnification!: number;
  @Field(() => [MicrolensingBandType])
  bands!: readonly MicrolensingBandType[];
  @Field(() => Int)
  points!: number;
  @Field(() => Float)
  chi2!: number;
  @Field(() => Int)
  degreesOfFreedom!: number;
  @Field(() => Float, { description: "Of a constant flux in each band." })
  chi2Constant!: number;
  @Field(() => Float, { description: "Of a brightening that rises and decays at rates of its own (Bazin 2009)." })
  chi2Asymmetric!: number;
}
