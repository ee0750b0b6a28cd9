// Catalogs of sources on the sky: what they are, how a load of one stands, what lies near positions. Filled by
// resolvers/catalog.
import { Field, Float, ID, Int, ObjectType, registerEnumType } from "type-graphql";
import { LoadedFields, LoadFields } from "../load/load.type.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { JsonValue } from "../scalars/json.scalar.js";
import { Long } from "../scalars/long.scalar.js";

export enum CatalogStateEnum {
  LOADING = "loading",
  ACTIVE = "active",
}
registerEnumType(CatalogStateEnum, {
  name: "CatalogState",
  valuesConfig: {
    LOADING: { description: "Its rows are being stored, or a load of it was broken off." },
    ACTIVE: { description: "It answers queries, and alerts are matched with it." },
  },
});

@ObjectType("CatalogColumn", { simpleResolvers: true })
export class CatalogColumnType {
  @Field(() => String)
  name!: string;
  @Field(() => String, { description: "Float64, Int64, String and so on." })
  type!: string;
  @Field(() => String, { nullable: true })
  unit!: string | null;
  @Field(() => String)
  description!: string;
}

@ObjectType("CatalogEllipse", {
  simpleResolvers: true,
  description: "Columns that tell how a source extends: it matches there too.",
})
export class CatalogEllipseType {
  @Field(() => String, { description: "Column of the major axis." })
  axis!: string;
  @Field(() => Float, { description: "Arcsec of half of it in one of its units." })
  arcsec!: number;
  @Field(() => String, { description: "Column of minor over major axis." })
  ratio!: string;
  @Field(() => String, { description: "Column of the major axis' angle: degrees from north through east." })
  angle!: string;
}

@ObjectType("CatalogRule", {
  simpleResolvers: true,
  description: "Sources match within a length at their own distance, at most within the catalog's radius.",
})
export class CatalogRuleType {
  @Field(() => String, { description: "What the column holds: redshift or Mpc." })
  by!: string;
  @Field(() => String)
  column!: string;
  @Field(() => Float)
  kpc!: number;
  @Field(() => Float, { description: "Radius of sources nearer than z = 0.01 or 40 Mpc." })
  nearArcsec!: number;
  @Field(() => CatalogEllipseType, { nullable: true, description: "Null: the source is a point." })
  ellipse!: CatalogEllipseType | null;
}

@ObjectType("Catalog", { simpleResolvers: true })
export class CatalogType extends LoadedFields {
  @Field(() => CatalogStateEnum)
  state!: CatalogStateEnum;
  @Field(() => Float, { description: "Sources are matched within this." })
  radiusArcsec!: number;
  @Field(() => CatalogRuleType, { nullable: true, description: "Null: all within the radius match." })
  rule!: CatalogRuleType | null;
  @Field(() => Int, { nullable: true, description: "At most so many of the nearest match; null: all." })
  limit!: number | null;
  @Field(() => [CatalogColumnType])
  columns!: CatalogColumnType[];
  @Field(() => Float, { nullable: true, description: "Julian year of the positions as they are here." })
  epoch!: number | null;
  @Field(() => Float, {
    nullable: true,
    description: "Julian year of the positions as they were given, where proper motion brought them to epoch.",
  })
  epochGiven!: number | null;
  @Field(() => Long, { description: "Sources; 0 while it loads." })
  sources!: bigint;
  @Field(() => Long, { description: "Rows without a usable position or id." })
  rejected!: bigint;
  @Field(() => Long, {
    description: "Rows that said again what stands there: same id, same place. The last one stays.",
  })
  duplicates!: bigint;
}

@ObjectType("CatalogLoad", { simpleResolvers: true, description: "A load that addCatalog began in this process." })
export class CatalogLoadType extends LoadFields {
  @Field(() => Long, { description: "Sources stored." })
  sources!: bigint;
}

@ObjectType("KnownCatalog", {
  simpleResolvers: true,
  description: "A catalog whose columns, units and radius are known, so that its file alone is needed.",
})
export class KnownCatalogType {
  @Field(() => String)
  name!: string;
  @Field(() => String)
  title!: string;
  @Field(() => String, { nullable: true })
  source!: string | null;
  @Field(() => Float)
  radiusArcsec!: number;
  @Field(() => [String])
  columns!: string[];
}

@ObjectType("CatalogSource", { simpleResolvers: true, description: "A source of a catalog." })
export class CatalogSourceType {
  @Field(() => ID, { description: "The catalog's id; decimal text where it is a number." })
  id!: string;
  @Field(() => Float, { description: "ICRS degrees." })
  ra!: number;
  @Field(() => Float, { description: "ICRS degrees." })
  dec!: number;
  @Field(() => Float)
  separationArcsec!: number;
  @Field(() => JsonValue, { description: "The catalog's columns." })
  fields!: Record<string, unknown>;
}

@ObjectType("CatalogSources", { simpleResolvers: true })
export class CatalogSourcesType {
  @Field(() => String)
  catalog!: string;
  @Field(() => [CatalogSourceType], { description: "Nearest first; empty where nothing is." })
  sources!: CatalogSourceType[];
}

@ObjectType("PositionSources", { simpleResolvers: true })
export class PositionSourcesType {
  @Field(() => String, { nullable: true })
  name!: string | null;
  @Field(() => Float)
  ra!: number;
  @Field(() => Float)
  dec!: number;
  @Field(() => [CatalogSourcesType], { description: "Every catalog that was asked for, in that order." })
  catalogs!: CatalogSourcesType[];
}

@ObjectType("CatalogSourceEdge", { simpleResolvers: true })
export class CatalogSourceEdgeType extends edgeOf(CatalogSourceType) {}

@ObjectType("CatalogSourceConnection", { simpleResolvers: true })
export class CatalogSourceConnectionType extends connectionOf(CatalogSourceEdgeType) {}
