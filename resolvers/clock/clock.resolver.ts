// How long alerts took: the clock of each, and the latencies of a night. Both over what the viewer may see.
import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from "type-graphql";
import type { Alert } from "../../domain/alert.js";
import { TocsinError } from "../../domain/errors.js";
import { nightNamed } from "../../domain/night.js";
import type { Survey } from "../../domain/survey.js";
import { jdFromEpochMs } from "../../domain/time.js";
import { AlertType } from "../../schema/alert/alert.type.js";
import { AlertClockType, type LatencyStageEnum, StageLatencyType } from "../../schema/clock/clock.type.js";
import { lookupCost, searchCost } from "../../schema/cost.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { type Context, surveyOf } from "../context.js";

@Resolver(() => AlertType)
export class ClockResolver {
  @Query(() => [StageLatencyType], {
    complexity: searchCost,
    description:
      "How long the night's alerts took from stage to stage. A night is YYYYMMDD: ZTF's the UTC date, LSST's day_obs. Stages without both ends are left out.",
  })
  async latency(
    @Ctx() context: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("night", () => String) night: string,
  ): Promise<StageLatencyType[]> {
    const { nightOffsetHours } = surveyOf(context, survey);
    const stages = await context.stores.clock.latency(context.viewer, survey, nightNamed(night, nightOffsetHours));
    return stages.map((stage) => ({ ...stage, stage: stage.stage as LatencyStageEnum }));
  }

  @FieldResolver(() => AlertClockType, {
    complexity: lookupCost,
    description: "When it was observed, emitted, received, stored, filtered and delivered.",
  })
  async clock(@Root() alert: Alert, @Ctx() { loaders }: Context): Promise<AlertClockType> {
    const clock = await loaders.clock.load({ survey: alert.survey, id: alert.candid });
    if (clock === null) throw new TocsinError("NOT_FOUND", `There is no alert ${alert.survey} ${alert.candid}.`);
    const shown = (ms: number | null) => (ms === null ? null : jdFromEpochMs(ms));
    return {
      observedAt: alert.jd,
      emittedAt: shown(clock.emittedAt),
      receivedAt: shown(clock.receivedAt),
      storedAt: shown(clock.storedAt),
      filteredAt: shown(clock.filteredAt),
      deliveredAt: shown(clock.deliveredAt),
    };
  }
}
