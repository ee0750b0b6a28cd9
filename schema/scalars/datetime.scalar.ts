// The DateTime scalar: ISO 8601 UTC outside, Julian date inside, as everywhere in the house. Used by every time field.
import { GraphQLScalarType, Kind } from "graphql";
import { TocsinError } from "../../domain/errors.js";
import { isoFromJd, parseTime } from "../../domain/time.js";

const bad = (found: string) =>
  new TocsinError("BAD_ARGUMENT", `DateTime cannot be read from ${found.slice(0, 60)}.`, {
    remedy: 'Send ISO 8601 ("2026-11-21T07:30:00Z"), a Julian date ("JD 2461000.5") or an MJD ("MJD 61000.0"), UTC.',
  });

/** Inside: JD, UTC. Out: ISO 8601 with milliseconds. In: ISO 8601, or JD or MJD as text or number. */
export const DateTime = new GraphQLScalarType<number, string>({
  name: "DateTime",
  description:
    'ISO 8601, UTC. Accepted besides: a Julian date ("JD 2461000.5" or 2461000.5) and an MJD ("MJD 61000" or 61000).',
  serialize(value) {
    if (typeof value !== "number") throw new TypeError(`DateTime cannot show a ${typeof value}`);
    return isoFromJd(value);
  },
  parseValue(value) {
    if (typeof value === "string" || typeof value === "number") return parseTime(String(value));
    throw bad(JSON.stringify(value));
  },
  parseLiteral(node) {
    if (node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT) return parseTime(node.value);
    throw bad(node.kind);
  },
});
