// The JSON scalar: any value, with 64-bit integers as decimal strings. Output only. Used by packets and annotations.
import { GraphQLScalarType } from "graphql";

/** bigint becomes text, NaN and infinities (which JSON has not) become null, the rest stays. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  }
  return value;
}

export const JsonValue = new GraphQLScalarType({
  name: "JSON",
  description: "Any JSON value. 64-bit integers in it are decimal strings; NaN and infinities are null.",
  serialize: plain,
});
