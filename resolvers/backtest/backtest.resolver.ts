// A filter over a window of the archive, and why a single alert passes or not.
import type { GraphQLResolveInfo } from "graphql";
import { Arg, Args, Ctx, Info, Query, Resolver } from "type-graphql";
import { TocsinError } from "../../domain/errors.js";
import type { Survey } from "../../domain/survey.js";
import { TimeWindow } from "../../schema/alert/alert.input.js";
import { BacktestType } from "../../schema/backtest/backtest.type.js";
import { ExplanationType } from "../../schema/backtest/design.type.js";
import { lookupCost, scanCost } from "../../schema/cost.js";
import { AnnotationInput } from "../../schema/filter/filter.input.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { Long } from "../../schema/scalars/long.scalar.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { isInt64, MAX_TEXT, pageSize, text } from "../bounds.js";
import type { Context } from "../context.js";
import { windowOf } from "../timewindow.js";
import { shownBacktest, shownValue } from "./backtest.pages.js";

@Resolver()
export class BacktestQueries {
  @Query(() => BacktestType, {
    complexity: scanCost,
    description: "The expression run over the archive by the very text that the live stream runs. Oldest first.",
  })
  async backtest(
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("where", () => String) where: string,
    @Arg("window", () => TimeWindow) window: TimeWindow,
    @Arg("annotations", () => [AnnotationInput], { nullable: true }) inputs: AnnotationInput[] | null | undefined,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<BacktestType> {
    const { language, design } = context.services;
    const annotations = (inputs ?? []).map(({ name, expression }) => ({
      name,
      expression: text("expression", expression, MAX_TEXT),
    }));
    language.validate(survey, text("where", where, MAX_TEXT), annotations);
    return shownBacktest(context, info, {
      window: { survey, ...windowOf("window", window) },
      condition: design.parts(survey, where),
      annotations: design.annotations(survey, annotations),
      first: pageSize(page.first),
      after: page.after,
    });
  }

  @Query(() => ExplanationType, {
    complexity: lookupCost,
    description: "Why an alert passes or not: each clause with its verdict and the values that it read.",
  })
  async explain(
    @Ctx() { stores, services, viewer }: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("candid", () => Long) candid: bigint,
    @Arg("where", () => String) where: string,
  ): Promise<ExplanationType> {
    services.language.validate(survey, text("where", where, MAX_TEXT), []);
    const clauses = services.design.clauses(survey, where);
    const expressions = [
      services.design.condition(survey, where),
      ...clauses.flatMap(({ condition, values }) => [condition, ...values.map(({ value }) => value)]),
    ];
    const found = isInt64(candid) ? await stores.backtest.values(viewer, survey, [candid], expressions) : null;
    const read = found?.get(candid)?.[Symbol.iterator]();
    if (read === undefined) throw new TocsinError("NOT_FOUND", "There is no such alert, or you may not see it.");
    const next = () => read.next().value;
    return {
      passes: Boolean(next()),
      clauses: clauses.map(({ text, line, column, condition, values }) => ({
        ...{ text, line, column },
        reads: { survey, candid, columns: [condition, ...values.map(({ value }) => value)].flatMap(columnsOf) },
        passes: Boolean(next()),
        values: Object.fromEntries(values.map(({ name, kind }) => [name, shownValue(kind, next())])),
      })),
    };
  }
}

const columnsOf = ({ columns }: { readonly columns: readonly string[] }): readonly string[] => columns;
