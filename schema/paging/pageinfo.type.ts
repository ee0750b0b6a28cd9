// PageInfo and the arguments of every paged list. Used by all connections.
import { ArgsType, Field, Int, ObjectType } from "type-graphql";
import { DEFAULT_PAGE } from "./bounds.js";

@ObjectType("PageInfo", { simpleResolvers: true })
export class PageInfoType {
  @Field(() => Boolean)
  hasNextPage!: boolean;
  @Field(() => String, {
    nullable: true,
    description: "Pass it as `after` for the next page; null on an empty page (but of hits).",
  })
  endCursor!: string | null;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, defaultValue: DEFAULT_PAGE, description: "1 to 1,000." })
  first?: number | null;
  @Field(() => String, { nullable: true, description: "endCursor of the page before, or any edge's cursor." })
  after?: string | null;
}
