// What lies in the catalogs at the place of an alert, and of an object: at that of its latest alert, which it shows; the
// host among it, and the other objects of a host.
import { Arg, Ctx, FieldResolver, Int, Query, Resolver, Root } from "type-graphql";
import { hostOf, kpcOf } from "../../domain/match.js";
import { AlertType } from "../../schema/alert/alert.type.js";
import { CatalogType } from "../../schema/catalog/catalog.type.js";
import { lookupCost, pageCost, searchCost } from "../../schema/cost.js";
import { CrossMatchType } from "../../schema/crossmatch/crossmatch.type.js";
import { HostType } from "../../schema/crossmatch/host.type.js";
import { RematchType } from "../../schema/crossmatch/rematch.type.js";
import { SkyObjectType } from "../../schema/object/object.type.js";
import { DEFAULT_PAGE } from "../../schema/paging/bounds.js";
import type { StoredMatch } from "../../stores/matches.store.js";
import { type SourceKey, sourceKey } from "../../stores/sources.store.js";
import { MAX_NAME, pageSize, text } from "../bounds.js";
import type { Context } from "../context.js";
import { shownObject } from "../shown.js";
import type { MatchKey } from "./crossmatch.loader.js";

const DESCRIPTION = "Sources of all catalogs that match its position, nearest first.";

@Resolver(() => AlertType)
export class AlertCrossMatchResolver {
  @FieldResolver(() => [CrossMatchType], { complexity: pageCost, description: DESCRIPTION })
  crossMatches(
    @Root() alert: AlertType,
    @Ctx() context: Context,
    @Arg("first", () => Int, { defaultValue: DEFAULT_PAGE }) first: number,
  ): Promise<CrossMatchType[]> {
    return crossMatches(context, alert, first);
  }
}

@Resolver(() => HostType)
export class HostResolver {
  @Query(() => [SkyObjectType], {
    complexity: searchCost,
    description: "Objects whose host is this source of a catalog of galaxies, nearest first, at most 100.",
  })
  hostedObjects(
    @Ctx() context: Context,
    @Arg("catalog", () => String) catalog: string,
    @Arg("sourceId", () => String) sourceId: string,
  ): Promise<SkyObjectType[]> {
    const source = { catalog: text("catalog", catalog, MAX_NAME), sourceId: text("sourceId", sourceId, MAX_NAME) };
    return hostedObjects(context, source);
  }

  @FieldResolver(() => [SkyObjectType], {
    complexity: ({ childComplexity }) => 100 + 10 * childComplexity,
    description: "All objects that are known to lie in it, the object itself among them; nearest first, at most 100.",
  })
  objects(@Root() { match }: HostType, @Ctx() context: Context): Promise<SkyObjectType[]> {
    return hostedObjects(context, match);
  }
}

@Resolver(() => CatalogType)
export class RematchResolver {
  @FieldResolver(() => [RematchType], {
    complexity: lookupCost,
    description:
      "One for each survey whose alerts were begun to be matched with this revision. The owner's: it counts alerts of all rights.",
  })
  async rematch(@Root() { name, revision }: CatalogType, @Ctx() { stores, viewer }: Context): Promise<RematchType[]> {
    if (!viewer.mayChange) return [];
    const begun = await stores.rematches.rematches([name]);
    const latest = new Map(begun.filter((one) => BigInt(one.revision) === revision).map((one) => [one.survey, one]));
    return [...latest.values()].map(({ survey, done, total, complete }) => {
      return { survey, done: BigInt(done), total: BigInt(total), complete };
    });
  }
}

@Resolver(() => SkyObjectType)
export class ObjectCrossMatchResolver {
  @FieldResolver(() => [CrossMatchType], { complexity: pageCost, description: DESCRIPTION })
  crossMatches(
    @Root() object: SkyObjectType,
    @Ctx() context: Context,
    @Arg("first", () => Int, { defaultValue: DEFAULT_PAGE }) first: number,
  ): Promise<CrossMatchType[]> {
    return crossMatches(context, latestOf(object), first);
  }

  @FieldResolver(() => HostType, { nullable: true, complexity: lookupCost })
  async host(@Root() object: SkyObjectType, @Ctx() context: Context): Promise<HostType | null> {
    const matches = await context.loaders.matches.load(latestOf(object));
    const host = hostOf(matches, context.services.matchedCatalogs?.() ?? []);
    return host && { match: shown(context, host), distanceKpc: kpcOf(host) };
  }
}

/**
 * The graph says which objects may be meant, the matches that the caller may see decide: a link may stand because of an
 * alert that is not public.
 */
async function hostedObjects(context: Context, source: SourceKey): Promise<SkyObjectType[]> {
  const { loaders, services } = context;
  const catalogs = services.matchedCatalogs?.() ?? [];
  const linked = await loaders.hosted.load(source);
  const found = await Promise.all(
    linked.map(async ({ survey, objectId }) => {
      const object = await loaders.object.load({ survey, id: objectId });
      if (object === null) return null;
      const matches = await loaders.matches.load({ survey, jd: object.lastJd, candid: object.latestCandid });
      const host = hostOf(matches, catalogs);
      if (host === null || sourceKey(host) !== sourceKey(source)) return null;
      return { object: shownObject(object), separationArcsec: host.separationArcsec };
    }),
  );
  const seen = found.filter((one) => one !== null).sort((a, b) => a.separationArcsec - b.separationArcsec);
  return seen.map(({ object }) => object);
}

const latestOf = ({ survey, lastSeen, latestCandid, asOf }: SkyObjectType): MatchKey => ({
  ...{ survey, jd: lastSeen, candid: latestCandid, asOf },
});

async function crossMatches(context: Context, alert: MatchKey, first: number): Promise<CrossMatchType[]> {
  const most = pageSize(first);
  const found = await context.loaders.matches.load(alert);
  return found.slice(0, most).map((match) => shown(context, match));
}

function shown({ services }: Context, { revision, ...match }: StoredMatch): CrossMatchType {
  const catalog = services.matchedCatalogs?.().find(({ name }) => name === match.catalog);
  const catalogVersion = catalog?.revision === revision ? catalog.version : null;
  return { ...match, catalogRevision: BigInt(revision), catalogVersion };
}
