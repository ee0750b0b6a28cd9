// Light curves of archives: at an object, in a circle, and with everything else that is known of a circle.
import type { ComplexityEstimatorArgs } from "graphql-query-complexity";
import { Arg, Args, Ctx, FieldResolver, Float, Int, Query, Resolver, Root } from "type-graphql";
import {
  type ArchivalPoint,
  type ArchivalSource,
  archivalTimeUpTo,
  type LightCurveArchive,
  type TimeKind,
} from "../../domain/archival.js";
import { archivalCursor, archivalPointCursor, queryIdentity } from "../../domain/cursor.js";
import { TocsinError } from "../../domain/errors.js";
import type { Cone } from "../../domain/skyobject.js";
import {
  ArchivalLightCurveConnectionType,
  ArchivalLightCurveType,
  ArchivalPointConnectionType,
  type ArchivalPointType,
  EverythingHereType,
} from "../../schema/archival/archival.type.js";
import { findCost, searchCost } from "../../schema/cost.js";
import { SkyObjectType } from "../../schema/object/object.type.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import { PageArgs } from "../../schema/paging/pageinfo.type.js";
import { badArgument, cone, list, pageSize } from "../bounds.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";

const MAX_ARCHIVES = 100;
/** Around an object, arcsec. */
const MAX_NEAR = 60;
/** Of a circle, arcsec. */
const MAX_CIRCLE = 3_600;

const ARCHIVES = "Names of archives; null: all.";
const GOOD_ONLY = "Only points that have none of their archive's badFlags.";

/** What an object usually has: three bands, some fields overlapping. */
const CURVES = 4;
const POINTS = 20;
const curvesCost = ({ childComplexity }: ComplexityEstimatorArgs): number => 100 + CURVES * childComplexity;
const archivalPointsCost = ({ childComplexity }: ComplexityEstimatorArgs): number => POINTS * childComplexity;

@Resolver(() => SkyObjectType)
export class ObjectArchivalResolver {
  @FieldResolver(() => [ArchivalLightCurveType], {
    complexity: curvesCost,
    description: "Light curves of archives around its position, nearest first. As of a time their points end there.",
  })
  async archivalLightCurves(
    @Root() { ra, dec, asOf }: SkyObjectType,
    @Ctx() context: Context,
    @Arg("radiusArcsec", () => Float, { defaultValue: 1.5, description: "Above 0, at most 60." }) radiusArcsec: number,
    @Arg("archives", () => [String], { nullable: true, description: ARCHIVES }) archives: string[] | null | undefined,
    @Arg("goodOnly", () => Boolean, { defaultValue: false, description: GOOD_ONLY }) goodOnly: boolean,
    @Arg("first", () => Int, { nullable: true, description: "1 to 1,000, default 100." }) first:
      | number
      | null
      | undefined,
  ): Promise<ArchivalLightCurveType[]> {
    const limit = pageSize(first);
    const circle = bounded({ ra, dec, radiusArcsec }, MAX_NEAR);
    const chosen = await chosenArchives(context, archives);
    const found = await context.loaders.archivalSources.load({ ...circle, loads: [...chosen.keys()], limit });
    await context.breathe();
    return found.map(shownCurve(chosen, goodOnly, asOf ?? null));
  }
}

@Resolver(() => ArchivalLightCurveType)
export class ArchivalResolver {
  @Query(() => ArchivalLightCurveConnectionType, {
    complexity: searchCost,
    description: "Light curves of archives in a circle, nearest first.",
  })
  archivalLightCurves(
    @Ctx() context: Context,
    @Arg("ra", () => Float, { description: "ICRS degrees, 0 to 360." }) ra: number,
    @Arg("dec", () => Float, { description: "ICRS degrees, -90 to 90." }) dec: number,
    @Arg("radiusArcsec", () => Float, { description: "Above 0, at most 3,600." }) radiusArcsec: number,
    @Arg("archives", () => [String], { nullable: true, description: ARCHIVES }) archives: string[] | null | undefined,
    @Arg("goodOnly", () => Boolean, { defaultValue: false, description: GOOD_ONLY }) goodOnly: boolean,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<ArchivalLightCurveConnectionType> {
    return curves(context, { ra, dec, radiusArcsec }, archives, goodOnly, page);
  }

  @FieldResolver(() => ArchivalPointConnectionType, {
    complexity: archivalPointsCost,
    description: "Oldest first. At most 1,000,000 of all light curves of a request.",
  })
  async points(
    @Root() curve: ArchivalLightCurveType,
    @Ctx() context: Context,
    @Arg("first", () => Int, { defaultValue: MAX_PAGE, description: "1 to 1,000." }) asked: number,
    @Arg("after", () => String, { nullable: true, description: "endCursor of the page before, or any edge's cursor." })
    after: string | null | undefined,
  ): Promise<ArchivalPointConnectionType> {
    const first = pageSize(asked);
    const { cell, source, band } = curve.key;
    const identity = queryIdentity(
      "archivalPoints",
      curve.revision,
      cell,
      source,
      band,
      curve.goodOnly,
      ...(curve.upTo === null ? [] : [curve.upTo]),
    );
    const key = after == null ? null : archivalPointCursor.decode(identity, after);
    const points = await context.loaders.archivalPoints.load({
      source: curve.key,
      badFlags: curve.goodOnly ? curve.badFlags : 0,
      upTo: curve.upTo,
      after: key && { time: key[0], number: key[1] },
      first: first + 1,
    });
    await context.breathe();
    return connection(points, first, (point) => ({
      get cursor() {
        return archivalPointCursor.encode(identity, [point.time, point.number]);
      },
      node: shownPoint(point, curve),
    }));
  }
}

@Resolver(() => EverythingHereType)
export class EverythingHereResolver {
  @Query(() => EverythingHereType, {
    complexity: findCost,
    description: "Everything that was ever measured in a circle.",
  })
  everythingHere(
    @Arg("ra", () => Float, { description: "ICRS degrees, 0 to 360." }) ra: number,
    @Arg("dec", () => Float, { description: "ICRS degrees, -90 to 90." }) dec: number,
    @Arg("radiusArcsec", () => Float, { description: "Above 0, at most 3,600." }) radiusArcsec: number,
  ): EverythingHereType {
    return bounded({ ra, dec, radiusArcsec }, MAX_CIRCLE);
  }

