// The dead letters, for callers who may change something: they hold packets whose rights nobody could read.
import { Arg, Args, Ctx, Int, Mutation, Query, Resolver } from "type-graphql";
import { deadLetterCursor, queryIdentity } from "../../domain/cursor.js";
import { TocsinError } from "../../domain/errors.js";
import { jdFromEpochMs } from "../../domain/time.js";
import { searchCost } from "../../schema/cost.js";
import { DeadLetterWhere } from "../../schema/deadletter/deadletter.input.js";
import { DeadLetterConnectionType, ReplayResultType } from "../../schema/deadletter/deadletter.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { pageSize } from "../bounds.js";
import { type Context, requireChange } from "../context.js";
import { connection } from "../paging.js";
import { conditionsOf } from "./deadletter.conditions.js";

@Resolver()
export class DeadLetterResolver {
  @Query(() => DeadLetterConnectionType, {
    complexity: searchCost,
    description: "What could not be taken in, newest first. Needs the right to change.",
  })
  async deadLetters(
    @Ctx() { stores, viewer }: Context,
    @Args(() => PageArgs) page: PageArgs,
    @Arg("where", () => DeadLetterWhere, { nullable: true }) where?: DeadLetterWhere | null,
  ): Promise<DeadLetterConnectionType> {
    requireChange(viewer, "read dead letters");
    const first = pageSize(page.first);
    const conditions = conditionsOf(where ?? {});
    const identity = queryIdentity("deadLetters", ...Object.entries(conditions));
    const key = page.after == null ? null : deadLetterCursor.decode(identity, page.after);
    const after = key && { receivedAt: key[0], id: key[1] };
    const letters = await stores.deadLetters.page(viewer, conditions, first + 1, after);
    return connection(letters, first, (letter) => ({
      cursor: deadLetterCursor.encode(identity, [letter.receivedAt, letter.id]),
      node: {
        id: letter.id,
        reason: letter.reason,
        message: letter.message,
        source: letter.origin.source,
        position: letter.origin.position,
        survey: letter.survey,
        receivedAt: jdFromEpochMs(letter.receivedAt),
        bytesKept: letter.bytesKept,
        replayedAt: letter.replayedAt === null ? null : jdFromEpochMs(letter.replayedAt),
      },
    }));
  }

  @Mutation(() => ReplayResultType, {
    complexity: searchCost,
    description:
      "Take dead letters in again, after what was wrong has been put right. Those that succeed are marked, those that fail stay as they are; at most `first` (100, up to 1,000), newest first. Needs the right to change.",
  })
  async replayDeadLetters(
    @Ctx() { services, viewer }: Context,
    @Arg("where", () => DeadLetterWhere) where: DeadLetterWhere,
    @Arg("first", () => Int, { nullable: true }) first?: number | null,
  ): Promise<ReplayResultType> {
    requireChange(viewer, "replay dead letters");
    const conditions = conditionsOf(where);
    const most = pageSize(first);
    if (services.replay === undefined) {
      throw new TocsinError("NOT_HERE", "This process serves the API and takes nothing in.");
    }
    const result = await services.replay(viewer, conditions, most);
    return { ...result, reasons: [...result.reasons] };
  }
}
