// The graph on a Neo4j 5 server. Opened by cli/ when NEO4J_URL is set, used through graph.ts.
import neo4j, { type ManagedTransaction, Neo4jError } from "neo4j-driver";
import { TocsinError } from "../../domain/errors.js";
import type { Graph, GraphTx, Statement } from "./graph.js";
import { checkParams } from "./guards.js";
import { migrate } from "./migrations.js";

export interface Neo4jSettings {
  /** For example neo4j://host:7687 or bolt+s://host:7687. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** How long connecting, and how long trying a transaction again, may take: ms. Callers that can wait longer call again. */
const PATIENCE_MS = 5_000;

/** Nothing is sent until the first statement; a wrong password is BAD_SETTING then. */
export function openNeo4j({ url, user, password }: Neo4jSettings): Graph {
  const driver = neo4j.driver(url, neo4j.auth.basic(user, password), {
    disableLosslessIntegers: true,
    connectionTimeout: PATIENCE_MS,
    connectionAcquisitionTimeout: PATIENCE_MS,
    maxTransactionRetryTime: PATIENCE_MS,
  });
  let closed = false;

  async function run<P, R>(tx: ManagedTransaction, query: Statement<P, R>, params: P): Promise<R[]> {
    checkParams(query.text, params as object);
    const result = await tx.run(query.text, forDriver(params) as object);
    return result.records.map((record) => record.toObject() as R);
  }

  async function inSession<T>(
    mode: "executeRead" | "executeWrite",
    fn: (tx: ManagedTransaction) => Promise<T>,
  ): Promise<T> {
    if (closed) throw new TocsinError("ENGINE_UNAVAILABLE", "The graph is closed.");
    const session = driver.session();
    try {
      return await session[mode](fn);
    } catch (error) {
      throw translated(error, url);
    } finally {
      await session.close();
    }
  }

  const graph: Graph = {
    read: (query, params) => inSession("executeRead", (tx) => run(tx, query, params)),
    write: <T>(fn: (tx: GraphTx) => Promise<T>) =>
      inSession("executeWrite", (tx) => fn({ run: (query, params) => run(tx, query, params) })),
    // Schema changes and data may not share a transaction.
    migrate: () => migrate(graph, (ddl) => graph.write((tx) => tx.run({ text: ddl }, {})), { indexes: false }),
    close() {
      closed = true;
      return driver.close();
    },
  };
  return graph;
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

function translated(error: unknown, url: string): unknown {
  if (!(error instanceof Neo4jError)) return error;
  if (error.code === "Neo.ClientError.Schema.ConstraintValidationFailed") {
    return new TocsinError("DUPLICATE_KEY", "The graph holds a node with this key already.", { cause: error });
  }
  if (error.code.startsWith("Neo.ClientError.Security.")) {
    return new TocsinError("BAD_SETTING", `Neo4j at ${url} does not accept the user and password.`, { cause: error });
  }
  if (error.retriable || ["ServiceUnavailable", "SessionExpired"].includes(error.code)) {
    return new TocsinError("ENGINE_UNAVAILABLE", `Neo4j at ${url} does not answer: ${error.message}`, { cause: error });
  }
  return error;
}
