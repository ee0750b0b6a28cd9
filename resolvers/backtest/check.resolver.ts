// What checkFilter measures: a filter's cost, and which clause removes how many of the alerts of late.
import { Arg, Ctx, FieldResolver, Float, Int, Resolver, Root } from "type-graphql";
import { nightName } from "../../domain/night.js";
import { FilterCostType, FilterFunnelType, type FunnelClauseType } from "../../schema/backtest/design.type.js";
import { scanCost } from "../../schema/cost.js";
import { FilterCheckType } from "../../schema/filter/filter.type.js";
import type { Funnel } from "../../stores/backtest.store.js";
import { badArgument } from "../bounds.js";
import type { Context } from "../context.js";
import { costOfFilter } from "../filtercost.js";

const NIGHTS = 3;
const MOST_NIGHTS = 10;

@Resolver(() => FilterCheckType)
export class CheckResolver {
  @FieldResolver(() => FilterCostType, {
    nullable: true,
    complexity: scanCost,
    description: "Null where the text has errors or the archive has no alerts to measure by.",
  })
  async cost(@Root() check: FilterCheckType, @Ctx() context: Context): Promise<FilterCostType | null> {
    if (!check.ok) return null;
    const cost = await costOfFilter(context, check.survey, check.where);
    return cost && { ...cost.whole, limit: context.services.costLimit ?? null };
  }

  @FieldResolver(() => FilterFunnelType, {
    nullable: true,
    complexity: scanCost,
    description: "Null where the text has errors.",
  })
  async funnel(
    @Root() check: FilterCheckType,
    @Ctx() context: Context,
    @Arg("nights", () => Int, { defaultValue: NIGHTS, description: "1 to 10." }) nights: number,
  ): Promise<FilterFunnelType | null> {
    if (nights < 1 || nights > MOST_NIGHTS) {
      throw badArgument(`nights must be from 1 to ${MOST_NIGHTS}, found ${nights}.`, { argument: "nights" });
    }
    return check.ok ? funnelOf(context, check, nights) : null;
  }

  @FieldResolver(() => Float, {
    nullable: true,
    complexity: scanCost,
    description:
      "How many alerts of a night would have passed, by the last three nights that have alerts; null without any.",
  })
  async alertsPerNight(@Root() check: FilterCheckType, @Ctx() context: Context): Promise<number | null> {
    return check.ok ? (await funnelOf(context, check, NIGHTS)).perNight : null;
  }
}

async function funnelOf(
  { stores, services, viewer }: Context,
  { survey, where }: FilterCheckType,
  nights: number,
): Promise<FilterFunnelType> {
  const clauses = services.design.clauses(survey, where);
  const conditions = clauses.map(({ condition }) => condition);
  const funnel = await stores.backtest.funnel(viewer, survey, nights, conditions);
  let remaining = funnel.scanned;
  return {
    nights: funnel.nights.map(({ night, alerts }) => ({ night: nightName(night), alerts: BigInt(alerts) })),
    scanned: BigInt(funnel.scanned),
    oneOf: funnel.oneOf,
    passed: BigInt(funnel.passed),
    perNight: perNight(funnel),
    clauses: clauses.map(({ text, line, column }, n): FunnelClauseType => {
      remaining -= funnel.failingFirst[n]!;
      return {
        ...{ text, line, column },
        remaining: BigInt(remaining),
        removes: BigInt(funnel.failing[n]!),
        removesAlone: BigInt(funnel.failingOnly[n]!),
        note: noteOf(funnel, n),
      };
    }),
  };
}

/** The sample is by chance, so it is scaled by what there was and not by what was meant to be looked at. */
function perNight({ nights, scanned, passed }: Funnel): number | null {
  if (scanned === 0) return null;
  const alerts = nights.reduce((sum, night) => sum + night.alerts, 0);
  return (passed / scanned) * (alerts / nights.length);
}

function noteOf({ scanned, failing, failingOnly }: Funnel, n: number): string | null {
  if (scanned === 0) return null;
  if (failing[n] === scanned) return "None of these alerts passes it.";
  if (failing[n] === 0) return "It removes none of these alerts.";
  return failingOnly[n] === 0 ? "The other clauses remove whatever it removes." : null;
}
