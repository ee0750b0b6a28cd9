// The Position scalar: a place on the sky in the notations people paste. Used by coneSearchAt and AlertWhere.coneAt.
import { GraphQLScalarType, Kind } from "graphql";
import { parsePosition } from "../../domain/angles.js";
import { TocsinError } from "../../domain/errors.js";

export interface Coordinates {
  readonly ra: number;
  readonly dec: number;
}

function read(value: unknown): Coordinates {
  if (typeof value === "string") return parsePosition(value);
  throw new TocsinError("BAD_ARGUMENT", "Position must be a text.", {
    remedy: 'Send "10:45:03.6 +41:16:08", "10h45m03.6s +41d16m08s" or degrees "161.265 41.269".',
  });
}

/** Inside: degrees ICRS. Input only. */
export const Position = new GraphQLScalarType<Coordinates, string>({
  name: "Position",
  description:
    'Position, ICRS, as people write it: "10:45:03.6 +41:16:08", "10h45m03.6s +41d16m08s" (hours and degrees) or "161.265 41.269" (degrees).',
  parseValue: read,
  parseLiteral: (node) => read(node.kind === Kind.STRING ? node.value : null),
});
