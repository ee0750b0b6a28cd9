// The graph on a Neo4j 5 server. Opened by cli/ when NEO4J_URL is set, used through graph.ts.
import neo4j, { type Driver, type ManagedTransaction, Neo4jError } from "neo4j-driver";
import pRetry from "p-retry";
import { type ErrorCode, TocsinError } from "../../domain/errors.js";
import { type Graph, type GraphTx, type Statement, statement } from "./graph.js";
import { checkParams } from "./guards.js";
import { migrate } from "./migrations.js";

export interface Neo4jSettings {
  /** For example neo4j://host:7687 or bolt+s://host:7687. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

const engine = "graph";

/** The time of this statement, not of the transaction that may have waited for a lock. */
const CLOCK = statement<Record<never, never>, { now: number }>("RETURN timestamp() AS now");

/** How long connecting, and how long trying a transaction again, may take: ms. Callers that can wait longer call again. */
const PATIENCE_MS = 5_000;
/** How long one transaction may take before the server ends it: ms. Reads are bounded pages, writes near 2,000 rows. */
const LIMIT_MS = { executeRead: 5_000, executeWrite: 20_000 } as const;
type Mode = keyof typeof LIMIT_MS;

/**
 * Nothing is sent until the first statement; a wrong password is BAD_SETTING then. Every call ends: the server ends
 * transactions at their limit (QUERY_TIMEOUT), and where it says nothing at all, as when it is frozen or the network is
 * cut, the call ends PATIENCE_MS later (ENGINE_UNAVAILABLE; whether a write was stored is unknown then).
 */
export function openNeo4j({ url, user, password }: Neo4jSettings): Graph {
  const connect = (): Driver =>
    neo4j.driver(url, neo4j.auth.basic(user, password), {
      disableLosslessIntegers: true,
      connectionTimeout: PATIENCE_MS,
      connectionAcquisitionTimeout: PATIENCE_MS,
      // Tried again below: the driver's first pause is a second, a deadlock is over in milliseconds.
      maxTransactionRetryTime: 0,
    });
  let driver = connect();
  let closed = false;

  /** Connections on which the server fell silent would fill the pool until the system gives them up, minutes later. */
  function abandon(silent: Driver): void {
    if (silent === driver && !closed) driver = connect();
    void silent.close().catch(() => {});
  }

  async function once<T>(used: Driver, mode: Mode, fn: (tx: ManagedTransaction) => Promise<T>): Promise<T> {
    const session = used.session();
    try {
      return await session[mode](fn, { timeout: LIMIT_MS[mode] });
    } finally {
      await session.close();
    }
  }

  async function transaction<T>(mode: Mode, fn: (tx: GraphTx) => Promise<T>): Promise<T> {
    if (closed) throw new TocsinError("ENGINE_UNAVAILABLE", "The graph is closed.", { engine });
    const used = driver;
    let silent = false;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        silent = true;
        abandon(used);
        reject(new TocsinError("ENGINE_UNAVAILABLE", `Neo4j at ${url} has not answered in time.`, { engine }));
      }, LIMIT_MS[mode] + PATIENCE_MS);
    });
    const attempts = pRetry(() => once(used, mode, (tx) => fn(graphTx(tx))), {
      retries: 9,
      minTimeout: 10,
      randomize: true,
      maxRetryTime: PATIENCE_MS,
      shouldRetry: ({ error }) => neo4j.isRetryableError(error) && !silent,
    });
    try {
      return await Promise.race([attempts, silence]);
    } catch (error) {
      throw translated(error, url);
    } finally {
      clearTimeout(timer);
    }
  }

  const graph: Graph = {
    read: (query, params) => transaction("executeRead", (tx) => tx.run(query, params)),
    write: (fn) => transaction("executeWrite", fn),
    // Schema changes and data may not share a transaction.
    migrate: () => migrate(graph, (ddl) => graph.write((tx) => tx.run({ text: ddl }, {})), { indexes: false }),
    close() {
      closed = true;
      return driver.close();
    },
  };
  return graph;
}

function graphTx(tx: ManagedTransaction): GraphTx {
  async function run<P, R>(query: Statement<P, R>, params: P): Promise<R[]> {
    checkParams(query.text, params as object);
    const result = await tx.run(query.text, forDriver(params) as object);
    return result.records.map((record) => record.toObject() as R);
  }
  return { run, now: async () => (await run(CLOCK, {}))[0]!.now };
}

/** Whole numbers as integers (the driver sends JavaScript's numbers as floats) and undefined as null. */
function forDriver(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "number") return Number.isInteger(value) ? neo4j.int(value) : value;
  if (Array.isArray(value)) return value.map(forDriver);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, forDriver(inner)]));
  }
  return value;
}

/** Codes of the server, or their beginnings, and what they are for callers. */
const MEANINGS: readonly (readonly [code: string, meaning: ErrorCode, text: string])[] = [
  ["Neo.ClientError.Schema.ConstraintValidationFailed", "DUPLICATE_KEY", "holds a node with this key already."],
  ["Neo.ClientError.Security.", "BAD_SETTING", "does not accept the user and password."],
  ["Neo.ClientError.Transaction.", "QUERY_TIMEOUT", "ended a transaction, at its limit or by hand."],
  ["Neo.ClientError.General.WriteOnReadOnlyAccessDatabase", "ENGINE_UNAVAILABLE", "is read-only."],
  ["Neo.DatabaseError.", "ENGINE_UNAVAILABLE", "has a fault of its own (a full disk?); its log tells."],
];

function translated(error: unknown, url: string): unknown {
  if (!(error instanceof Neo4jError)) return error;
  const known = MEANINGS.find(([code]) => error.code.startsWith(code));
  if (known) return new TocsinError(known[1], `Neo4j at ${url} ${known[2]}`, { cause: error, engine });
  if (error.retryable || ["ServiceUnavailable", "SessionExpired"].includes(error.code) || isWithoutConnection(error)) {
    return new TocsinError("ENGINE_UNAVAILABLE", `Neo4j at ${url} does not answer: ${error.message}`, {
      cause: error,
      engine,
    });
  }
  return error;
}

/** The driver has no connection to give, or was abandoned meanwhile. It has no codes for what it says itself. */
const isWithoutConnection = ({ code, message }: Neo4jError): boolean =>
  code === "N/A" && /acquisition timed out|closed/.test(message);
