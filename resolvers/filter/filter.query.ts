// Queries of filters and of the filter language.
import { Arg, Args, Ctx, ID, Query, Resolver } from "type-graphql";
import { filterCursor, queryIdentity } from "../../domain/cursor.js";
import type { Survey } from "../../domain/survey.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import {
  FilterCheckType,
  FilterConnectionType,
  FilterExampleType,
  FilterFieldType,
  FilterType,
} from "../../schema/filter/filter.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { MAX_NAME, MAX_TEXT, pageSize, text } from "../bounds.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";
import { shownFilter } from "./filter.shown.js";

const IDENTITY = queryIdentity("filters");

@Resolver()
export class FilterQueries {
  @Query(() => [FilterFieldType], {
    complexity: lookupCost,
    description: "What a filter may use, with type, unit and description.",
  })
  filterFields(
    @Ctx() { services }: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
  ): readonly FilterFieldType[] {
    return services.language.fields(survey);
  }

  @Query(() => FilterCheckType, {
    complexity: lookupCost,
    description: "Parse, type check, estimate: never activates anything.",
  })
  checkFilter(
    @Ctx() { services }: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("where", () => String, { description: "At most 10,000 characters." }) where: string,
  ): FilterCheckType {
    const { warnings, ...check } = services.language.check(survey, text("where", where, MAX_TEXT));
    return { ...check, warnings: [...warnings, ...services.design.standing(survey, where)], survey, where };
  }

  @Query(() => [FilterExampleType], {
    complexity: lookupCost,
    description: "Example filters for the science cases of the field, by name.",
  })
  filterExamples(
    @Ctx() { services }: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
  ): readonly FilterExampleType[] {
    return services.design.examples(survey);
  }

  @Query(() => FilterType, { nullable: true, complexity: lookupCost })
  async filter(@Ctx() { stores }: Context, @Arg("id", () => ID) id: string): Promise<FilterType | null> {
    const filter = await stores.filters.get(text("id", id, MAX_NAME));
    return filter && shownFilter(filter);
  }

  @Query(() => FilterConnectionType, { complexity: searchCost, description: "All filters, by name." })
  async filters(@Ctx() { stores }: Context, @Args(() => PageArgs) page: PageArgs): Promise<FilterConnectionType> {
    const first = pageSize(page.first);
    const key = page.after == null ? null : filterCursor.decode(IDENTITY, page.after);
    const filters = await stores.filters.list(first + 1, key && { name: key[0], id: key[1] });
    return connection(filters, first, (filter) => ({
      cursor: filterCursor.encode(IDENTITY, [filter.name, filter.id]),
      node: shownFilter(filter),
    }));
  }
}
