// What changes where one text of a filter takes the place of another, and what each version has found.
import type { GraphQLResolveInfo } from "graphql";
import { Arg, Args, Ctx, FieldResolver, Info, Int, Query, Resolver, Root } from "type-graphql";
import { TocsinError } from "../../domain/errors.js";
import type { Filter } from "../../domain/filter.js";
import { nightName } from "../../domain/night.js";
import type { Survey } from "../../domain/survey.js";
import { but } from "../../filters/design/design.js";
import { TimeWindow } from "../../schema/alert/alert.input.js";
import { FilterDifferenceInput } from "../../schema/backtest/backtest.input.js";
import { BacktestType, FilterDifferenceType, FilterNightType } from "../../schema/backtest/backtest.type.js";
import { lookupCost, scanCost, searchCost } from "../../schema/cost.js";
import { FilterType } from "../../schema/filter/filter.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import type { ArchiveCondition, ArchiveExpression, BacktestWindow } from "../../stores/backtest.store.js";
import { badArgument, MAX_NAME, MAX_TEXT, pageSize, text } from "../bounds.js";
import { type Context, surveyOf } from "../context.js";
import { windowOf } from "../timewindow.js";
import { shownBacktest } from "./backtest.pages.js";

const MOST_NIGHTS = 1_000;

interface Text {
  readonly parts: ArchiveCondition;
  readonly whole: ArchiveExpression;
}
interface Sides {
  readonly window: BacktestWindow;
  /** Of each text its parts, and the whole of it. */
  readonly from: Text;
  readonly to: Text;
}

@Resolver(() => FilterDifferenceType)
export class DifferenceResolver {
  @Query(() => FilterDifferenceType, {
    complexity: lookupCost,
    description:
      "What a new text of a filter would pass in a window that the old one does not, and the other way round.",
  })
  async filterDifference(
    @Ctx() context: Context,
    @Arg("input", () => FilterDifferenceInput) input: FilterDifferenceInput,
    @Arg("window", () => TimeWindow) window: TimeWindow,
  ): Promise<FilterDifferenceType> {
    const { survey, from, to } = await textsOf(context, input);
    const { language, design } = context.services;
    language.validate(survey, from, []);
    language.validate(survey, to, []);
    const textOf = (where: string) => ({ parts: design.parts(survey, where), whole: design.condition(survey, where) });
    const sides: Sides = {
      window: { survey, ...windowOf("window", window) },
      from: textOf(from),
      to: textOf(to),
    };
    return { from, to, sides };
  }

  @FieldResolver(() => BacktestType, { complexity: scanCost, description: "Alerts that pass only now." })
  gained(
    @Root() { sides }: FilterDifferenceType,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<BacktestType> {
    const { window, from, to } = sides as Sides;
    return shownBacktest(context, info, {
      window,
      condition: but(to.parts, from.whole),
      annotations: [],
      ...pageOf(page),
    });
  }

  @FieldResolver(() => BacktestType, { complexity: scanCost, description: "Alerts that do not pass any longer." })
  lost(
    @Root() { sides }: FilterDifferenceType,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<BacktestType> {
    const { window, from, to } = sides as Sides;
    return shownBacktest(context, info, {
      window,
      condition: but(from.parts, to.whole),
      annotations: [],
      ...pageOf(page),
    });
  }
}

@Resolver(() => FilterType)
export class FilterHistoryResolver {
  @FieldResolver(() => [FilterNightType], {
    complexity: searchCost,
    description: "Hits by night and version, of the newest nights that have any: newest first.",
  })
  async hitsPerNight(
    @Root() { id, survey }: FilterType,
    @Ctx() context: Context,
    @Arg("nights", () => Int, { defaultValue: 30, description: "1 to 1,000." }) nights: number,
  ): Promise<FilterNightType[]> {
    if (nights < 1 || nights > MOST_NIGHTS) {
      throw badArgument(`nights must be from 1 to 1,000, found ${nights}.`, { argument: "nights" });
    }
    const { nightOffsetHours } = surveyOf(context, survey);
    const counts = await context.stores.hits.perNight(context.viewer, id, nightOffsetHours, nights);
    return counts.map(({ night, version, hits }) => ({ night: nightName(night), version, hits: BigInt(hits) }));
  }
}

const pageOf = ({ first, after }: PageArgs) => ({ first: pageSize(first), after });

async function textsOf(
  { stores }: Context,
  input: FilterDifferenceInput,
): Promise<{ survey: Survey; from: string; to: string }> {
  for (const side of ["from", "to"] as const) {
    if (input[side] != null && input[`${side}Version`] != null) {
      throw badArgument(`input must have at most one of ${side} and ${side}Version, found both.`, {
        argument: "input",
      });
    }
  }
  if (input.filterId == null) {
    const { survey, from, to } = input;
    if (survey == null || from == null || to == null) {
      throw badArgument("input must have filterId, or survey, from and to.", { argument: "input" });
    }
    return { survey, from: text("from", from, MAX_TEXT), to: text("to", to, MAX_TEXT) };
  }
  if (input.survey != null)
    throw badArgument("input must have one of filterId and survey, found both.", { argument: "input" });
  const filter = await stores.filters.get(text("filterId", input.filterId, MAX_NAME));
  if (filter === null) throw new TocsinError("UNKNOWN_FILTER", `There is no filter ${JSON.stringify(input.filterId)}.`);
  const inForce = filter.versions.at(-1)!.number;
  const toVersion = input.toVersion ?? inForce;
  const fromVersion = input.fromVersion ?? (input.to == null ? toVersion - 1 : inForce);
  return {
    survey: filter.survey,
    from: input.from == null ? whereOf(filter, fromVersion) : text("from", input.from, MAX_TEXT),
    to: input.to == null ? whereOf(filter, toVersion) : text("to", input.to, MAX_TEXT),
  };
}

function whereOf({ versions }: Filter, number: number): string {
  const version = versions.find((one) => one.number === number);
  if (version !== undefined) return version.where;
  throw badArgument(`The filter has the versions 1 to ${versions.at(-1)!.number}, not ${number}.`, {
    argument: "input",
  });
}
