// Queries of catalogs: what there is, and what lies near positions.
import type { ComplexityEstimatorArgs } from "graphql-query-complexity";
import { Arg, Args, Ctx, Float, Int, Query, Resolver } from "type-graphql";
import type { Catalog } from "../../domain/catalog.js";
import { queryIdentity, sourceCursor } from "../../domain/cursor.js";
import { TocsinError } from "../../domain/errors.js";
import { ConeInput } from "../../schema/alert/alert.input.js";
import { PositionInput } from "../../schema/catalog/catalog.input.js";
import {
  CatalogLoadType,
  CatalogSourceConnectionType,
  CatalogType,
  KnownCatalogType,
  PositionSourcesType,
} from "../../schema/catalog/catalog.type.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import type { NearbySources } from "../../stores/catalogs.store.js";
import { badArgument, cone, list, MAX_NAME, pageSize, text } from "../bounds.js";
import { type Context, requireChange } from "../context.js";
import { connection } from "../paging.js";
import { shownCatalog, shownSources } from "./catalog.shown.js";

const MAX_POSITIONS = 1_000;
const MAX_CATALOGS = 100;
/** Wider circles are asked one by one, page by page. */
const MAX_RADIUS = 3_600;
/** Sources of one answer. */
const MAX_SOURCES = 100_000;

const CELL = 20;
const length = (value: unknown): number => (Array.isArray(value) ? value.length : 1);
/** Each pair of a position and a catalog is a look at the key; most have few sources. */
const sourcesCost = ({ args, childComplexity }: ComplexityEstimatorArgs): number =>
  10_000 +
  Math.min(MAX_POSITIONS, length(args.positions)) * Math.min(MAX_CATALOGS, length(args.catalogs)) * CELL +
  childComplexity;

@Resolver()
export class CatalogResolver {
  @Query(() => [CatalogType], { complexity: lookupCost, description: "By name; loads that have not ended too." })
  async catalogs(@Ctx() { stores }: Context): Promise<CatalogType[]> {
    return (await stores.catalogs.list()).map(shownCatalog);
  }

  @Query(() => CatalogType, {
    nullable: true,
    complexity: lookupCost,
    description: "The one that answers queries, else the load of that name.",
  })
  async catalog(@Ctx() { stores }: Context, @Arg("name", () => String) name: string): Promise<CatalogType | null> {
    const own = (await stores.catalogs.list()).filter((one) => one.name === text("name", name, MAX_NAME));
    const found = own.find(({ state }) => state === "active") ?? own.at(-1);
    return found === undefined ? null : shownCatalog(found);
  }

  @Query(() => [KnownCatalogType], { complexity: lookupCost, description: "By name." })
  knownCatalogs(@Ctx() { services }: Context): KnownCatalogType[] {
    return (services.catalogs?.known() ?? []).map((one) => ({ ...one, columns: [...one.columns] }));
  }

  @Query(() => [CatalogLoadType], {
    complexity: lookupCost,
    description: "Loads that addCatalog began in this process since it started. Needs the right to change.",
  })
  catalogLoads(@Ctx() { viewer, services }: Context): CatalogLoadType[] {
    requireChange(viewer, "see loads");
    return (services.catalogs?.loads() ?? []).map((load) => ({ ...load, sources: BigInt(load.sources) }));
  }

