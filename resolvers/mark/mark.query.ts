// Watch lists, areas and sky maps, the alerts that they hold, and what has become of them.
import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from "type-graphql";
import { cursorKind, queryIdentity } from "../../domain/cursor.js";
import { TocsinError } from "../../domain/errors.js";
import { type Mark, type MarkKind, maySeeMark } from "../../domain/mark.js";
import type { Survey } from "../../domain/survey.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import {
  MarkEventConnectionType,
  MarkedAlertConnectionType,
  MarkKindEnum,
  MarkPastType,
  MarkType,
} from "../../schema/mark/mark.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { MAX_NAME, pageSize, text } from "../bounds.js";
import { type Context, surveyOf } from "../context.js";
import { connection } from "../paging.js";
import type { Marks } from "../services.js";
import { shownAlert } from "../shown.js";
import { shownMark } from "./mark.shown.js";

const alertCursor = cursorKind("markedalert", ["number", "long"]);
const eventCursor = cursorKind("markevent", ["number", "text"]);
const EVENTS = queryIdentity("markEvents");

export function marksOf({ services }: Context): Marks {
  if (services.marks === undefined) throw new TocsinError("NOT_HERE", "This process keeps no watch lists.");
  return services.marks;
}

/** Throws UNKNOWN_MARK, also where the viewer may not see it. */
function markNamed(context: Context, kind: MarkKind, name: string): Mark {
  const mark = marksOf(context).desk.get(context.viewer, kind, text("name", name, MAX_NAME));
  if (mark === null)
    throw new TocsinError("UNKNOWN_MARK", `There is none of the name ${JSON.stringify(name.slice(0, 80))}.`);
  return mark;
}

@Resolver(() => MarkType)
export class MarkQueries {
  @Query(() => [MarkType], {
    complexity: searchCost,
    description: "All that the caller may see, by name: their own and shared ones. At most 200 of a kind.",
  })
  marks(@Ctx() context: Context, @Arg("kind", () => MarkKindEnum) kind: MarkKind): MarkType[] {
    return marksOf(context).desk.list(context.viewer, kind).map(shownMark);
  }

  @Query(() => MarkType, { nullable: true, complexity: lookupCost })
  mark(
    @Ctx() context: Context,
    @Arg("kind", () => MarkKindEnum) kind: MarkKind,
    @Arg("name", () => String) name: string,
  ): MarkType | null {
    const mark = marksOf(context).desk.get(context.viewer, kind, text("name", name, MAX_NAME));
    return mark && shownMark(mark);
  }

  @Query(() => MarkedAlertConnectionType, {
    complexity: searchCost,
    description:
      "The archived alerts that a watch list, an area or a sky map holds, newest first; those of the past as far as they have been marked. A page may be short where alerts may not be seen.",
  })
  async markedAlerts(
    @Ctx() context: Context,
    @Arg("kind", () => MarkKindEnum) kind: MarkKind,
    @Arg("name", () => String) name: string,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<MarkedAlertConnectionType> {
    surveyOf(context, survey);
    const first = pageSize(page.first);
    const mark = markNamed(context, kind, name);
    const identity = queryIdentity("markedAlerts", mark.id, survey);
    const key = page.after == null ? null : alertCursor.decode(identity, page.after);
    const after = key && { jd: key[0], candid: key[1] };
    const rows = await marksOf(context).page(mark.content, survey, first + 1, after);
    const alerts = await Promise.all(rows.map(({ candid }) => context.loaders.alert.load({ survey, id: candid })));
    const { edges, pageInfo } = connection(rows, first, ({ jd, candid, level, distance, positions }) => ({
      cursor: alertCursor.encode(identity, [jd, candid]),
      level: kind === "SKYMAP" ? level : null,
      distance,
      positions,
      candid,
    }));
    return {
      pageInfo,
      edges: edges.flatMap((edge, n) => {
        const alert = alerts[n];
        return alert == null ? [] : [{ ...edge, node: shownAlert(alert) }];
      }),
    };
  }

  @Query(() => MarkEventConnectionType, {
    complexity: searchCost,
    description:
      "What became of marks that the caller may see, oldest first: made, replaced (another revision), changed, retracted, removed. A page may be short; the cursor of its end is where the next one begins.",
  })
  async markEvents(@Ctx() context: Context, @Args(() => PageArgs) page: PageArgs): Promise<MarkEventConnectionType> {
    const first = pageSize(page.first);
    const key = page.after == null ? null : eventCursor.decode(EVENTS, page.after);
    const after = key && { changedAt: key[0], id: key[1] };
    const events = await marksOf(context).events(after, first + 1);
    const { edges, pageInfo } = connection(events, first, (mark) => ({
      cursor: eventCursor.encode(EVENTS, [mark.changedAt, mark.id]),
      mark,
    }));
    const seen = edges.filter(({ mark }) => maySeeMark(context.viewer, mark));
    return { pageInfo, edges: seen.map(({ cursor, mark }) => ({ cursor, node: shownMark(mark) })) };
  }

  @FieldResolver(() => [MarkPastType], {
    complexity: lookupCost,
    description:
      "One for each survey whose archived alerts are being marked, or have been. The owner's: it counts alerts of all rights.",
  })
  async past(@Root() { content }: MarkType, @Ctx() context: Context): Promise<MarkPastType[]> {
    if (!context.viewer.mayChange) return [];
    const progress = await marksOf(context).past(content);
    return progress.map(({ survey, done, total, complete }) => ({
      survey,
      done: BigInt(done),
      total: BigInt(total),
      isComplete: complete,
    }));
  }
}
