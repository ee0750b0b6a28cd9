// The receipt of a night, for callers who may change something: it counts what others may not see, and names files.
import { Arg, Ctx, Query, Resolver } from "type-graphql";
import { nightNamed } from "../../domain/night.js";
import { adds, nightAdds, type SourceReceipt } from "../../domain/receipt.js";
import type { Survey } from "../../domain/survey.js";
import { searchCost } from "../../schema/cost.js";
import { NightReceiptType, type SourceReceiptType } from "../../schema/receipt/receipt.type.js";
import { SurveyEnum } from "../../schema/survey/survey.type.js";
import { type Context, requireChange, surveyOf } from "../context.js";

@Resolver()
export class ReceiptResolver {
  @Query(() => NightReceiptType, {
    complexity: searchCost,
    description:
      "What was received of a night (YYYYMMDD: ZTF's the UTC date, LSST's day_obs), and what became of it. Needs the right to change.",
  })
  async nightReceipt(
    @Ctx() context: Context,
    @Arg("survey", () => SurveyEnum) survey: Survey,
    @Arg("night", () => String) night: string,
  ): Promise<NightReceiptType> {
    requireChange(context.viewer, "read receipts");
    const { nightOffsetHours } = surveyOf(context, survey);
    const receipt = await context.stores.receipts.night(survey, nightNamed(night, nightOffsetHours));
    return {
      ...receipt,
      adds: nightAdds(receipt),
      sources: receipt.sources.map(shown),
      unattributed: receipt.unattributed.map(shown),
    };
  }
}

const shown = (source: SourceReceipt): SourceReceiptType => {
  return { ...source, gaps: [...source.gaps], adds: adds(source) };
};
