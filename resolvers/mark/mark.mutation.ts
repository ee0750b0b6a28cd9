// Making and changing watch lists, areas and sky maps.
import { Arg, Ctx, Mutation, Resolver } from "type-graphql";
import type { MarkKind, WatchedPositions } from "../../domain/mark.js";
import type { Moc } from "../../domain/moc.js";
import { circleMoc, polygonMoc } from "../../domain/moc.shapes.js";
import { parseMoc } from "../../domain/moc.text.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import { AreaInput, ChangeMarkInput, WatchListInput } from "../../schema/mark/mark.input.js";
import { MarkKindEnum, MarkType } from "../../schema/mark/mark.type.js";
import type { MarkAbout } from "../../stores/marks.store.js";
import { badArgument, list, MAX_NAME, MAX_TEXT, text } from "../bounds.js";
import { type Context, requireChange } from "../context.js";
import { marksOf } from "./mark.query.js";
import { shownMark } from "./mark.shown.js";

const MAX_INLINE = 1_000;
const CHANGE = "change watch lists, areas and sky maps";

@Resolver()
export class MarkMutations {
  @Mutation(() => MarkType, {
    complexity: searchCost,
    description:
      "A new watch list, or other positions of one. It marks alerts from now on, and those of the past soon.",
  })
  async putWatchList(
    @Ctx() context: Context,
    @Arg("input", () => WatchListInput) input: WatchListInput,
  ): Promise<MarkType> {
    requireChange(context.viewer, CHANGE);
    const positions = await positionsOf(context, input);
    const blocks = (async function* () {
      yield positions;
    })();
    return shownMark(await marksOf(context).desk.putList(context.viewer, aboutOf(input), blocks));
  }

  @Mutation(() => MarkType, { complexity: searchCost, description: "A new area, or another region of one." })
  async putArea(@Ctx() context: Context, @Arg("input", () => AreaInput) input: AreaInput): Promise<MarkType> {
    requireChange(context.viewer, CHANGE);
    return shownMark(await marksOf(context).desk.putArea(context.viewer, aboutOf(input), regionOf(input)));
  }

  @Mutation(() => MarkType, { complexity: lookupCost })
  async changeMark(
    @Ctx() context: Context,
    @Arg("kind", () => MarkKindEnum) kind: MarkKind,
    @Arg("name", () => String) name: string,
    @Arg("input", () => ChangeMarkInput) input: ChangeMarkInput,
  ): Promise<MarkType> {
    const change = {
      ...(input.name != null && { name: input.name }),
      ...(input.description != null && { description: described(input.description) }),
      ...(input.isShared != null && { isShared: input.isShared }),
    };
    return shownMark(await marksOf(context).desk.change(context.viewer, kind, text("name", name, MAX_NAME), change));
  }

  @Mutation(() => MarkType, {
    complexity: lookupCost,
    description:
      "The event was none: its sky map marks nothing any more, not in the past either. Filters that read it stay, and nothing passes by it.",
  })
  async retractSkymap(@Ctx() context: Context, @Arg("name", () => String) name: string): Promise<MarkType> {
    return shownMark(await marksOf(context).desk.retract(context.viewer, text("name", name, MAX_NAME)));
  }

  @Mutation(() => MarkType, {
    complexity: lookupCost,
    description: "With all that it marked. Filters that read it are broken from then on. Answers as it was.",
  })
  async removeMark(
    @Ctx() context: Context,
    @Arg("kind", () => MarkKindEnum) kind: MarkKind,
    @Arg("name", () => String) name: string,
  ): Promise<MarkType> {
    return shownMark(await marksOf(context).desk.remove(context.viewer, kind, text("name", name, MAX_NAME)));
  }
}

const described = (description: string): string =>
  description === "" ? "" : text("description", description, MAX_TEXT);

function aboutOf({ name, description, isShared, pastDays }: WatchListInput | AreaInput): MarkAbout {
  return {
    name,
    ...(description != null && { description: described(description) }),
    ...(isShared != null && { isShared }),
    ...(pastDays != null && { pastDays }),
  };
}

async function positionsOf(context: Context, input: WatchListInput): Promise<WatchedPositions> {
  const radius = input.radiusArcsec ?? 2;
  if ((input.positions == null) === (input.objectIds == null)) {
    throw badArgument("Give either positions or objectIds.", { argument: "positions" });
  }
  if (input.positions != null) {
    const positions = list("positions", input.positions, MAX_INLINE, 1);
    return {
      names: positions.map(({ name }) => name),
      ra: Float64Array.from(positions, ({ ra }) => ra),
      dec: Float64Array.from(positions, ({ dec }) => dec),
      radiusArcsec: Float32Array.from(positions, ({ radiusArcsec }) => radiusArcsec ?? radius),
    };
  }
  const { survey } = input;
  if (survey == null) throw badArgument("Say of which survey the objectIds are.", { argument: "survey" });
  const ids = list("objectIds", input.objectIds!, MAX_INLINE, 1).map((id) => text("objectIds", id, MAX_NAME));
  const objects = await Promise.all(ids.map((id) => context.loaders.object.load({ survey, id })));
  const places = objects.map((object, n) => {
    if (object === null) throw badArgument(`There is no object ${survey} ${ids[n]}.`, { argument: "objectIds" });
    return object;
  });
  return {
    names: ids,
    ra: Float64Array.from(places, ({ ra }) => ra),
    dec: Float64Array.from(places, ({ dec }) => dec),
    radiusArcsec: new Float32Array(ids.length).fill(radius),
  };
}

function regionOf({ moc, circle, polygon }: AreaInput): Moc {
  if ([moc, circle, polygon].filter((given) => given != null).length !== 1) {
    throw badArgument("Give exactly one of moc, circle and polygon.", { argument: "moc" });
  }
  if (moc != null) return parseMoc(moc);
  if (circle != null) return circleMoc(circle.ra, circle.dec, circle.radiusDeg);
  return polygonMoc(polygon!);
}