  @FieldResolver(() => ArchivalLightCurveConnectionType, {
    complexity: searchCost,
    description: "Light curves of archives, nearest first.",
  })
  archivalLightCurves(
    @Root() circle: EverythingHereType,
    @Ctx() context: Context,
    @Arg("archives", () => [String], { nullable: true, description: ARCHIVES }) archives: string[] | null | undefined,
    @Arg("goodOnly", () => Boolean, { defaultValue: false, description: GOOD_ONLY }) goodOnly: boolean,
    @Args(() => PageArgs) page: PageArgs,
  ): Promise<ArchivalLightCurveConnectionType> {
    return curves(context, circle, archives, goodOnly, page);
  }
}

async function curves(
  context: Context,
  around: Cone,
  archives: readonly string[] | null | undefined,
  goodOnly: boolean,
  page: PageArgs,
): Promise<ArchivalLightCurveConnectionType> {
  const first = pageSize(page.first);
  const circle = bounded(around, MAX_CIRCLE);
  const chosen = await chosenArchives(context, archives);
  const loads = [...chosen.keys()];
  // Another load has other rows: its pages are others.
  const { ra, dec, radiusArcsec } = circle;
  const identity = queryIdentity("archival", ra, dec, radiusArcsec, [...chosen.values()].map(revisionOf), goodOnly);
  const key = page.after == null ? null : archivalCursor.decode(identity, page.after);
  const after = key && { separationArcsec: key[0], load: loadOf(chosen, key[1]), id: key[2], band: key[3] };
  const found = await context.stores.archival.cone(loads, circle, first + 1, after);
  const shown = shownCurve(chosen, goodOnly, null);
  return connection(found, first, (source) => ({
    get cursor() {
      const { separationArcsec, load, id, band } = source;
      return archivalCursor.encode(identity, [separationArcsec, chosen.get(load)!.name, id, band]);
    },
    node: shown(source),
  }));
}

function bounded(around: Cone, most: number): Cone {
  const circle = cone(around);
  if (circle.radiusArcsec <= most) return circle;
  const bound = `radiusArcsec must be above 0 and at most ${most.toLocaleString("en-US")}`;
  throw badArgument(`${bound}, found ${circle.radiusArcsec}.`, { argument: "radiusArcsec" });
}

/** By load. */
async function chosenArchives(
  { loaders }: Context,
  names: readonly string[] | null | undefined,
): Promise<ReadonlyMap<number, LightCurveArchive>> {
  const active = await loaders.archives();
  const wanted = names == null ? null : list("archives", names, MAX_ARCHIVES);
  const unknown = wanted?.find((name) => !active.some((one) => one.name === name));
  if (unknown !== undefined) {
    const known = active.map(({ name }) => name).join(", ");
    throw new TocsinError("NOT_FOUND", `There is no archive of light curves ${unknown.slice(0, 100)}.`, {
      remedy: active.length === 0 ? "Add one: docs/lightcurves.md." : `There are ${known}.`,
    });
  }
  return new Map(active.filter(({ name }) => wanted?.includes(name) ?? true).map((one) => [one.load, one]));
}

const revisionOf = ({ name, revision }: LightCurveArchive): string => `${name} ${revision}`;

function loadOf(archives: ReadonlyMap<number, LightCurveArchive>, name: string): number {
  const found = [...archives.values()].find((one) => one.name === name);
  if (found === undefined) throw new TocsinError("BAD_CURSOR", "The cursor is malformed.");
  return found.load;
}

const shownCurve =
  (archives: ReadonlyMap<number, LightCurveArchive>, goodOnly: boolean, asOf: number | null) =>
  ({ load, cell, source, band, id, ra, dec, fields, separationArcsec }: ArchivalSource): ArchivalLightCurveType => {
    const archive = archives.get(load)!;
    const { name, timeKind, badFlags } = archive;
    const upTo = asOf === null ? null : archivalTimeUpTo(asOf, timeKind);
    const hidden = { key: { load, cell, source, band }, revision: revisionOf(archive), badFlags, goodOnly, upTo };
    return { archive: name, sourceId: id, band, ra, dec, separationArcsec, timeKind, fields, ...hidden };
  };

function shownPoint(point: ArchivalPoint, { timeKind, badFlags }: ArchivalLightCurveType): ArchivalPointType {
  const { magnitude, magnitudeError, colorCoefficient, flags } = point;
  const of = (kind: TimeKind) => (kind === timeKind ? point.time : null);
  return {
    hmjd: of("hmjd"),
    mjd: of("mjd"),
    bmjd: of("bmjd"),
    magnitude,
    magnitudeError,
    colorCoefficient,
    flags: BigInt(flags),
    // Bits up to 2^31: >>> keeps them unsigned.
    isGood: (flags & badFlags) >>> 0 === 0,
  };
}
