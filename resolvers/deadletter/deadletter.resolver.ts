// The dead letters, for callers who may change something: they hold packets whose rights nobody could read.
import { Args, Ctx, Query, Resolver } from "type-graphql";
import { deadLetterCursor, queryIdentity } from "../../domain/cursor.js";
import { jdFromEpochMs } from "../../domain/time.js";
import { searchCost } from "../../schema/cost.js";
import { DeadLetterConnectionType } from "../../schema/deadletter/deadletter.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { pageSize } from "../bounds.js";
import { type Context, requireChange } from "../context.js";
import { connection } from "../paging.js";

const IDENTITY = queryIdentity("deadLetters");

@Resolver()
export class DeadLetterResolver {
  @Query(() => DeadLetterConnectionType, {
    complexity: searchCost,
    description: "What could not be taken in, newest first. Needs the right to change.",
  })
  async deadLetters(
    @Ctx() { stores, viewer }: Context,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<DeadLetterConnectionType> {
    requireChange(viewer, "read dead letters");
    const first = pageSize(page.first);
    const key = page.after == null ? null : deadLetterCursor.decode(IDENTITY, page.after);
    const letters = await stores.deadLetters.page(viewer, first + 1, key && { receivedAt: key[0], id: key[1] });
    return connection(letters, first, (letter) => ({
      cursor: deadLetterCursor.encode(IDENTITY, [letter.receivedAt, letter.id]),
      node: {
        id: letter.id,
        reason: letter.reason,
        message: letter.message,
        source: letter.origin.source,
        position: letter.origin.position,
        survey: letter.survey,
        receivedAt: jdFromEpochMs(letter.receivedAt),
        bytesKept: letter.bytes?.length ?? 0,
      },
    }));
  }
}
