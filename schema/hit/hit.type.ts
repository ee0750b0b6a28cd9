// FilterHit and its connection: the same type for stored and for live hits. The alert is added by resolvers/hit.
import { Field, ID, Int, ObjectType } from "type-graphql";
import type { Hit } from "../../domain/filter.js";
import { connectionOf, edgeOf } from "../paging/connection.js";
import { DateTime } from "../scalars/datetime.scalar.js";
import { JsonValue } from "../scalars/json.scalar.js";

@ObjectType("FilterHit", { simpleResolvers: true, description: "An alert that passed a filter." })
export class FilterHitType {
  @Field(() => String, { description: "Pass it as `after` to go on behind this hit, here or in the subscription." })
  cursor!: string;
  @Field(() => ID)
  filterId!: string;
  @Field(() => Int, { description: "Number of the filter's version that made the hit." })
  filterVersion!: number;
  @Field(() => DateTime)
  passedAt!: number;
  @Field(() => JsonValue, { nullable: true, description: "The filter's annotations, by name." })
  annotations!: unknown;
  /** Not shown: the key of `alert`. */
  hit!: Hit;
}

@ObjectType("FilterHitEdge", { simpleResolvers: true })
export class FilterHitEdgeType extends edgeOf(FilterHitType) {}

@ObjectType("FilterHitConnection", { simpleResolvers: true })
export class FilterHitConnectionType extends connectionOf(FilterHitEdgeType) {}
