// What an alert lacks, and what a clause of an explanation found missing.
import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from "type-graphql";
import type { Alert } from "../../domain/alert.js";
import { type MissingValues, originOf } from "../../domain/missing.js";
import { jdFromEpochMs } from "../../domain/time.js";
import { AlertType } from "../../schema/alert/alert.type.js";
import { ClauseType } from "../../schema/backtest/design.type.js";
import { pointsCost, searchCost } from "../../schema/cost.js";
import { MissingCountType, MissingOperandType, MissingValuesType } from "../../schema/missing/missing.type.js";
import { type Context, requireChange } from "../context.js";
import { missingOf, notRun } from "./missing.told.js";

@Resolver(() => AlertType)
export class MissingResolver {
  @Query(() => [MissingCountType], {
    complexity: searchCost,
    description:
      "What batches lack and has not been made since, latest first, at most 1,000. The owner's: it counts alerts of all rights.",
  })
  async missingValues(@Ctx() { stores, viewer }: Context): Promise<MissingCountType[]> {
    requireChange(viewer, "ask for what is missing");
    return (await stores.missing.counts()).map(({ batches, alerts, first, last, ...missing }) => ({
      ...missing,
      ...{ batches: BigInt(batches), alerts: BigInt(alerts) },
      ...{ first: jdFromEpochMs(first), last: jdFromEpochMs(last) },
    }));
  }

  @FieldResolver(() => [MissingValuesType], {
    complexity: pointsCost,
    description: "What enrichment could not add to it, and why. Empty as a rule.",
  })
  async missing(
    @Root() alert: Alert,
    @Ctx() context: Context,
    @Arg("filled", () => Boolean, { defaultValue: false, description: "Also what has been made since." })
    filled: boolean,
  ): Promise<MissingValuesType[]> {
    const all = await missingOf(context, alert, false);
    return all.filter(({ filledAt }) => filled || filledAt === null).map(shownMissing);
  }
}

@Resolver(() => ClauseType)
export class ClauseMissingResolver {
  @FieldResolver(() => [MissingOperandType], {
    complexity: pointsCost,
    description:
      "What it reads and enrichment could not add when the alert came, and why. What has been filled in since is there now, and was not for the stream.",
  })
  async missing(@Root() clause: ClauseType, @Ctx() context: Context): Promise<MissingOperandType[]> {
    const { survey, candid, columns } = clause.reads;
    const origins = columns.map(originOf);
    const alert =
      origins.some((origin) => origin !== null) && (await context.loaders.alert.load({ survey, id: candid }));
    const all = alert ? await missingOf(context, alert, true) : [];
    const found = new Map<string, MissingOperandType>();
    for (const origin of origins) {
      if (origin === null || found.has(origin.operand)) continue;
      const missing =
        all.find(({ step, part }) => step === origin.step && (part === null || part === origin.part)) ??
        (alert && origin.step === "scores" ? await notRun(context, alert, origin.part!) : null);
      if (missing) found.set(origin.operand, { operand: origin.operand, ...shownMissing(missing) });
    }
    return [...found.values()];
  }
}

const shownMissing = ({ since, filledAt, ...missing }: MissingValues): MissingValuesType => ({
  ...missing,
  since: jdFromEpochMs(since),
  filledAt: filledAt === null ? null : jdFromEpochMs(filledAt),
});
