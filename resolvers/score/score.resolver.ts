// The models, their states, and an alert's scores.
import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from "type-graphql";
import type { Model, ModelState } from "../../domain/classifier.js";
import { TocsinError } from "../../domain/errors.js";
import { AlertType } from "../../schema/alert/alert.type.js";
import { lookupCost, pointsCost } from "../../schema/cost.js";
import { ModelStateEnum, ModelType, ScoresType } from "../../schema/score/score.type.js";
import { MAX_NAME, text } from "../bounds.js";
import { type Context, requireChange } from "../context.js";

@Resolver(() => AlertType)
export class ScoreResolver {
  @Query(() => [ModelType], { complexity: lookupCost, description: "By name and version." })
  models(@Ctx() { services }: Context): ModelType[] {
    return (services.models?.list() ?? []).map((model) => shownModel(model, services));
  }

  @Mutation(() => ModelType, {
    complexity: lookupCost,
    description:
      "In force from the next batch on. A version that becomes active takes the place of the one of its name that was. A suspended one tries again.",
  })
  async setModelState(
    @Ctx() { services, viewer }: Context,
    @Arg("name", () => String) name: string,
    @Arg("version", () => String) version: string,
    @Arg("state", () => ModelStateEnum) state: ModelState,
  ): Promise<ModelType> {
    requireChange(viewer, "set a model's state");
    const chosen = [text("name", name, MAX_NAME), text("version", version, MAX_NAME)] as const;
    if (services.models === undefined) throw new TocsinError("UNKNOWN_MODEL", "This service knows no models.");
    return shownModel(await services.models.setState(...chosen, state), services);
  }

  @FieldResolver(() => [ScoresType], {
    complexity: pointsCost,
    description: "What models said of it when it came, by model and version.",
  })
  async scores(
    @Root() { survey, candid, objectId, jd }: AlertType,
    @Ctx() { loaders }: Context,
    @Arg("shadow", () => Boolean, { defaultValue: false, description: "Also what was only watched." }) shadow: boolean,
  ): Promise<ScoresType[]> {
    return [...(await loaders.scores.load({ survey, candid, objectId, jd, shadow }))];
  }
}

/** A manifest may name surveys that this service does not have. */
const shownModel = (model: Model, { surveys }: Context["services"]): ModelType => ({
  ...model,
  surveys: model.surveys.filter((survey) => surveys.has(survey)),
});