  @Query(() => [PositionSourcesType], {
    complexity: sourcesCost,
    description:
      "What lies near many positions in many catalogs, nearest first: for each position every catalog that was asked for, " +
      "with an empty list where nothing is. At most 100,000 sources in all.",
  })
  async catalogSources(
    @Ctx() context: Context,
    @Arg("catalogs", () => [String], { description: "1 to 100." }) catalogs: string[],
    @Arg("positions", () => [PositionInput], { description: "1 to 1,000." }) positions: PositionInput[],
    @Arg("radiusArcsec", () => Float, {
      nullable: true,
      description: "Above 0, at most 3,600; null: each catalog's own. Distance rules play no part.",
    })
    radiusArcsec: number | null | undefined,
    @Arg("nearest", () => Boolean, { defaultValue: false, description: "Only the nearest source of each." })
    nearest: boolean,
    @Arg("first", () => Int, { nullable: true, description: "Sources of each position and catalog, default 100." })
    first: number | null | undefined,
  ): Promise<PositionSourcesType[]> {
    const limit = nearest ? 1 : pageSize(first);
    const names = [...new Set(list("catalogs", catalogs, MAX_CATALOGS, 1))];
    const places = list("positions", positions, MAX_POSITIONS, 1).map((one) => cone({ ...one, radiusArcsec: 1 }));
    if (radiusArcsec != null && !(radiusArcsec > 0 && radiusArcsec <= MAX_RADIUS)) {
      throw badArgument(`radiusArcsec must be above 0 and at most 3,600, found ${radiusArcsec}.`, {
        argument: "radiusArcsec",
      });
    }
    const [ra, dec] = [Float64Array.from(places, (one) => one.ra), Float64Array.from(places, (one) => one.dec)];
    const answer = positions.map(
      ({ name }, n): PositionSourcesType => ({ name: name ?? null, ra: ra[n]!, dec: dec[n]!, catalogs: [] }),
    );
    let sources = 0;
    for (const name of names) {
      const catalog = await activeCatalog(context, name);
      const found = await context.stores.catalogs.sourcesNear(catalog, ra, dec, radiusArcsec ?? catalog.radiusArcsec, {
        limit,
      });
      sources += found.position.length;
      if (sources > MAX_SOURCES) {
        throw new TocsinError("QUERY_TOO_LARGE", `There are more than ${MAX_SOURCES} sources near these positions.`, {
          remedy: "Ask for fewer positions, a smaller radius or first.",
        });
      }
      byPosition(found, answer, name);
      await context.breathe();
    }
    return answer;
  }

  @Query(() => CatalogSourceConnectionType, {
    complexity: searchCost,
    description: "A catalog's sources in a circle, nearest first.",
  })
  async catalogCone(
    @Ctx() context: Context,
    @Arg("catalog", () => String) name: string,
    @Arg("cone", () => ConeInput) circle: ConeInput,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<CatalogSourceConnectionType> {
    const first = pageSize(page.first);
    const bounded = cone(circle);
    const catalog = await activeCatalog(context, name);
    // Another load has other rows: its pages are others.
    const identity = queryIdentity(
      "catalogCone",
      name,
      catalog.revision,
      bounded.ra,
      bounded.dec,
      bounded.radiusArcsec,
    );
    const key = page.after == null ? null : sourceCursor.decode(identity, page.after);
    const after = key === null ? null : { separationArcsec: key[0], id: sourceId(catalog, key[1]) };
    const found = await context.stores.catalogs.cone(catalog, bounded, first, after);
    const nodes = shownSources(found.rows, found.separationArcsec);
    const edge = (node: (typeof nodes)[number]) => {
      return { cursor: sourceCursor.encode(identity, [node.separationArcsec, node.id]), node };
    };
    const { edges, pageInfo } = connection(nodes, first, edge);
    return { edges, pageInfo: { ...pageInfo, hasNextPage: found.hasMore } };
  }
}

export async function activeCatalog({ stores }: Context, name: string): Promise<Catalog> {
  const active = await stores.catalogs.active();
  const found = active.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = active.map((one) => one.name).join(", ");
  throw new TocsinError("NOT_FOUND", `There is no catalog ${name.slice(0, 100)}.`, {
    remedy: active.length === 0 ? "Add one: docs/catalogs.md." : `There are ${names}.`,
  });
}

/** Ids of numbers come from a cursor as text that must be one. */
function sourceId({ idType }: Catalog, id: string): string {
  if (idType === "String" || /^-?\d{1,20}$/.test(id)) return id;
  throw new TocsinError("BAD_CURSOR", "The cursor is malformed.");
}

function byPosition(found: NearbySources, answer: PositionSourcesType[], catalog: string): void {
  const lists = answer.map(({ catalogs }) => {
    const own = { catalog, sources: [] as ReturnType<typeof shownSources> };
    catalogs.push(own);
    return own.sources;
  });
  for (const [row, source] of shownSources(found.rows, found.separationArcsec).entries()) {
    lists[found.position[row]!]!.push(source);
  }
}
