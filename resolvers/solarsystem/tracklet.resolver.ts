// Candidates of moving objects: a night's detections without a name, linked when they are asked for.
import { Arg, Args, Ctx, Query, Resolver } from "type-graphql";
import type { Alert } from "../../domain/alert.js";
import { TocsinError } from "../../domain/errors.js";
import type { Survey } from "../../domain/survey.js";
import { linkTracklets, type TrackletLimits } from "../../domain/tracklets.js";
import { TimeWindow } from "../../schema/alert/alert.input.js";
import { scanCost } from "../../schema/cost.js";
import { TrackletArgs, TrackletCandidatesType } from "../../schema/solarsystem/tracklet.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { badArgument, MAX_TEXT, pageSize, text } from "../bounds.js";
import type { Context } from "../context.js";
import { windowOf } from "../timewindow.js";

const [MIN_RATE, MAX_RATE] = [0.05, 10];
const [MIN_DETECTIONS, MAX_DETECTIONS] = [2, 20];
/** Detections that one request may link. */
const MOST_ALERTS = 10_000;
const PER_LOOKUP = 1_000;

@Resolver()
export class TrackletResolver {
  @Query(() => TrackletCandidatesType, {
    complexity: scanCost,
    description: "Candidates of moving objects in a window of up to a day, by position, time and brightness.",
  })
  async trackletCandidates(
    @Ctx() context: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("window", () => TimeWindow) window: TimeWindow,
    @Args(() => TrackletArgs) args: TrackletArgs,
  ): Promise<TrackletCandidatesType> {
    const limits = limitsOf(args);
    const first = pageSize(args.first);
    const time = windowOf("window", window);
    if (time.endJd - time.startJd > 1) throw badArgument("window must be a day at most.", { argument: "window" });
    const alerts = await metOnce(context, survey, time, args.where ?? "isPositive");
    const tracklets = await linkTracklets(alerts, limits, context.breathe);
    if (tracklets === null) {
      throw tooMany("Too many detections lie within reach of one another at these rates.", alerts.length);
    }
    const best = tracklets.sort((a, b) => b.members.length - a.members.length || a.rmsArcsec - b.rmsArcsec);
    return {
      detections: alerts.length,
      count: tracklets.length,
      tracklets: best.slice(0, first).map(({ members, ...line }) => {
        const linked = members.map((n) => alerts[n]!);
        return { ...line, alerts: linked, hours: (linked.at(-1)!.jd - linked[0]!.jd) * 24 };
      }),
    };
  }
}

function limitsOf({ minRate, maxRate, minDetections }: TrackletArgs): TrackletLimits {
  if (!(minRate >= MIN_RATE && minRate < maxRate && maxRate <= MAX_RATE)) {
    const bound = `from ${MIN_RATE} to ${MAX_RATE} degrees a day, the least below the greatest`;
    throw badArgument(`Rates must be ${bound}, found ${minRate} and ${maxRate}.`, { argument: "minRate" });
  }
  if (minDetections < MIN_DETECTIONS || minDetections > MAX_DETECTIONS) {
    const bound = `from ${MIN_DETECTIONS} to ${MAX_DETECTIONS}`;
    throw badArgument(`minDetections must be ${bound}, found ${minDetections}.`, { argument: "minDetections" });
  }
  return { minRate, maxRate, minDetections };
}

/** What has a name is known; what was met more than once stays where it is. */
async function metOnce(
  { stores, services, viewer, breathe }: Context,
  survey: Survey,
  { startJd, endJd }: { startJd: number; endJd: number },
  where: string,
): Promise<Alert[]> {
  services.language.validate(survey, text("where", where, MAX_TEXT), []);
  const page = { first: MOST_ALERTS + 1, after: null, counted: false };
  const condition = services.design.parts(survey, where);
  const { keys } = await stores.backtest.run(viewer, { survey, startJd, endJd }, condition, page);
  if (keys.length > MOST_ALERTS) throw tooMany(`The window has more than ${MOST_ALERTS} such detections.`, keys.length);
  const found: Alert[] = [];
  for (let at = 0; at < keys.length; at += PER_LOOKUP) {
    const candids = keys.slice(at, at + PER_LOOKUP).map(({ candid }) => candid);
    const alerts = [...(await stores.alerts.byCandid(viewer, survey, candids)).values()];
    const unnamed = alerts.filter(({ solarSystemName }) => solarSystemName === null);
    const ids = [...new Set(unnamed.map(({ objectId }) => objectId))];
    const objects = await stores.objects.byIds(viewer, survey, ids, endJd);
    found.push(...unnamed.filter(({ objectId }) => objects.get(objectId)?.alertCount === 1));
    await breathe();
  }
  return found;
}

const tooMany = (message: string, detections: number): TocsinError =>
  new TocsinError("QUERY_TOO_LARGE", message, {
    remedy: "Choose a shorter window, lower rates, or a narrower `where`: a score, a part of the sky.",
    details: { detections },
  });
