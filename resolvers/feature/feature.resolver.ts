// Features of alerts and objects, the objects whose features are old, and periods on demand.
import { setImmediate as turn } from "node:timers/promises";
import { Arg, Args, Ctx, FieldResolver, Float, Int, Query, Resolver, Root } from "type-graphql";
import type { Alert } from "../../domain/alert.js";
import { cursorKind, queryIdentity } from "../../domain/cursor.js";
import { findPeriod, MAX_PERIOD_WORK, periodGrid } from "../../domain/features/period.js";
import type { SkyObject } from "../../domain/skyobject.js";
import type { Survey } from "../../domain/survey.js";
import { AlertType } from "../../schema/alert/alert.type.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import { FeaturesType, PeriodType, StaleFeaturesConnectionType } from "../../schema/feature/feature.type.js";
import { SkyObjectType } from "../../schema/object/object.type.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import type { AlertFeatures } from "../../stores/features.store.js";
import { badArgument, pageSize } from "../bounds.js";
import { type Context, surveyOf } from "../context.js";
import { connection } from "../paging.js";
import { shownObject } from "../shown.js";
import { fluxesOf } from "./feature.fluxes.js";

const staleCursor = cursorKind("stalefeatures", ["text"]);
/** A period costs as much as a search: up to a second of the processor. */
const PERIOD_COST = 10_000;
/** Bounds of periods, days: 86 s, and longer than any survey. */
const SHORTEST = 0.001;
const LONGEST = 10_000;

@Resolver(() => AlertType)
export class AlertFeaturesResolver {
  @FieldResolver(() => FeaturesType, {
    nullable: true,
    complexity: lookupCost,
    description: "Of the light curve as it stood at this alert; null where none were made.",
  })
  features(@Root() { survey, candid }: Alert, @Ctx() context: Context): Promise<FeaturesType | null> {
    return featuresOf(context, survey, candid);
  }
}

@Resolver(() => SkyObjectType)
export class ObjectFeaturesResolver {
  @FieldResolver(() => FeaturesType, {
    nullable: true,
    complexity: lookupCost,
    description: "Those of the object's latest alert.",
  })
  features(@Root() { survey, latestCandid }: SkyObject, @Ctx() context: Context): Promise<FeaturesType | null> {
    return featuresOf(context, survey, latestCandid);
  }

  @FieldResolver(() => PeriodType, {
    nullable: true,
    complexity: PERIOD_COST,
    description:
      "Sought in difference fluxes of detections and all forced photometry, one point for each time and band. Null where there are too few points or they do not vary.",
  })
  async period(
    @Root() object: SkyObjectType,
    @Ctx() context: Context,
    @Arg("minDays", () => Float, { defaultValue: 0.1, description: "From 0.001 (86 s)." }) minDays: number,
    @Arg("maxDays", () => Float, {
      nullable: true,
      description: "Up to 10,000; half of the light curve's length where it is not given.",
    })
    maxDays: number | null | undefined,
  ): Promise<PeriodType | null> {
    checkRange(minDays, maxDays ?? LONGEST);
    const curve = await context.loaders.lightCurve.load({
      survey: object.survey,
      id: object.objectId,
      asOf: object.asOf,
    });
    const points = fluxesOf(curve, object.lastSeen);
    const length = (points.times.at(-1) ?? 0) - (points.times[0] ?? 0);
    const longest = maxDays ?? length / 2;
    if (!(longest > minDays)) return null;
    if (periodGrid(points, minDays, longest) * points.times.length > MAX_PERIOD_WORK) {
      throw badArgument(
        `minDays is too short for a light curve of ${points.times.length} points over ${Math.round(length)} days: the search would take too long.`,
        { argument: "minDays" },
      );
    }
    return findPeriod(points, minDays, longest, () => context.breathe() ?? turn());
  }
}

@Resolver()
export class StaleFeaturesResolver {
  @Query(() => StaleFeaturesConnectionType, {
    complexity: searchCost,
    description: "Objects whose latest features were made before a version of the step, by objectId.",
  })
  async staleFeatures(
    @Ctx() context: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("before", () => Int, { description: "From 1." }) before: number,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<StaleFeaturesConnectionType> {
    surveyOf(context, survey);
    const first = pageSize(page.first);
    if (before < 1) throw badArgument(`before must be 1 or more, found ${before}.`, { argument: "before" });
    const identity = queryIdentity("staleFeatures", survey, before);
    const after = page.after == null ? null : staleCursor.decode(identity, page.after)[0];
    const found = await context.stores.features.stale(context.viewer, survey, before, first + 1, after);
    const objects = await Promise.all(
      found.map(async ({ objectId, version }) => {
        const object = await context.loaders.object.load({ survey, id: objectId });
        return object && { version, object };
      }),
    );
    const there = objects.filter((one) => one !== null);
    return connection(there, first, ({ version, object }) => ({
      cursor: staleCursor.encode(identity, [object.objectId]),
      version,
      node: shownObject(object),
    }));
  }
}

async function featuresOf(context: Context, survey: Survey, candid: bigint): Promise<FeaturesType | null> {
  const features = await context.loaders.features.load({ survey, id: candid });
  await context.breathe();
  return features && shown(features, surveyOf(context, survey).bands);
}

function shown({ version, whole, scopes }: AlertFeatures, bands: readonly string[]): FeaturesType {
  const named = new Set(bands);
  const pairs = [...scopes].filter(([scope]) => !named.has(scope));
  return {
    ...whole,
    version,
    bands: bands.map((band) => ({ band, ...scopes.get(band) })),
    colours: pairs.map(([scope, values]) => ({ bands: scope, ...values })),
  };
}

function checkRange(shortest: number, longest: number): void {
  if (!(shortest >= SHORTEST && shortest <= LONGEST)) {
    throw badArgument(`minDays must be from ${SHORTEST} to ${LONGEST}, found ${shortest}.`, { argument: "minDays" });
  }
  if (!(longest > shortest && longest <= LONGEST)) {
    throw badArgument(`maxDays must be above minDays and at most ${LONGEST}, found ${longest}.`, {
      argument: "maxDays",
    });
  }
}
