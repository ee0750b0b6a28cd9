// What lies in the catalogs at the place of an alert, and of an object: at that of its latest alert, which it shows.
import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from "type-graphql";
import type { Alert } from "../../domain/alert.js";
import type { SkyObject } from "../../domain/skyobject.js";
import { AlertType } from "../../schema/alert/alert.type.js";
import { pageCost } from "../../schema/cost.js";
import { CrossMatchType } from "../../schema/crossmatch/crossmatch.type.js";
import { SkyObjectType } from "../../schema/object/object.type.js";
import { DEFAULT_PAGE } from "../../schema/paging/bounds.js";
import type { StoredMatch } from "../../stores/matches.store.js";
import { pageSize } from "../bounds.js";
import type { Context } from "../context.js";
import type { MatchKey } from "./crossmatch.loader.js";

const DESCRIPTION = "Sources of all catalogs that match its position, nearest first.";

@Resolver(() => AlertType)
export class AlertCrossMatchResolver {
  @FieldResolver(() => [CrossMatchType], { complexity: pageCost, description: DESCRIPTION })
  crossMatches(
    @Root() alert: Alert,
    @Ctx() context: Context,
    @Arg("first", () => Int, { defaultValue: DEFAULT_PAGE }) first: number,
  ): Promise<CrossMatchType[]> {
    return crossMatches(context, alert, first);
  }
}

@Resolver(() => SkyObjectType)
export class ObjectCrossMatchResolver {
  @FieldResolver(() => [CrossMatchType], { complexity: pageCost, description: DESCRIPTION })
  crossMatches(
    @Root() { survey, lastSeen, latestCandid }: SkyObjectType & Pick<SkyObject, "survey">,
    @Ctx() context: Context,
    @Arg("first", () => Int, { defaultValue: DEFAULT_PAGE }) first: number,
  ): Promise<CrossMatchType[]> {
    return crossMatches(context, { survey, jd: lastSeen, candid: latestCandid }, first);
  }
}

async function crossMatches(context: Context, alert: MatchKey, first: number): Promise<CrossMatchType[]> {
  const most = pageSize(first);
  const found = await context.loaders.matches.load(alert);
  return found.slice(0, most).map((match) => shown(context, match));
}

function shown({ services }: Context, { revision, ...match }: StoredMatch): CrossMatchType {
  const catalog = services.matchedCatalogs?.().find(({ name }) => name === match.catalog);
  const catalogVersion = catalog?.revision === revision ? catalog.version : null;
  return { ...match, catalogRevision: revision, catalogVersion };
}
