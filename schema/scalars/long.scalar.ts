// The Long scalar: 64-bit integers that never become JavaScript numbers. Used by every type that shows an id.
import { GraphQLScalarType, Kind } from "graphql";
import { TocsinError } from "../../domain/errors.js";

const MIN = -(2n ** 63n);
const MAX = 2n ** 64n - 1n;

function fromText(text: string): bigint {
  if (/^-?\d{1,20}$/.test(text)) {
    const value = BigInt(text);
    if (value >= MIN && value <= MAX) return value;
  }
  throw bad(JSON.stringify(text.slice(0, 40)));
}

const bad = (found: string) =>
  new TocsinError("BAD_ARGUMENT", `Long must be an integer from -2^63 to 2^64 - 1, found ${found}.`, {
    remedy: 'Send it as a decimal string such as "695376623615015000"; a JSON number is exact only up to 2^53.',
  });

/** Inside: bigint. Out: decimal string. In: decimal string, integer literal, or a safe integer. */
export const Long = new GraphQLScalarType<bigint, string>({
  name: "Long",
  description: "64-bit integer: a decimal string out, a string or a safe integer in. Never a float.",
  serialize(value) {
    if (typeof value !== "bigint") throw new TypeError(`Long cannot show a ${typeof value}`);
    return value.toString();
  },
  parseValue(value) {
    if (typeof value === "bigint") return value;
    if (typeof value === "string") return fromText(value);
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    throw bad(String(value).slice(0, 40));
  },
  parseLiteral(node) {
    if (node.kind === Kind.INT || node.kind === Kind.STRING) return fromText(node.value);
    throw bad(node.kind);
  },
});
