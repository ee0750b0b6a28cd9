// A source of a catalog at the place of an alert or object. Filled by resolvers/crossmatch.
import { Field, Float, ObjectType } from "type-graphql";
import { JsonValue } from "../scalars/json.scalar.js";
import { Long } from "../scalars/long.scalar.js";

@ObjectType("CrossMatch", {
  simpleResolvers: true,
  description: "A source of a catalog near an alert, as it was found when the alert was matched.",
})
export class CrossMatchType {
  @Field(() => String)
  catalog!: string;
  @Field(() => String, { description: "The catalog's id of the source; decimal text where it is a number." })
  sourceId!: string;
  @Field(() => Float, { description: "Of the source, ICRS degrees." })
  ra!: number;
  @Field(() => Float, { description: "Of the source, ICRS degrees." })
  dec!: number;
  @Field(() => Float, { description: "Distance from the alert, arcsec." })
  separationArcsec!: number;
  @Field(() => JsonValue, {
    description: "The catalog's columns; distanceKpc too, where sources match by their own distance.",
  })
  fields!: Record<string, unknown>;
  @Field(() => String, { description: "Version of the step that matched." })
  version!: string;
  @Field(() => Long, { description: "The catalog's revision that was matched: it rises with each load." })
  catalogRevision!: bigint;
  @Field(() => String, {
    nullable: true,
    description: "The catalog's own version; null where it has none or has been replaced since.",
  })
  catalogVersion!: string | null;
}
