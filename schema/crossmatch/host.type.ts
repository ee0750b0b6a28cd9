// The galaxy that an object most likely lies in. Filled by resolvers/crossmatch.
import { Field, Float, ObjectType } from "type-graphql";
import { CrossMatchType } from "./crossmatch.type.js";

@ObjectType("Host", {
  simpleResolvers: true,
  description:
    "The nearest galaxy, by projected length, of the catalogs that match by distance. Galaxies too near to tell a length come first.",
})
export class HostType {
  @Field(() => CrossMatchType, { description: "The galaxy, as it was matched with the object's latest alert." })
  match!: CrossMatchType;
  @Field(() => Float, {
    nullable: true,
    description: "Projected distance, kpc; null where the galaxy is too near to tell.",
  })
  distanceKpc!: number | null;
}
