// Watch lists, areas and sky maps as the API shows them. Filled by resolvers/mark.
import { Field, Float, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import type { MarkKind, MarkState } from "../../domain/mark.js";
import type { Survey } from "../../domain/survey.js";
import { AlertType } from "../alert/alert.type.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { Long } from "../scalars/long.scalar.js";
import { SurveyEnum } from "../survey/survey.type.js";

export const MarkKindEnum: { readonly [kind in MarkKind]: kind } = {
  WATCH_LIST: "WATCH_LIST",
  AREA: "AREA",
  SKYMAP: "SKYMAP",
};
registerEnumType(MarkKindEnum, {
  name: "MarkKind",
  description: "What marks alerts by where they are.",
  valuesConfig: {
    WATCH_LIST: { description: "Positions with a radius each: the list watch.<name> of filters." },
    AREA: { description: "A region of the sky: area.<name>, true or false." },
    SKYMAP: { description: "A probability map with a time window: skymap.<name>, the credible level from 0 to 1." },
  },
});

const MarkStateEnum: { readonly [state in MarkState]: state } = {
  ACTIVE: "ACTIVE",
  RETRACTED: "RETRACTED",
  REMOVED: "REMOVED",
};
registerEnumType(MarkStateEnum, {
  name: "MarkState",
  valuesConfig: {
    RETRACTED: { description: "A sky map whose event was none: it marks nothing, and filters go on without it." },
    REMOVED: { description: "Only in events." },
  },
});

@ObjectType("SkymapEvent", { simpleResolvers: true, description: "What a sky map is about and when it marks." })
export class SkymapEventType {
  @Field(() => String, { nullable: true })
  event!: string | null;
  @Field(() => DateTime, { description: "Of the event." })
  time!: number;
  @Field(() => DateTime, { description: "Alerts from then on are marked." })
  start!: number;
  @Field(() => DateTime, { description: "Alerts before then are marked." })
  end!: number;
  @Field(() => Float, { description: "Square degrees of the 50 % credible region." })
  area50!: number;
  @Field(() => Float, { description: "Square degrees of the 90 % credible region." })
  area90!: number;
  @Field(() => Float, { nullable: true, description: "DISTMEAN, Mpc." })
  distanceMpc!: number | null;
  @Field(() => Float, { nullable: true, description: "DISTSTD, Mpc." })
  distanceErrorMpc!: number | null;
}

@ObjectType("MarkPast", { simpleResolvers: true, description: "How far archived alerts of a survey have been marked." })
export class MarkPastType {
  @Field(() => SurveyEnum)
  survey!: Survey;
  @Field(() => Long, { description: "Alerts looked at." })
  done!: bigint;
  @Field(() => Long, { description: "Alerts of the survey when it began." })
  total!: bigint;
  @Field(() => Boolean, { description: "Everything that is to be marked is." })
  isComplete!: boolean;
}

@ObjectType("Mark", { simpleResolvers: true, description: "A watch list, an area or a sky map." })
export class MarkType {
  @Field(() => ID, { description: "For ever; names may change." })
  id!: string;
  @Field(() => MarkKindEnum)
  kind!: MarkKind;
  @Field(() => String)
  name!: string;
  @Field(() => String, { description: "As filters write it: watch.mine, area.field1, skymap.S230518h." })
  operand!: string;
  @Field(() => String)
  description!: string;
  @Field(() => Boolean, { description: "Everybody may see it and filter by it." })
  isShared!: boolean;
  @Field(() => MarkStateEnum)
  state!: MarkState;
  @Field(() => Int, { description: "From 1; each replacement is another one." })
  revision!: number;
  @Field(() => Int, { description: "Positions of a list, ranges of HEALPix pixels of an area, cells of a sky map." })
  size!: number;
  @Field(() => Float, { nullable: true, description: "Part of the sky of an area, 0 to 1." })
  fraction!: number | null;
  @Field(() => SkymapEventType, { nullable: true })
  skymap!: SkymapEventType | null;
  @Field(() => DateTime)
  createdAt!: number;
  @Field(() => DateTime)
  changedAt!: number;
  /** Names its rows; not shown. */
  readonly content!: string;
}

@ObjectType("MarkedPosition", { simpleResolvers: true })
export class MarkedPositionType {
  @Field(() => String)
  name!: string;
  @Field(() => Float)
  ra!: number;
  @Field(() => Float)
  dec!: number;
  @Field(() => Float)
  separationArcsec!: number;
}

@ObjectType("MarkedDistance", {
  simpleResolvers: true,
  description: "How far away a sky map's source is, were it at the alert's position.",
})
export class MarkedDistanceType {
  @Field(() => Float)
  meanMpc!: number;
  @Field(() => Float, { description: "Standard deviation." })
  sigmaMpc!: number;
}

@ObjectType("MarkedAlertEdge", { simpleResolvers: true })
export class MarkedAlertEdgeType extends edgeOf(AlertType) {
  @Field(() => Float, { nullable: true, description: "Credible level of a sky map at the alert's position." })
  level!: number | null;
  @Field(() => MarkedDistanceType, { nullable: true, description: "Of a sky map that tells distances." })
  distance!: MarkedDistanceType | null;
  @Field(() => [MarkedPositionType], { description: "Of a watch list, nearest first, at most 100." })
  positions!: readonly MarkedPositionType[];
}

@ObjectType("MarkedAlertConnection", { simpleResolvers: true })
export class MarkedAlertConnectionType extends connectionOf(MarkedAlertEdgeType) {}

@ObjectType("MarkEventEdge", { simpleResolvers: true })
export class MarkEventEdgeType extends edgeOf(MarkType, { description: "As it stood after the change." }) {}

@ObjectType("MarkEventConnection", { simpleResolvers: true })
export class MarkEventConnectionType extends connectionOf(MarkEventEdgeType) {}
