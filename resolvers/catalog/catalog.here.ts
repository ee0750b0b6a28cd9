// Sources of catalogs in the circle of everythingHere.
import type { ComplexityEstimatorArgs } from "graphql-query-complexity";
import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from "type-graphql";
import { EverythingHereType } from "../../schema/archival/archival.type.js";
import { CatalogSourcesType } from "../../schema/catalog/catalog.type.js";
import { list, pageSize } from "../bounds.js";
import type { Context } from "../context.js";
import { activeCatalog } from "./catalog.resolver.js";
import { shownSources } from "./catalog.shown.js";

const MAX_CATALOGS = 100;
const hereCost = ({ childComplexity }: ComplexityEstimatorArgs): number => 10_000 + 100 * childComplexity;

@Resolver(() => EverythingHereType)
export class CatalogsHereResolver {
  @FieldResolver(() => [CatalogSourcesType], {
    complexity: hereCost,
    description:
      "Catalogs that have sources there, by name, each with its nearest sources. Of a catalog with more, catalogCone gives the rest.",
  })
  async catalogs(
    @Root() { ra, dec, radiusArcsec }: EverythingHereType,
    @Ctx() context: Context,
    @Arg("names", () => [String], { nullable: true, description: "Names of catalogs, at most 100; null: all." })
    names: string[] | null | undefined,
    @Arg("first", () => Int, { nullable: true, description: "Sources of each, 1 to 1,000, default 100." })
    first: number | null | undefined,
  ): Promise<CatalogSourcesType[]> {
    const limit = pageSize(first);
    const wanted = names == null ? null : [...new Set(list("names", names, MAX_CATALOGS))];
    const catalogs =
      wanted === null
        ? await context.stores.catalogs.active()
        : await Promise.all(wanted.map((name) => activeCatalog(context, name)));
    const [ras, decs] = [Float64Array.of(ra), Float64Array.of(dec)];
    const found: CatalogSourcesType[] = [];
    for (const catalog of catalogs) {
      const near = await context.stores.catalogs.sourcesNear(catalog, ras, decs, radiusArcsec, { limit });
      if (near.rows.rows === 0) continue;
      found.push({ catalog: catalog.name, sources: shownSources(near.rows, near.separationArcsec) });
      await context.breathe();
    }
    return found;
  }
}
