// The query of corrections, and the subscription to them.
import { Arg, Args, Ctx, Query, Resolver, Root, Subscription } from "type-graphql";
import type { StoredCorrection } from "../../domain/correction.js";
import { TocsinError } from "../../domain/errors.js";
import { markOperand } from "../../domain/mark.js";
import type { Survey } from "../../domain/survey.js";
import { jdFromEpochMs } from "../../domain/time.js";
import { CorrectionConditionsInput } from "../../schema/correction/correction.input.js";
import { CorrectionConnectionType, CorrectionType } from "../../schema/correction/correction.type.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import type { CorrectionConditions } from "../../stores/corrections.store.js";
import type { CorrectionStream } from "../../subscriptions/corrections.js";
import type { HitCursors } from "../../subscriptions/cursor.js";
import { badArgument, list, MAX_NAME, pageSize, text } from "../bounds.js";
import { type Context, createContext } from "../context.js";
import { connection } from "../paging.js";

const MOST_IDS = 100;

@Resolver()
export class CorrectionResolver {
  @Query(() => CorrectionConnectionType, {
    complexity: searchCost,
    description:
      "What has changed of objects since it was told, in the order of their cursors, oldest first: the same cursors as the subscription's. An empty page has an endCursor too: where it begins. A page may be short while hasNextPage is true: changes of hits of filters that the caller may not know are left out.",
  })
  async corrections(
    @Ctx() context: Context,
    @Arg("survey", () => SurveyEnum, { nullable: true }) survey: Survey | null | undefined,
    @Arg("where", () => CorrectionConditionsInput, { nullable: true }) where:
      | CorrectionConditionsInput
      | null
      | undefined,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<CorrectionConnectionType> {
    if (survey != null && where?.survey != null) {
      throw badArgument("Give survey once: beside where or in it.", { argument: "survey" });
    }
    const first = pageSize(page.first);
    const { cursors } = context.services.corrections;
    const after = page.after == null ? 0n : cursors.seq(page.after);
    const conditions = conditionsOf(context, { ...where, survey: survey ?? where?.survey ?? null })();
    const found = await context.stores.corrections.page(context.viewer, conditions, first + 1, after, null);
    const told = new Set(await known(context, found));
    const edge = (one: StoredCorrection) => {
      const node = shown(one, cursors);
      return { cursor: node.cursor, node, isTold: told.has(one) };
    };
    const whole = connection(found, first, edge, cursors.text(after));
    return { ...whole, edges: whole.edges.filter(({ isTold }) => isTold) };
  }

  @Subscription(() => CorrectionType, {
    complexity: lookupCost,
    description:
      "What changes of objects that were told of. With a cursor, everything after it comes first, once, in order.",
    subscribe: ({ args, context }) => listen(context as Context, args.where, args.after),
  })
  objectChanged(
    @Root() correction: StoredCorrection,
    @Ctx() { services }: Context,
    @Arg("where", () => CorrectionConditionsInput, { nullable: true }) _where?: CorrectionConditionsInput | null,
    @Arg("after", () => String, { nullable: true }) _after?: string | null,
  ): CorrectionType {
    return shown(correction, services.corrections.cursors);
  }
}

/** Arguments are checked when the subscription starts. */
async function listen(
  context: Context,
  where: CorrectionConditionsInput | null | undefined,
  after: string | null | undefined,
): Promise<CorrectionStream> {
  const { corrections } = context.services;
  const seq = after == null ? null : corrections.cursors.seq(after);
  const { services, viewer } = context;
  // A context remembers what it looked up, and the request that began this ends before it.
  const chosen = (found: readonly StoredCorrection[]) => known(createContext(services, viewer), found);
  const request = { viewer, where: conditionsOf(context, where ?? {}), after: seq };
  return corrections.listen(viewer.mayChange ? request : { ...request, chosen });
}

/** Of hits only those of filters that the viewer may know. */
async function known(
  { viewer, loaders }: Context,
  corrections: readonly StoredCorrection[],
): Promise<readonly StoredCorrection[]> {
  if (viewer.mayChange) return corrections;
  const may = await Promise.all(
    corrections.map(async ({ filter }) => filter === null || (await loaders.filter.load(filter.id)) !== null),
  );
  return corrections.filter((_, n) => may[n]);
}

/** What a watch list holds is looked up each time: it may be replaced while somebody listens. */
function conditionsOf(
  { services, viewer }: Context,
  { survey, objectIds, what, filterIds, watchList }: CorrectionConditionsInput,
): () => CorrectionConditions {
  const ids = (name: string, values: readonly string[] | null | undefined): string[] | null => {
    if (values == null) return null;
    return list(name, values, MOST_IDS, 1)
      .map((id) => text(name, id, MAX_NAME))
      .sort();
  };
  const asked = {
    survey: survey ?? null,
    objectIds: ids("objectIds", objectIds),
    what: what == null ? null : [...list("what", what, MOST_IDS, 1)].sort(),
    filterIds: ids("filterIds", filterIds),
  };
  if (watchList == null) return () => ({ ...asked, watched: null });
  const found = services.marks?.desk.get(viewer, "WATCH_LIST", text("watchList", watchList, MAX_NAME)) ?? null;
  if (found === null) throw unknownList(watchList);
  return () => {
    // By its name: a list of this name is what was asked for.
    const mark = services.marks?.desk.get(viewer, "WATCH_LIST", watchList) ?? found;
    return { ...asked, watched: { content: mark.content, operand: markOperand(mark) } };
  };
}

const unknownList = (name: string) =>
  new TocsinError("UNKNOWN_MARK", `There is no watch list of the name ${JSON.stringify(name.slice(0, 80))}.`);

function shown({ seq, filter, ...one }: StoredCorrection, cursors: HitCursors): CorrectionType {
  return {
    ...one,
    cursor: cursors.text(seq),
    filterId: filter?.id ?? null,
    filterVersion: filter?.version ?? null,
    toldAt: jdFromEpochMs(one.toldAt),
  };
}
