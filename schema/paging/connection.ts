// What every paged list is made of: edges with a cursor each, and a page of them. Extended by the areas' types.
import { type ClassType, Field, ObjectType } from "type-graphql";
import { PageInfoType } from "./pageinfo.type.js";

const simple = true;

/** An edge to a node of this type; the area adds what it says of the edge itself. */
export function edgeOf<Node extends object>(node: ClassType<Node>, about: { readonly description?: string } = {}) {
  @ObjectType()
  abstract class Edge {
    @Field(() => String, { simple })
    cursor!: string;
    @Field(() => node, { simple, ...about })
    node!: Node;
  }
  return Edge;
}

export function connectionOf<Edge extends object>(edge: ClassType<Edge>) {
  @ObjectType()
  abstract class Connection {
    @Field(() => [edge], { simple })
    edges!: Edge[];
    @Field(() => PageInfoType, { simple })
    pageInfo!: PageInfoType;
  }
  return Connection;
}
