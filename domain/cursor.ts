// Opaque cursors: where a page ended. Resolvers make and read them; stores see only the keys inside. A hit's cursor, which
// the subscription shares, is subscriptions/cursor.
import { TocsinError } from "./errors.js";

const VERSION = 1;
const MAX_LENGTH = 1_000;

type Part = "text" | "number" | "long";
type Values<S extends readonly Part[]> = {
  -readonly [I in keyof S]: S[I] extends "text" ? string : S[I] extends "number" ? number : bigint;
};

export interface CursorKind<S extends readonly Part[]> {
  /** `identity` is queryIdentity() of the query that pages: a cursor fits no other query. */
  encode(identity: string, key: Values<S>): string;
  /** Throws BAD_CURSOR where the text is malformed, altered or of another query. */
  decode(identity: string, text: string): Values<S>;
}

/** Text that stands for a query: its name and the arguments that decide which rows it has and in which order. */
export const queryIdentity = (...parts: readonly unknown[]): string =>
  JSON.stringify(parts, (_, value) => (typeof value === "bigint" ? value.toString() : value));

/** A kind of cursor whose key has these parts. The text is base64url of [version, kind, ...key, checksum] as JSON. */
export function cursorKind<const S extends readonly Part[]>(kind: string, shape: S): CursorKind<S> {
  return {
    encode(identity, key) {
      const parts = (key as unknown[]).map((value) => (typeof value === "bigint" ? value.toString() : value));
      const body = JSON.stringify([VERSION, kind, ...parts]);
      return Buffer.from(`${body.slice(0, -1)},"${checksum(identity, body)}"]`).toString("base64url");
    },
    decode(identity, text) {
      const body = parse(text);
      const check = body.pop();
      if (body[0] !== VERSION || body[1] !== kind) throw bad("it is not a cursor of this kind of list");
      if (check !== checksum(identity, JSON.stringify(body)))
        throw bad("it belongs to another query or has been altered");
      const key = body.slice(2);
      // Whoever can compute the checksum can put anything in: a store must still get what it expects.
      if (key.length !== shape.length) throw bad("it is malformed");
      return key.map((value, i) => part(shape[i]!, value)) as Values<S>;
    },
  };
}

function part(kind: Part, value: unknown): unknown {
  if (kind === "text" && typeof value === "string") return value;
  if (kind === "number" && typeof value === "number") return value;
  if (kind === "long" && typeof value === "string" && /^-?\d{1,20}$/.test(value)) {
    const id = BigInt(value);
    if (id >= -(2n ** 63n) && id < 2n ** 64n) return id;
  }
  throw bad("it is malformed");
}

function parse(text: string): unknown[] {
  if (text.length > MAX_LENGTH) throw bad(`it is longer than ${MAX_LENGTH} characters`);
  try {
    const body: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(body)) return body;
  } catch {}
  throw bad("it is malformed");
}

const bad = (why: string) => new TocsinError("BAD_CURSOR", `The cursor cannot be used: ${why}.`);

/** FNV-1a, 32 bits: tells mistakes, not attacks; a cursor grants no rights. */
function checksum(identity: string, body: string): string {
  const text = `${identity}\n${body}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** jd, candid, survey. */
export const alertCursor = cursorKind("alert", ["number", "long", "text"]);
/** jd, candid. */
export const backtestCursor = cursorKind("backtest", ["number", "long"]);
/** separationArcsec, survey, objectId. */
export const coneCursor = cursorKind("cone", ["number", "text", "text"]);
/** separationArcsec, id. */
export const sourceCursor = cursorKind("source", ["number", "text"]);
/** separationArcsec, archive, id, band. */
export const archivalCursor = cursorKind("archival", ["number", "text", "text", "text"]);
/** time, number. */
export const archivalPointCursor = cursorKind("archivalpoint", ["number", "long"]);
/** name, id. */
export const filterCursor = cursorKind("filter", ["text", "text"]);
/** receivedAt, id. */
export const deadLetterCursor = cursorKind("deadletter", ["number", "long"]);
