// Real servers for tests (*.servers.test.ts). Started when the first test asks and shared by all files of the run: use
// topics, groups and databases of your own, and labels or ids of your own in the graph. Ended by servers.setup.ts.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { inject } from "vitest";
import type { Running, ServerOptions } from "../cli/servers/background.js";
import { startClickHouse } from "../cli/servers/clickhouse.js";
import { type Cluster, startCluster } from "../cli/servers/cluster.js";
import { missingFor } from "../cli/servers/java.js";
import { KAFKA, startKafka } from "../cli/servers/kafka.js";
import { NEO4J, startNeo4j } from "../cli/servers/neo4j.js";
import { oneAtATime } from "./once.js";

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/** One worker process starts it, the others find it. */
function shared<R extends Running>(name: string, start: (options: ServerOptions) => Promise<R>): Promise<R> {
  const folder = join(inject("serversFolder"), "shared", name);
  return oneAtATime(`${folder}.lock`, () => start({ folder, tell }));
}

/** Shared servers: nobody may stop or freeze these. */
export const servers = {
  /** With a listener for SASL/SCRAM over TLS as well. */
  kafka: (): Promise<Running> => shared("kafka", (options) => startKafka({ ...options, secure: true })),
  neo4j: (): Promise<Running> => shared("neo4j", startNeo4j),
  clickhouse: (): Promise<Running> => shared("clickhouse", startClickHouse),
  cluster: (): Promise<Cluster> => shared("cluster", startCluster),
};

/** A folder for a server of the test's own, which it may kill: `startKafka({ folder: serverFolder() })`. */
export const serverFolder = (): string => join(inject("serversFolder"), "own", randomUUID());

/** Whether such a server can be started here; ClickHouse comes with npm. */
export const available = (name: "kafka" | "neo4j"): boolean => missingFor(name === "kafka" ? KAFKA : NEO4J) === null;
