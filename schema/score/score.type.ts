// Models and what they say of alerts. Filled by resolvers/score.
import { Field, ObjectType, registerEnumType } from "type-graphql";
import { MODEL_STATES, type ModelState } from "../../domain/classifier.js";
import type { Survey } from "../../domain/survey.js";
import { JsonValue } from "../scalars/json.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

export const ModelStateEnum = Object.fromEntries(MODEL_STATES.map((state) => [state.toUpperCase(), state])) as Record<
  string,
  ModelState
>;
registerEnumType(ModelStateEnum, {
  name: "ModelState",
  description:
    "ACTIVE: its scores are names that filters may use. SHADOW: they are only stored, to be judged. RETIRED: it does not run.",
});

@ObjectType("Model", { simpleResolvers: true, description: "A version of a trained model, and where it comes from." })
export class ModelType {
  @Field(() => String)
  name!: string;
  @Field(() => String)
  version!: string;
  @Field(() => ModelStateEnum)
  state!: ModelState;
  @Field(() => String, { nullable: true, description: "Why it does not run although its state says so." })
  suspended!: string | null;
  @Field(() => String, {
    nullable: true,
    description: "How far it holds up the stream, where it regularly takes more than a second for a batch.",
  })
  slow!: string | null;
  @Field(() => String)
  licence!: string;
  @Field(() => String)
  description!: string;
  @Field(() => String)
  trainedOn!: string;
  @Field(() => JsonValue, { description: "Figures as its maker measured them." })
  quality!: unknown;
  @Field(() => [SurveyEnum], { description: "Whose alerts it is given." })
  surveys!: Survey[];
  @Field(() => [String], { description: "Filters read them as score.<name>.<output>." })
  outputs!: readonly string[];
  @Field(() => [String], { description: "What class.<name> may be; empty where it gives none." })
  classes!: readonly string[];
  @Field(() => String, { description: "Hex SHA-256 of its ONNX file." })
  sha256!: string;
}

@ObjectType("Scores", { simpleResolvers: true, description: "What one version of a model said of an alert." })
export class ScoresType {
  @Field(() => String)
  model!: string;
  @Field(() => String)
  version!: string;
  @Field(() => JsonValue, { description: "Output to value; empty where it said nothing." })
  outputs!: unknown;
  @Field(() => String, { name: "class", nullable: true })
  class!: string | null;
  @Field(() => Long, {
    description:
      "The first eight bytes, little-endian, of the SHA-256 of all that it was given; 0 where it was not run.",
  })
  inputHash!: bigint;
  @Field(() => String, { nullable: true, description: "Why it said nothing." })
  reason!: string | null;
  @Field(() => Boolean, { description: "It was only watched at the time." })
  shadow!: boolean;
}
