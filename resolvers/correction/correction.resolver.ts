// The query of corrections.
import { Arg, Args, Ctx, Query, Resolver } from "type-graphql";
import type { Corrected } from "../../domain/correction.js";
import { cursorKind, queryIdentity } from "../../domain/cursor.js";
import type { Survey } from "../../domain/survey.js";
import { jdFromEpochMs } from "../../domain/time.js";
import { CorrectionConnectionType } from "../../schema/correction/correction.type.js";
import { searchCost } from "../../schema/cost.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { pageSize } from "../bounds.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";

/** toldAt, survey, objectId, candid, what. */
const correctionCursor = cursorKind("correction", ["number", "text", "text", "long", "text"]);

@Resolver()
export class CorrectionResolver {
  @Query(() => CorrectionConnectionType, {
    complexity: searchCost,
    description:
      "What has changed of objects since it was told, oldest first, up to ten seconds ago. Keep the last cursor and ask again: nothing is missed. An empty page gives back the cursor that it was asked for.",
  })
  async corrections(
    @Ctx() { stores, viewer }: Context,
    @Arg("survey", () => SurveyEnum, { nullable: true }) survey: Survey | null | undefined,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<CorrectionConnectionType> {
    const first = pageSize(page.first);
    const identity = queryIdentity("corrections", survey ?? null);
    const key = page.after == null ? null : correctionCursor.decode(identity, page.after);
    const after = key && {
      ...{
        toldAt: Math.trunc(Math.max(0, Math.min(key[0], Number.MAX_SAFE_INTEGER))),
        survey: key[1],
        objectId: key[2],
      },
      ...{ candid: key[3], what: key[4] as Corrected },
    };
    const found = await stores.corrections.page(viewer, survey ?? null, first + 1, after);
    const edge = (one: (typeof found)[number]) => ({
      cursor: correctionCursor.encode(identity, [one.toldAt, one.survey, one.objectId, one.candid, one.what]),
      node: { ...one, toldAt: jdFromEpochMs(one.toldAt) },
    });
    return connection(found, first, edge, page.after ?? null);
  }
}
