// Objects whose values were not made by what makes them now, or could not be made. Filled by resolvers/correction.
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
    FEATURES: { description: "Of a version of the step before beforeVersion, or missing because the step broke." },
    SCORES: {
      description:
        "Of another version of the model `name` than the active one, or missing because it or the step broke.",
    },
    MATCHES: {
      description:
        "Of another revision of the catalog `name` than the one in force, or missing because it could not be read: they are made anew by themselves.",
    },
  },
});

@ObjectType("StaleObjectEdge", { simpleResolvers: true })
export class StaleObjectEdgeType extends edgeOf(SkyObjectType) {
  @Field(() => String, {
    nullable: true,
    description:
      "What made the object's latest values: version of the step, version of the model, revision of the catalog. Null: its latest alert lacks them, and says why (Alert.missing).",
  })
  madeBy!: string | null;
}

@ObjectType("StaleObjectConnection", { simpleResolvers: true })
export class StaleObjectConnectionType extends connectionOf(StaleObjectEdgeType) {}
