// Errors as callers see them: code, cause, remedy; never an inner detail. Used for GraphQL, WebSocket and plain routes.
import { randomBytes } from "node:crypto";
import { GraphQLError, type GraphQLFormattedError } from "graphql";
import type { Logger } from "pino";
import { ERROR_CODES, type ErrorCode, TocsinError } from "../domain/errors.js";
import { MAX_TOKENS } from "../schema/cost.js";

/** Codes of the GraphQL layer that stay what they are; each stands in the catalogue. */
const PROTOCOL_CODES = new Set<unknown>(["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_REQUEST"]);

export interface Faults {
  /** For Apollo (its own form first) and, with one argument, for WebSocket results. */
  formatGraphql(error: unknown, formatted?: GraphQLFormattedError): GraphQLFormattedError;
  /** For plain routes: the status, the headers and the body. */
  respond(error: unknown): {
    status: number;
    headers: Record<string, string>;
    body: { errors: GraphQLFormattedError[] };
  };
}

/** Statuses of requests that are refused as a whole; a GraphQL operation that is none of these has 400. */
export const STATUS: Partial<Record<ErrorCode, number>> = {
  BAD_ARGUMENT: 400,
  BAD_REQUEST: 400,
  NOT_ALLOWED: 401,
  FORBIDDEN_HOST: 403,
  NOT_FOUND: 404,
  TOO_LARGE: 413,
  PACKET_EXPIRED: 410,
  UNREADABLE_IMAGE: 422,
  BAD_CATALOG: 422,
  BAD_MARK: 422,
  UNKNOWN_MARK: 404,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  ENGINE_UNAVAILABLE: 503,
  QUERY_TIMEOUT: 503,
};

export function createFaults(log: Logger): Faults {
  // One fault of a store fails many fields: it is logged once and has one id.
  const logged = new WeakMap<object, TocsinError>();

  function coded(error: unknown, formatted?: GraphQLFormattedError): TocsinError {
    const root = rootOf(error);
    if (root instanceof TocsinError && root.code !== "INTERNAL") return root;
    const message = error instanceof Error ? error.message : String(error);
    const code = formatted?.extensions?.code ?? (root instanceof GraphQLError ? codeOf(root) : undefined);
    if (code === "GRAPHQL_PARSE_FAILED" && /tokens\. Parsing aborted/.test(message)) {
      return new TocsinError("QUERY_TOO_COMPLEX", `The query has more than ${MAX_TOKENS} tokens.`);
    }
    if (PROTOCOL_CODES.has(code)) return new TocsinError(code as ErrorCode, message);
    if (code === "BAD_USER_INPUT") return new TocsinError("BAD_ARGUMENT", message);
    if (code === "OPERATION_RESOLUTION_FAILURE") return new TocsinError("BAD_REQUEST", message);
    return internal(root);
  }

  function internal(root: unknown): TocsinError {
    const key = typeof root === "object" && root !== null ? root : {};
    let masked = logged.get(key);
    if (masked === undefined) {
      const id = randomBytes(6).toString("hex");
      log.error({ id, err: root }, "fault");
      masked = new TocsinError("INTERNAL", "The service made a fault.", { details: { id } });
      logged.set(key, masked);
    }
    return masked;
  }

  const shown = ({ message, code, remedy, details }: TocsinError): GraphQLFormattedError => ({
    message,
    extensions: { ...plain(details), code, remedy },
  });

  return {
    formatGraphql(error, formatted) {
      const place = formatted ?? (error instanceof GraphQLError ? error.toJSON() : undefined);
      return {
        ...shown(coded(error, place)),
        ...(place?.locations && { locations: place.locations }),
        ...(place?.path && { path: place.path }),
      };
    },
    respond(error) {
      const fault = coded(error);
      return { status: STATUS[fault.code] ?? 500, headers: retryAfter(fault), body: { errors: [shown(fault)] } };
    },
  };
}

/** Retry-After, where the fault says when to try again. */
export function retryAfter({ details }: TocsinError): Record<string, string> {
  const { retryAfterSeconds } = details;
  return typeof retryAfterSeconds === "number" ? { "retry-after": String(retryAfterSeconds) } : {};
}

/** The code that Apollo would give: outside of it, graphql's own errors have none. What has a path failed in a run. */
function codeOf({ message, path }: GraphQLError): ErrorCode | undefined {
  if (path !== undefined) return undefined;
  return message.startsWith("Syntax Error") ? "GRAPHQL_PARSE_FAILED" : "GRAPHQL_VALIDATION_FAILED";
}

/** What was thrown first: GraphQL wraps errors, sometimes twice. */
export function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof GraphQLError && root.originalError !== undefined && root.originalError !== root) {
    root = root.originalError;
  }
  return root;
}

/** Details as JSON can hold them. */
const plain = (details: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  JSON.parse(JSON.stringify(details, (_, value) => (typeof value === "bigint" ? value.toString() : value)));

/** Every code with its general meaning, for docs/errors.md. */
export function errorTable(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  return ["| code | meaning and what to do |", "| --- | --- |", ...rows].join("\n");
}
