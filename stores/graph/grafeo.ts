// The embedded graph: Grafeo, one file that one process opens once. Opened by cli/ and tests, used through graph.ts.
import { mkdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import grafeo, { type GrafeoDB as Database, type QueryResult, type Transaction } from "@grafeo-db/js";
import pLimit from "p-limit";
import pRetry from "p-retry";
import { TocsinError } from "../../domain/errors.js";
import type { Graph, GraphTx, Statement } from "./graph.js";
import { checkParams } from "./guards.js";
import { migrate } from "./migrations.js";

export interface GrafeoOptions {
  /** For tests: rows without ORDER BY come in random order. */
  readonly shuffleUnordered?: boolean;
}

/** Paths that this process has open: the engine's own lock gives no sentence for a person. */
const open = new Set<string>();

interface Session {
  executeCypher(query: string, params: object): Promise<QueryResult>;
}

/**
 * Open or create the graph file `path` (its journal lies beside it as `path`.wal). The whole graph is held in memory.
 * Throws GRAPH_IN_USE where this or another process has it open, BAD_SETTING where it cannot be opened at all.
 */
export function openGrafeo(path: string, options: GrafeoOptions = {}): Graph {
  const { file, database } = openFile(path, options);
  const writing = pLimit(1);
  let closing: Promise<void> | undefined;

  async function run<P, R>(session: Session, query: Statement<P, R>, params: P): Promise<R[]> {
    checkParams(query.text, params as object);
    try {
      const result = await session.executeCypher(query.text, params as object);
      return result.toArray() as R[];
    } catch (error) {
      throw translated(error);
    }
  }

  async function transaction<T>(fn: (tx: GraphTx) => Promise<T>): Promise<T> {
    const tx = database.beginTransaction();
    try {
      const result = await fn({ run: (query, params) => run(tx, query, params), now: async () => Date.now() });
      tx.commit();
      return result;
    } catch (error) {
      rollBack(tx);
      throw translated(error);
    }
  }

  async function whileOpen<T>(work: () => Promise<T>): Promise<T> {
    if (closing) throw new TocsinError("ENGINE_UNAVAILABLE", "The graph is closed.", { engine: "graph" });
    return work();
  }

  const graph: Graph = {
    read: (query, params) => whileOpen(() => run(database, query, params)),
    write: (fn) =>
      whileOpen(() =>
        writing(() => pRetry(() => transaction(fn), { retries: 5, minTimeout: 5, shouldRetry: isConflict })),
      ),
    migrate: () => migrate(graph, (ddl) => run(database, { text: ddl }, {}), { indexes: true }),
    close() {
      // What was asked for before is finished first.
      closing ??= writing(() => {
        database.close();
        open.delete(file);
      });
      return closing;
    },
  };
  return graph;
}

function openFile(path: string, options: GrafeoOptions): { file: string; database: Database } {
  let file = path;
  try {
    mkdirSync(dirname(path), { recursive: true });
    file = join(realpathSync(dirname(path)), basename(path));
    if (open.has(file)) throw new Error("cannot be locked: open in this process");
    const database = grafeo.GrafeoDB.create(file, options);
    open.add(file);
    return { file, database };
  } catch (error) {
    if (/cannot be locked/.test(String(error))) {
      throw new TocsinError("GRAPH_IN_USE", `The graph ${file} is open already, in this or another process.`, {
        cause: error,
        remedy: "Stop the other process or choose another DATA_DIR.",
      });
    }
    throw new TocsinError("BAD_SETTING", `The graph ${file} cannot be opened: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Two transactions touched the same node; the engine asks for another try. */
const isConflict = ({ error }: { error: Error }): boolean => error.message.includes("GRAFEO-T001");

function rollBack(tx: Transaction): void {
  try {
    tx.rollback();
  } catch {
    // A commit that failed has ended the transaction already, though isActive still says true.
  }
}

function translated(error: unknown): unknown {
  const text = String(error);
  if (error instanceof TocsinError) return error;
  if (/UNIQUE constraint violation/.test(text)) {
    return new TocsinError("DUPLICATE_KEY", "The graph holds a node with this key already.", { cause: error });
  }
  if (/No space left|os error 28/.test(text)) {
    return new TocsinError("DISK_FULL", "The disk under the graph is full.", { cause: error, engine: "graph" });
  }
  return error;
}
