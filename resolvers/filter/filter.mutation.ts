// Making and changing filters. Only for callers who may change something.
import { Arg, Ctx, ID, Mutation, Resolver } from "type-graphql";
import { TocsinError } from "../../domain/errors.js";
import type { Annotation, FilterStream } from "../../domain/filter.js";
import { lookupCost } from "../../schema/cost.js";
import {
  AnnotationInput,
  CreateFilterInput,
  type FilterStreamInput,
  UpdateFilterInput,
} from "../../schema/filter/filter.input.js";
import { FilterType } from "../../schema/filter/filter.type.js";
import { MAX_NAME, MAX_TEXT, text } from "../bounds.js";
import { type Context, requireChange } from "../context.js";
import { requireCheap } from "../filtercost.js";
import { requirePublic } from "../seenfilters.js";
import { shownFilter } from "./filter.shown.js";

@Resolver()
export class FilterMutations {
  @Mutation(() => FilterType, {
    complexity: lookupCost,
    description: "A new filter starts active unless told otherwise.",
  })
  async createFilter(
    @Ctx() context: Context,
    @Arg("input", () => CreateFilterInput) input: CreateFilterInput,
  ): Promise<FilterType> {
    const { viewer, stores, services } = context;
    requireChange(viewer, "create filters");
    const filter = {
      name: text("name", input.name.trim(), MAX_NAME),
      survey: input.survey,
      where: text("where", input.where, MAX_TEXT),
      annotations: annotationsOf(input.annotations ?? []),
      active: input.active ?? true,
    };
    services.language.validate(filter.survey, filter.where, filter.annotations);
    if (input.stream != null) requirePublic(services.marks, viewer, filter);
    if (filter.active) await requireCheap(context, filter.survey, filter.where, filter.annotations);
    return shownFilter(await stores.filters.create({ ...filter, stream: await streamOf(context, input.stream) }));
  }

  @Mutation(() => FilterType, {
    complexity: lookupCost,
    description: "A changed expression is a new version; hits name the version that made them.",
  })
  async updateFilter(
    @Ctx() context: Context,
    @Arg("id", () => ID) id: string,
    @Arg("input", () => UpdateFilterInput) input: UpdateFilterInput,
  ): Promise<FilterType> {
    const { viewer, stores, services } = context;
    requireChange(viewer, "change filters");
    const change = {
      ...(input.name != null && { name: text("name", input.name.trim(), MAX_NAME) }),
      ...(input.where != null && { where: text("where", input.where, MAX_TEXT) }),
      ...(input.annotations != null && { annotations: annotationsOf(input.annotations) }),
      ...(input.active != null && { active: input.active }),
      ...(input.changelog != null && { changelog: text("changelog", input.changelog, MAX_TEXT) }),
      ...(input.stream !== undefined && { stream: await streamOf(context, input.stream) }),
    };
    const filter = await stores.filters.get(text("id", id, MAX_NAME));
    const version = filter?.versions.at(-1);
    if (filter == null || version === undefined) throw unknownFilter(id);
    const where = change.where ?? version.where;
    const annotations = change.annotations ?? version.annotations;
    if (change.where !== undefined || change.annotations !== undefined) {
      services.language.validate(filter.survey, where, annotations);
    }
    const isTold = change.where !== undefined || change.annotations !== undefined || change.stream != null;
    if (isTold && (change.stream === undefined ? filter.stream : change.stream) !== null) {
      requirePublic(services.marks, viewer, { where, annotations });
    }
    const begins = change.active === true && !filter.active;
    const differs = where !== version.where || change.annotations !== undefined;
    if ((change.active ?? filter.active) && (begins || differs)) {
      await requireCheap(context, filter.survey, where, annotations);
    }
    const changed = await stores.filters.update(id, change);
    if (changed === null) throw unknownFilter(id);
    return shownFilter(changed);
  }
}

const unknownFilter = (id: string) => new TocsinError("UNKNOWN_FILTER", `There is no filter ${JSON.stringify(id)}.`);

/** Its hits are those after the newest one of this moment. */
async function streamOf(
  { stores, services }: Context,
  input: FilterStreamInput | null | undefined,
): Promise<FilterStream | null> {
  if (input == null) return null;
  if (services.streams !== true) {
    throw new TocsinError("NO_KAFKA", "This service has no Kafka that a filter's hits could be published to.");
  }
  return { format: input.format, after: await stores.hits.lastSeq() };
}

/** Their names and number are the language's to check. */
const annotationsOf = (inputs: readonly AnnotationInput[]): Annotation[] =>
  inputs.map(({ name, expression }) => ({ name, expression: text("expression", expression, MAX_TEXT) }));
