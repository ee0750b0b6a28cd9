// What a caller says of a catalog to add, and of positions to look at. Read by resolvers/catalog.
import { Field, Float, InputType, Int } from "type-graphql";

@InputType("PositionInput")
export class PositionInput {
  @Field(() => String, { nullable: true, description: "Comes back with the answer." })
  name?: string | null;
  @Field(() => Float, { description: "ICRS degrees, 0 to 360." })
  ra!: number;
  @Field(() => Float, { description: "ICRS degrees." })
  dec!: number;
}

@InputType("AddCatalogInput", {
  description: "For a known catalog name and files are enough. What is not said is the definition's.",
})
export class AddCatalogInput {
  @Field(() => String, { description: "A small letter, then small letters, digits and _." })
  name!: string;
  @Field(() => [String], {
    description: "Names of 1 to 1,000 files in the service's CATALOG_DIR, read one after the other.",
  })
  files!: string[];
  @Field(() => String, { nullable: true, description: "A known catalog whose definition is taken." })
  definition?: string | null;
  @Field(() => [String], { nullable: true, description: "Columns to keep; null: the definition's, else all." })
  columns?: string[] | null;
  @Field(() => [String], {
    nullable: true,
    description: "Types of a text file's columns, as COLUMN=Float64 (or String, Int64, UInt64).",
  })
  types?: string[] | null;
  @Field(() => Float, { nullable: true, description: "Above 0, at most 3,600." })
  radiusArcsec?: number | null;
  @Field(() => Int, { nullable: true, description: "At most so many of the nearest match." })
  limit?: number | null;
  @Field(() => String, { nullable: true, description: "radius, redshift:COLUMN or Mpc:COLUMN." })
  rule?: string | null;
  @Field(() => Float, { nullable: true, description: "Of a rule: the length at the source's distance, default 30." })
  kpc?: number | null;
  @Field(() => Float, { nullable: true, description: "Of a rule: arcsec for near sources, default 300." })
  near?: number | null;
  @Field(() => String, {
    nullable: true,
    description:
      "Of a rule: AXIS:RATIO:ANGLE:ARCSEC, columns of how sources extend and arcsec of half an axis of 1; or none.",
  })
  ellipse?: string | null;
  @Field(() => String, { nullable: true, description: "Column of right ascension." })
  ra?: string | null;
  @Field(() => String, { nullable: true, description: "Column of declination." })
  dec?: string | null;
  @Field(() => String, { nullable: true, description: "Column of ids." })
  id?: string | null;
  @Field(() => String, { nullable: true, description: "deg, hours or rad." })
  raUnit?: string | null;
  @Field(() => Float, { nullable: true, description: "Julian year of the positions." })
  epoch?: number | null;
  @Field(() => String, {
    nullable: true,
    description: "Column of proper motion in right ascension times cos(dec), mas/yr.",
  })
  pmRa?: string | null;
  @Field(() => String, { nullable: true, description: "Column of proper motion in declination, mas/yr." })
  pmDec?: string | null;
  @Field(() => Float, { nullable: true, description: "Julian year that positions are brought to." })
  toEpoch?: number | null;
  @Field(() => String, { nullable: true })
  title?: string | null;
  @Field(() => String, { nullable: true })
  version?: string | null;
  @Field(() => String, { nullable: true, description: "YYYY-MM-DD." })
  date?: string | null;
  @Field(() => String, { nullable: true })
  licence?: string | null;
  @Field(() => String, { nullable: true })
  citation?: string | null;
  @Field(() => String, { nullable: true, description: "Page where it can be had." })
  url?: string | null;
}
