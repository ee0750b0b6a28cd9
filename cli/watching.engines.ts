// How long the engines take, and how often they fail: a small layer around each. Called by watching.ts.
import { TocsinError } from "../domain/errors.js";
import type { Metrics } from "../server/metrics.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { type Graph, statement } from "../stores/graph/graph.js";
import { around } from "./watching.around.js";

type Timing = <T>(operation: string, call: Promise<T>) => Promise<T>;

function timing({ engines }: Metrics, engine: string): Timing {
  return async (operation, call) => {
    const end = engines.seconds.startTimer({ engine, operation });
    try {
      return await call;
    } catch (error) {
      engines.errors.inc({ engine, operation, code: codeOf(error) });
      throw error;
    } finally {
      end();
    }
  };
}

function codeOf(error: unknown): string {
  if (error instanceof TocsinError) return error.code;
  return (error as Partial<Error> | null)?.name === "AbortError" ? "CANCELLED" : "INTERNAL";
}

export function watchArchive(metrics: Metrics, client: ArchiveClient): ArchiveClient {
  const timed = timing(metrics, "archive");
  return around(client, {
    query: (...of) => timed("query", client.query(...of)),
    insert: (...of) => timed("insert", client.insert(...of)),
    command: (...of) => timed("command", client.command(...of)),
  });
}

export function watchGraph(metrics: Metrics, graph: Graph): Graph {
  const timed = timing(metrics, "graph");
  return around(graph, {
    read: (...of) => timed("read", graph.read(...of)),
    write: (fn) => timed("write", graph.write(fn)),
  });
}

const CHECK_MS = 1_500;
const ONE = statement<Record<never, never>, { one: number }>("RETURN 1 AS one");

/** Throws ENGINE_UNAVAILABLE, QUERY_TIMEOUT, ... Not within any request: nobody's leaving ends it. */
export const askArchive = (client: ArchiveClient) => client.query("SELECT 1 AS one", {}, { timeoutMs: CHECK_MS });
export const askGraph = (graph: Graph) => graph.read(ONE, {});
