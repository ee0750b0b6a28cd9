// A watch list, an area or a sky map as a filter, whose hits are theirs.
import { Arg, Ctx, Float, Mutation, Resolver } from "type-graphql";
import { TocsinError } from "../../domain/errors.js";
import { type MarkKind, markOperand } from "../../domain/mark.js";
import type { Survey } from "../../domain/survey.js";
import { searchCost } from "../../schema/cost.js";
import { FilterType } from "../../schema/filter/filter.type.js";
import { MarkKindEnum } from "../../schema/mark/mark.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { badArgument, MAX_NAME, text } from "../bounds.js";
import { type Context, requireChange, surveyOf } from "../context.js";
import { requireCheap } from "../filtercost.js";
import { shownFilter } from "./filter.shown.js";

@Resolver()
export class WatchMutation {
  @Mutation(() => FilterType, {
    complexity: searchCost,
    description:
      "An active filter that passes what the mark holds: subscribe to its hits (filterHits), backtest it, change it like any other.",
  })
  async watch(
    @Ctx() context: Context,
    @Arg("kind", () => MarkKindEnum) kind: MarkKind,
    @Arg("name", () => String) name: string,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("level", () => Float, {
      nullable: true,
      description: "Of a sky map: the credible region whose alerts pass, above 0 to 1; absent: 0.9.",
    })
    level?: number | null,
  ): Promise<FilterType> {
    const { viewer, services, stores } = context;
    requireChange(viewer, "create filters");
    surveyOf(context, survey);
    const credible = level ?? 0.9;
    if (!(credible > 0 && credible <= 1)) throw badArgument(`level must be above 0 and at most 1, found ${level}.`);
    const mark = services.marks?.desk.get(viewer, kind, text("name", name, MAX_NAME)) ?? null;
    if (mark === null) {
      throw new TocsinError("UNKNOWN_MARK", `There is none of the name ${JSON.stringify(name.slice(0, 80))}.`);
    }
    const operand = markOperand(mark);
    const where = kind === "SKYMAP" ? `${operand} <= ${credible}` : operand;
    services.language.validate(survey, where, []);
    await requireCheap(context, survey, where, []);
    return shownFilter(await stores.filters.create({ name: operand, survey, where, annotations: [], active: true }));
  }
}
