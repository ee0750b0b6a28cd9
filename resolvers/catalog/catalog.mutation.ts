// Catalogs are added from files that lie in the service's CATALOG_DIR, and removed. For the owner.
import { Arg, Ctx, Mutation, Resolver } from "type-graphql";
import { TocsinError } from "../../domain/errors.js";
import { AddCatalogInput } from "../../schema/catalog/catalog.input.js";
import { CatalogLoadType } from "../../schema/catalog/catalog.type.js";
import { searchCost } from "../../schema/cost.js";
import { list, MAX_NAME, text } from "../bounds.js";
import { type Context, requireChange } from "../context.js";
import type { CatalogKeeper } from "../services.js";

const MAX_FILES = 1_000;
const MAX_COLUMNS = 1_000;

@Resolver()
export class CatalogMutations {
  @Mutation(() => CatalogLoadType, {
    complexity: searchCost,
    description:
      "Read files into a catalog, in the place of one of that name when all is there. Answers when the load has begun; " +
      "catalogLoads and catalog(name) tell how it stands. What was broken off goes on if it is asked for again.",
  })
  async addCatalog(
    @Ctx() context: Context,
    @Arg("input", () => AddCatalogInput) input: AddCatalogInput,
  ): Promise<CatalogLoadType> {
    requireChange(context.viewer, "add catalogs");
    const { name, files, columns, radiusArcsec, ...others } = input;
    const options = Object.fromEntries(
      Object.entries({ ...others, radius: radiusArcsec }).filter(([, value]) => value != null),
    );
    const load = await keeperOf(context).start({
      name: text("name", name, MAX_NAME),
      files: list("files", files, MAX_FILES, 1).map((file) => text("files", file, MAX_NAME)),
      columns: columns == null ? null : list("columns", columns, MAX_COLUMNS),
      options,
    });
    return { ...load, sources: BigInt(load.sources) };
  }

  @Mutation(() => Boolean, { complexity: searchCost, description: "False where there is none of this name." })
  async removeCatalog(@Ctx() context: Context, @Arg("name", () => String) name: string): Promise<boolean> {
    requireChange(context.viewer, "remove catalogs");
    return keeperOf(context).remove(text("name", name, MAX_NAME));
  }
}

function keeperOf({ services }: Context): CatalogKeeper {
  if (services.catalogs !== undefined) return services.catalogs;
  throw new TocsinError("NOT_HERE", "This process takes no catalogs.", { remedy: "Use `npm run catalog`." });
}
