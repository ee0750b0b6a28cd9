// Objects whose latest values were not made by what makes them now, or could not be made.
import { Arg, Args, Ctx, Int, Query, Resolver } from "type-graphql";
import { cursorKind, queryIdentity } from "../../domain/cursor.js";
import { TocsinError } from "../../domain/errors.js";
import type { Survey } from "../../domain/survey.js";
import { StaleObjectConnectionType, type StaleStep, StaleStepEnum } from "../../schema/correction/stale.type.js";
import { searchCost } from "../../schema/cost.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import type { StaleValues } from "../../stores/stale.store.js";
import { badArgument, MAX_NAME, pageSize, text } from "../bounds.js";
import { type Context, surveyOf } from "../context.js";
import { connection } from "../paging.js";
import { shownObject } from "../shown.js";

const staleCursor = cursorKind("staleobjects", ["text"]);

@Resolver()
export class StaleObjectsResolver {
  @Query(() => StaleObjectConnectionType, {
    complexity: searchCost,
    description: "Objects whose latest values were not made by what makes them now, or could not be made, by objectId.",
  })
  async staleObjects(
    @Ctx() context: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("step", () => StaleStepEnum) step: StaleStep,
    @Args(() => PageArgs) page: PageArgs,
    @Arg("beforeVersion", () => Int, { nullable: true, description: "Of FEATURES; from 1." })
    beforeVersion?: number | null,
    @Arg("name", () => String, { nullable: true, description: "Of a model (SCORES) or a catalog (MATCHES)." })
    name?: string | null,
  ): Promise<StaleObjectConnectionType> {
    surveyOf(context, survey);
    const first = pageSize(page.first);
    const identity = queryIdentity("staleObjects", survey, step, beforeVersion ?? null, name ?? null);
    const after = page.after == null ? null : staleCursor.decode(identity, page.after)[0];
    const find = finder(context, survey, step, beforeVersion ?? null, name ?? null);
    const found = await find(first + 1, after);
    const objects = await Promise.all(
      found.map(async ({ objectId, madeBy }) => {
        const object = await context.loaders.object.load({ survey, id: objectId });
        return object && { madeBy, object };
      }),
    );
    const there = objects.filter((one) => one !== null);
    return connection(there, first, ({ madeBy, object }) => ({
      cursor: staleCursor.encode(identity, [object.objectId]),
      madeBy,
      node: shownObject(object),
    }));
  }
}

interface StaleObject extends Pick<StaleValues, "objectId"> {
  /** Null: there is nothing. */
  readonly madeBy: string | null;
}
type Find = (first: number, after: string | null) => Promise<StaleObject[]>;
type Missing = Parameters<Context["stores"]["stale"]["missing"]>[2];

/** Those that `old` finds, and those that lack such values. */
function withMissing({ stores, viewer }: Context, survey: Survey, missing: Missing, old: Find): Find {
  return async (first, after) => {
    const [found, lacking] = await Promise.all([
      old(first, after),
      stores.stale.missing(viewer, survey, missing, first, after),
    ]);
    const madeBy = new Map<string, string | null>(found.map((one) => [one.objectId, one.madeBy]));
    for (const objectId of lacking) madeBy.set(objectId, null);
    const ids = [...madeBy.keys()].sort((a, b) => (a < b ? -1 : 1));
    return ids.slice(0, first).map((objectId) => ({ objectId, madeBy: madeBy.get(objectId) ?? null }));
  };
}

function finder(context: Context, survey: Survey, step: StaleStep, before: number | null, named: string | null): Find {
  const { services, stores, viewer } = context;
  if (step === "FEATURES") {
    if (named !== null) throw badArgument("name belongs to SCORES and MATCHES.", { argument: "name" });
    if (before === null || before < 1) {
      throw badArgument(`beforeVersion must be 1 or more, found ${before}.`, { argument: "beforeVersion" });
    }
    return withMissing(context, survey, { step: "features", part: null }, async (first, after) => {
      const found = await stores.features.stale(viewer, survey, before, first, after);
      return found.map(({ objectId, version }) => ({ objectId, madeBy: String(version) }));
    });
  }
  if (before !== null) throw badArgument("beforeVersion belongs to FEATURES.", { argument: "beforeVersion" });
  if (named === null) throw badArgument(`${step} must have a name.`, { argument: "name" });
  const name = text("name", named, MAX_NAME);
  if (step === "SCORES") {
    const model = services.models?.list().find((one) => one.name === name && one.state === "active");
    if (model === undefined) throw new TocsinError("UNKNOWN_MODEL", `No model ${JSON.stringify(name)} is active.`);
    return withMissing(context, survey, { step: "scores", part: name }, (first, after) =>
      stores.stale.scores(viewer, survey, model, first, after),
    );
  }
  return withMissing(context, survey, { step: "crossmatch", part: name }, async (first, after) => {
    const catalog = (await stores.catalogs.active()).find((one) => one.name === name);
    if (catalog === undefined)
      throw new TocsinError("NOT_FOUND", `There is no active catalog ${JSON.stringify(name)}.`);
    return stores.stale.matches(viewer, survey, catalog, first, after);
  });
}
