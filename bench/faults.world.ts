// Everything that the benchmark of faults runs: real Kafka, Neo4j and ClickHouse, two workers and two API nodes as processes,
// cables between them that can be cut, and one address before the API.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import neo4j, { type Driver } from "neo4j-driver";
import type { Running } from "../cli/servers/background.js";
import { startClickHouse } from "../cli/servers/clickhouse.js";
import { startKafka } from "../cli/servers/kafka.js";
import { startNeo4j } from "../cli/servers/neo4j.js";
import { freePorts } from "../cli/servers/ports.js";
import { surveyModule } from "../ingest/surveys/index.js";
import { ask } from "../test/service.js";
import { Cable } from "./faults.cable.js";
import { OurProcess } from "./faults.processes.js";
import { KAFKA_TOPICS } from "./faults.stream.js";

export const GROUP = "tocsin-faults";

export interface Worker {
  readonly process: OurProcess;
  readonly toClickHouse: Cable;
  readonly toNeo4j: Cable;
}

export interface World {
  readonly folder: string;
  readonly kafka: Running;
  readonly neo4j: Running;
  readonly clickhouse: Running;
  readonly workers: readonly Worker[];
  readonly nodes: readonly OurProcess[];
  /** Of each API node, and of the one address before both. */
  readonly urls: readonly string[];
  readonly front: string;
  readonly processes: readonly OurProcess[];
  /** The worker that numbers hits, as Neo4j knows it; null where it cannot tell. */
  leader(): Promise<Worker | null>;
  /** Rows of a query on the archive, past all cables and processes. */
  rows<T>(sql: string): Promise<T[]>;
  close(): Promise<void>;
}

/** `log`: file of all that our processes say. */
export async function startWorld(log: string): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "tocsin-faultrunner-"));
  const closers: (() => Promise<unknown> | unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const server = async (start: typeof startNeo4j, name: string): Promise<Running> => {
    const running = await start({ folder: join(folder, name), tell: (line) => process.stderr.write(`${line}\n`) });
    closers.push(() => running.kill());
    return running;
  };
  const cable = async (url: string): Promise<{ cable: Cable; url: string }> => {
    const made = new Cable([Number(new URL(url).port)]);
    const port = await made.open();
    closers.push(() => made.close());
    return { cable: made, url: url.replace(/:\d+$/, `:${port}`) };
  };
  const ours = (name: string, environment: Record<string, string>): OurProcess => {
    const made = new OurProcess(name, { ...environment, DATA_DIR: join(folder, name.replace(" ", "-")) }, log);
    closers.push(() => made.kill());
    return made;
  };
  try {
    const kafka = await server(startKafka, "kafka");
    const graph = await server(startNeo4j, "neo4j");
    const clickhouse = await server(startClickHouse, "clickhouse");
    const settings = { ...kafka.settings, ...graph.settings, ...clickhouse.settings } as Record<string, string>;
    const common = { ...settings, LOG_LEVEL: "debug", SCHEMA_DIR: await schemaFolder(folder) };
    const workers: Worker[] = [];
    for (const name of ["worker 1", "worker 2"]) {
      const toClickHouse = await cable(settings.CLICKHOUSE_URL!);
      const toNeo4j = await cable(settings.NEO4J_URL!);
      const process = ours(name, {
        ...common,
        TOCSIN_ROLE: "ingest",
        PORT: "0",
        KAFKA_TOPICS,
        KAFKA_GROUP: GROUP,
        CLICKHOUSE_URL: toClickHouse.url,
        NEO4J_URL: toNeo4j.url,
      });
      workers.push({ process, toClickHouse: toClickHouse.cable, toNeo4j: toNeo4j.cable });
    }
    const ports = await freePorts(2);
    const nodes = ports.map((port, n) => ours(`API ${n + 1}`, { ...common, TOCSIN_ROLE: "serve", PORT: String(port) }));
    const address = new Cable(ports);
    const front = `http://127.0.0.1:${await address.open()}`;
    closers.push(() => address.close());
    const driver = neo4j.driver(settings.NEO4J_URL!, neo4j.auth.basic(settings.NEO4J_USER!, settings.NEO4J_PASSWORD!), {
      maxTransactionRetryTime: 0,
    });
    closers.push(() => driver.close());
    const processes = [...workers.map(({ process }) => process), ...nodes];
    await Promise.all(processes.map((one) => one.start()));
    return {
      folder,
      kafka,
      neo4j: graph,
      clickhouse,
      workers,
      nodes,
      urls: ports.map((port) => `http://127.0.0.1:${port}`),
      front,
      processes,
      async leader() {
        const pid = await holder(driver).catch(() => null);
        return workers.find(({ process }) => process.pid === pid) ?? null;
      },
      rows: (sql) => rows(settings, sql),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A lease names its holder for people as "host pid". */
async function holder(driver: Driver): Promise<number> {
  const { records } = await driver.executeQuery("MATCH (l:Lease {name: 'sequencer'}) RETURN l.holder AS holder");
  return Number(String(records[0]?.get("holder")).split(" ").at(-1));
}

async function rows<T>(settings: Record<string, string>, sql: string): Promise<T[]> {
  const answer = await fetch(`${settings.CLICKHOUSE_URL}/?database=tocsin&default_format=JSON`, {
    method: "POST",
    headers: { "X-ClickHouse-User": settings.CLICKHOUSE_USER!, "X-ClickHouse-Key": settings.CLICKHOUSE_PASSWORD! },
    body: sql,
    signal: AbortSignal.timeout(30_000),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return (JSON.parse(text) as { data: T[] }).data;
}

/** Rubin's simulated schema where SCHEMA_DIR looks for id 1000. */
async function schemaFolder(folder: string): Promise<string> {
  const place = join(folder, "schemas", "v10_0");
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "alert.avsc"), surveyModule("LSST").simulated.schema);
  return join(folder, "schemas");
}

/** Ask until somebody answers: nodes may be on their way back. */
export async function askPatiently<T>(url: string, query: string, variables: object = {}): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    try {
      return await ask<T>(url, query, variables);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}
