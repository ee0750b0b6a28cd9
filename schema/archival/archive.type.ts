// Archives of light curves: what they are, how a load of one stands, and what is said to add one. Filled by
// resolvers/archival.
import { Field, InputType, ObjectType, registerEnumType } from "type-graphql";
import type { TimeKind } from "../../domain/archival.js";
import { LoadedFields, LoadFields } from "../load/load.type.js";
import { Long } from "../scalars/long.scalar.js";

export const TimeKindEnum = { HMJD: "hmjd", MJD: "mjd", BMJD: "bmjd" } as const satisfies Record<string, TimeKind>;
registerEnumType(TimeKindEnum, {
  name: "TimeKind",
  description: "What an archive's times are. They are given as the archive has them, never converted to one another.",
  valuesConfig: {
    HMJD: { description: "Heliocentric MJD: up to 8.3 minutes before or after the observatory's." },
    MJD: { description: "MJD at the observatory." },
    BMJD: { description: "Barycentric MJD." },
  },
});

@ObjectType("LightCurveArchive", {
  simpleResolvers: true,
  description: "Light curves that a survey's archive has published. Everybody may see them.",
})
export class LightCurveArchiveType extends LoadedFields {
  @Field(() => Boolean, { description: "Its rows are being stored, or a load of it was broken off." })
  isLoading!: boolean;
  @Field(() => TimeKindEnum)
  timeKind!: TimeKind;
  @Field(() => String, { nullable: true, description: "What else there is to know of its times." })
  timeNote!: string | null;
  @Field(() => Long, { description: "Points with any of these bits in their flags are not good; 0: all are good." })
  badFlags!: bigint;
  @Field(() => Long, { description: "Light curves, each of a source in one band; 0 while it loads." })
  sources!: bigint;
  @Field(() => Long, { description: "0 while it loads." })
  points!: bigint;
  @Field(() => Long, { description: "Rows without a usable position, id or band." })
  rejected!: bigint;
  @Field(() => Long, { description: "Points without a time or a magnitude, and those of rejected rows." })
  pointsRejected!: bigint;
}

@ObjectType("LightCurveLoad", {
  simpleResolvers: true,
  description: "A load that addLightCurves began in this process.",
})
export class LightCurveLoadType extends LoadFields {
  @Field(() => Long, { description: "Points stored." })
  points!: bigint;
}

@InputType("AddLightCurvesInput")
export class AddLightCurvesInput {
  @Field(() => String, { description: "A small letter, then small letters, digits and _." })
  name!: string;
  @Field(() => [String], {
    description: "Names of 1 to 1,000 files in the service's CATALOG_DIR, read one after the other.",
  })
  files!: string[];
  @Field(() => String, {
    nullable: true,
    description: "A known archive (ztf_dr), or a whole definition as JSON text; null: the known archive of this name.",
  })
  definition?: string | null;
  @Field(() => String, { nullable: true })
  version?: string | null;
  @Field(() => String, { nullable: true, description: "YYYY-MM-DD." })
  date?: string | null;
}
