// Archives of light curves themselves: which there are, and for the owner how they come and go.
import { Arg, Ctx, Mutation, Query, Resolver } from "type-graphql";
import type { LightCurveArchive } from "../../domain/archival.js";
import { TocsinError } from "../../domain/errors.js";
import { jdFromEpochMs } from "../../domain/time.js";
import { AddLightCurvesInput, LightCurveArchiveType, LightCurveLoadType } from "../../schema/archival/archive.type.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import { list, MAX_NAME, MAX_TEXT, text } from "../bounds.js";
import { type Context, requireChange } from "../context.js";
import type { LightCurveKeeper } from "../services.js";

const MAX_FILES = 1_000;

@Resolver()
export class ArchiveResolver {
  @Query(() => [LightCurveArchiveType], {
    complexity: lookupCost,
    description: "By name; loads that have not ended too.",
  })
  async lightCurveArchives(@Ctx() { stores }: Context): Promise<LightCurveArchiveType[]> {
    return (await stores.archival.list()).map(shownArchive);
  }

  @Query(() => [LightCurveLoadType], {
    complexity: lookupCost,
    description: "Loads that addLightCurves began in this process since it started. Needs the right to change.",
  })
  lightCurveLoads(@Ctx() { viewer, services }: Context): LightCurveLoadType[] {
    requireChange(viewer, "see loads");
    return (services.lightCurves?.loads() ?? []).map((load) => ({ ...load, points: BigInt(load.points) }));
  }

  @Mutation(() => LightCurveLoadType, {
    complexity: searchCost,
    description:
      "Read files into an archive of light curves, in the place of one of that name when all is there. Answers when the " +
      "load has begun; lightCurveLoads and lightCurveArchives tell how it stands. What was broken off goes on if it is " +
      "asked for again.",
  })
  async addLightCurves(
    @Ctx() context: Context,
    @Arg("input", () => AddLightCurvesInput) { name, files, definition, version, date }: AddLightCurvesInput,
  ): Promise<LightCurveLoadType> {
    requireChange(context.viewer, "add light curves");
    const load = await keeperOf(context).start({
      name: text("name", name, MAX_NAME),
      files: list("files", files, MAX_FILES, 1).map((file) => text("files", file, MAX_NAME)),
      definition: definition == null ? null : text("definition", definition, MAX_TEXT),
      ...(version != null && { version }),
      ...(date != null && { date }),
    });
    return { ...load, points: BigInt(load.points) };
  }

  @Mutation(() => Boolean, { complexity: searchCost, description: "False where there is none of this name." })
  async removeLightCurves(@Ctx() context: Context, @Arg("name", () => String) name: string): Promise<boolean> {
    requireChange(context.viewer, "remove light curves");
    return keeperOf(context).remove(text("name", name, MAX_NAME));
  }
}

function keeperOf({ services }: Context): LightCurveKeeper {
  if (services.lightCurves !== undefined) return services.lightCurves;
  throw new TocsinError("NOT_HERE", "This process takes no light curves.", {
    remedy: "Use `npm run cli -- lightcurves`.",
  });
}

function shownArchive({ progress, ...archive }: LightCurveArchive): LightCurveArchiveType {
  return {
    ...archive,
    revision: BigInt(archive.revision),
    isLoading: archive.state === "loading",
    badFlags: BigInt(archive.badFlags),
    files: archive.files.map((file) => ({ ...file, bytes: BigInt(file.bytes) })),
    sources: BigInt(archive.sources),
    points: BigInt(archive.points),
    rowsRead: BigInt(progress.rowsRead),
    rejected: BigInt(progress.rejected),
    rejectedRows: progress.rejectedRows.map((one) => ({ ...one, row: BigInt(one.row) })),
    pointsRejected: BigInt(progress.pointsRejected),
    changedAt: jdFromEpochMs(archive.changedAt),
  };
}
