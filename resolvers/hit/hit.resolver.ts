// Stored hits, live hits, and the alert of a hit.
import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root, Subscription } from "type-graphql";
import { TocsinError } from "../../domain/errors.js";
import type { DeliveredHit, Hit } from "../../domain/filter.js";
import { jdFromEpochMs } from "../../domain/time.js";
import { AlertType } from "../../schema/alert/alert.type.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import { FilterHitConnectionType, FilterHitType } from "../../schema/hit/hit.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { DateTime } from "../../schema/scalars/datetime.scalar.js";
import type { HitCursors } from "../../subscriptions/cursor.js";
import { list, MAX_NAME, pageSize, text } from "../bounds.js";
import type { Context } from "../context.js";
import { withdrawalOf } from "../hitchanges.js";
import { connection } from "../paging.js";
import { shownAlert } from "../shown.js";

const MAX_FILTERS = 100;

@Resolver(() => FilterHitType)
export class HitResolver {
  @Query(() => FilterHitConnectionType, {
    complexity: searchCost,
    description:
      "Stored hits in the order of their cursors, oldest first: the same cursors as the subscription's. An empty page " +
      "has an endCursor too: where it begins.",
  })
  async hits(
    @Ctx() context: Context,
    @Arg("filterIds", () => [ID], { description: "1 to 100." }) filterIds: string[],
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<FilterHitConnectionType> {
    const first = pageSize(page.first);
    const { cursors } = context.services.hub;
    const after = page.after == null ? 0n : cursors.seq(page.after);
    const ids = await knownFilters(context, filterIds);
    const hits = await context.stores.hits.page(context.viewer, ids, first + 1, after, null);
    const edge = (hit: Hit) => {
      const node = shownHit(hit, cursors);
      return { cursor: node.cursor, node };
    };
    return connection(hits, first, edge, cursors.text(after));
  }

  @Subscription(() => FilterHitType, {
    complexity: lookupCost,
    description: "Live hits of these filters. With a cursor, every hit after it comes first, once, in order.",
    subscribe: ({ args, context }) => listen(context as Context, args.filterIds, args.after),
  })
  filterHits(
    @Root() hit: DeliveredHit,
    @Ctx() context: Context,
    @Arg("filterIds", () => [ID], { description: "1 to 100." }) _filterIds: string[],
    @Arg("after", () => String, { nullable: true }) _after?: string | null,
  ): FilterHitType | Promise<FilterHitType> {
    const shown = shownHit(hit, context.services.hub.cursors);
    // It may have begun to read a private list since.
    return context.viewer.mayChange ? shown : ifKnown(context, shown);
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    complexity: lookupCost,
    description:
      "When the alert was found to pass no more, after its values were corrected. The hit stays in the list, which is what was sent. Null where it stands.",
  })
  async withdrawnAt(@Root() { hit }: Pick<FilterHitType, "hit">, @Ctx() context: Context): Promise<number | null> {
    const withdrawal = await withdrawalOf(context, hit);
    return withdrawal && jdFromEpochMs(withdrawal.changedAt);
  }

  @FieldResolver(() => AlertType)
  async alert(@Root() { hit }: Pick<FilterHitType, "hit">, @Ctx() { loaders }: Context): Promise<AlertType> {
    const alert =
      (hit as Partial<DeliveredHit>).alert ?? (await loaders.alert.load({ survey: hit.survey, id: hit.candid }));
    if (alert === null) throw new TocsinError("NOT_FOUND", `There is no alert ${hit.survey} ${hit.candid}.`);
    return shownAlert(alert);
  }
}

/** Arguments are checked when the subscription starts, not at its first hit. */
async function listen(
  context: Context,
  filterIds: readonly string[],
  after: string | null | undefined,
): Promise<AsyncIterable<DeliveredHit>> {
  const { hub } = context.services;
  const seq = after == null ? null : hub.cursors.seq(after);
  const ids = await knownFilters(context, filterIds);
  return hub.listen({ viewer: context.viewer, filterIds: ids, after: seq });
}

/** The ids without repetition; UNKNOWN_FILTER where one does not exist. */
async function knownFilters({ stores }: Context, filterIds: readonly string[]): Promise<string[]> {
  const asked = list("filterIds", filterIds, MAX_FILTERS, 1).map((id) => text("filterIds", id, MAX_NAME));
  const ids = [...new Set(asked)].sort();
  const known = await stores.filters.byIds(ids);
  const unknown = ids.filter((id) => !known.has(id));
  if (unknown.length > 0) throw unknownFilters(unknown);
  return ids;
}

async function ifKnown(context: Context, shown: FilterHitType): Promise<FilterHitType> {
  if ((await context.loaders.filter.load(shown.filterId)) === null) throw unknownFilters([shown.filterId]);
  return shown;
}

const unknownFilters = (ids: readonly string[]) =>
  new TocsinError("UNKNOWN_FILTER", `There is no filter ${JSON.stringify(ids[0])}.`, { details: { filterIds: ids } });

function shownHit(hit: Hit, cursors: HitCursors): FilterHitType {
  return {
    cursor: cursors.text(hit.seq),
    filterId: hit.filterId,
    filterVersion: hit.filterVersion,
    passedAt: jdFromEpochMs(hit.passedAt),
    annotations: hit.annotations === null ? null : JSON.parse(hit.annotations),
    hit,
  };
}
