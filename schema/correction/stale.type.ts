// Objects whose values were not made by what makes them now. Filled by resolvers/correction.
import { Field, ObjectType, registerEnumType } from "type-graphql";
import { SkyObjectType } from "../object/object.type.js";
import { connectionOf, edgeOf } from "../paging/connection.js";

export type StaleStep = "FEATURES" | "SCORES" | "MATCHES";
export const StaleStepEnum: { readonly [step in StaleStep]: step } = {
  FEATURES: "FEATURES",
  SCORES: "SCORES",
  MATCHES: "MATCHES",
};
registerEnumType(StaleStepEnum, {
  name: "StaleStep",
  description: "Whose values may be old.",
  valuesConfig: {
    FEATURES: { description: "Of a version of the step before beforeVersion." },
    SCORES: { description: "Of another version of the model `name` than the active one." },
    MATCHES: {
      description: "Of another revision of the catalog `name` than the one in force: they are made anew by themselves.",
    },
  },
});

@ObjectType("StaleObjectEdge", { simpleResolvers: true })
export class StaleObjectEdgeType extends edgeOf(SkyObjectType) {
  @Field(() => String, {
    description:
      "What made the object's latest values: version of the step, version of the model, revision of the catalog.",
  })
  madeBy!: string;
}

@ObjectType("StaleObjectConnection", { simpleResolvers: true })
export class StaleObjectConnectionType extends connectionOf(StaleObjectEdgeType) {}
