// A filter over the archive: what passed in a window, by night, and what two texts tell apart. Filled by resolvers/backtest.
import { Field, Int, ObjectType } from "type-graphql";
import { AlertEdgeType } from "../alert/alert.type.js";
import { PageInfoType } from "../paging/pageinfo.type.js";
import { Long } from "../scalars/long.scalar.js";

@ObjectType("BacktestNight", { simpleResolvers: true })
export class BacktestNightType {
  @Field(() => String, { description: "YYYYMMDD." })
  night!: string;
  @Field(() => Long, { description: "Alerts that the caller may see." })
  scanned!: bigint;
  @Field(() => Long)
  passed!: bigint;
}

@ObjectType("Backtest", {
  simpleResolvers: true,
  description: "What a filter would have passed, each alert judged by what was known when it came. Oldest first.",
})
export class BacktestType {
  @Field(() => Long, { description: "Alerts of the whole window that the caller may see." })
  scanned!: bigint;
  @Field(() => Long, { description: "Those that pass, of the whole window." })
  passed!: bigint;
  @Field(() => [BacktestNightType], { description: "The same by night: those that have alerts." })
  nights!: BacktestNightType[];
  @Field(() => [AlertEdgeType])
  edges!: AlertEdgeType[];
  @Field(() => PageInfoType)
  pageInfo!: PageInfoType;
}

/** Two texts of one survey over a window; the fields `gained` and `lost` are added by resolvers/backtest. */
@ObjectType("FilterDifference", { description: "What changes in a window where one text takes the place of another." })
export class FilterDifferenceType {
  @Field(() => String, { description: "The text before." })
  from!: string;
  @Field(() => String, { description: "The text that takes its place." })
  to!: string;
  /** Not shown: where and what to search. */
  sides!: unknown;
}

@ObjectType("FilterNight", { simpleResolvers: true })
export class FilterNightType {
  @Field(() => String, { description: "YYYYMMDD, of the alerts." })
  night!: string;
  @Field(() => Int, { description: "Number of the version that made the hits." })
  version!: number;
  @Field(() => Long)
  hits!: bigint;
}
