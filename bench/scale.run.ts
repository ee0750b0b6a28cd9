// One layout under the stream: its workers read a topic of its own into a database of its own. Used by scale.bench.ts.
import { loadavg } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { Kafka, logLevel } from "kafkajs";
import neo4j from "neo4j-driver";
import pino from "pino";
import { startService } from "../cli/serve.js";
import type { Running } from "../cli/servers/background.js";
import { readSettings } from "../cli/settings.js";
import { cpuSecondsOf } from "./harness.js";
import type { Place } from "./load.place.js";
import { createFilters } from "./soak.filters.js";

export interface Layout {
  readonly workers: number;
  readonly partitions: number;
  /** 0: one server, no cluster. */
  readonly shards: number;
  readonly replicas: number;
}

export const CLASSES = ["workers", "ClickHouse", "Kafka", "Neo4j"] as const;
export type Class = (typeof CLASSES)[number];

export interface Run {
  readonly name: string;
  readonly layout: Layout;
  readonly bytesPerMessage: number;
  readonly alertsPerSecond: number;
  /** user + sys per alert; what a process burns without alerts is in it, and told apart in `idleMs`. */
  readonly cpuMs: Readonly<Record<Class, number>>;
  /** Milliseconds of CPU a second while nothing comes. */
  readonly idleMs: Readonly<Record<Class, number>>;
  /** Of the process that makes and sends the messages, per alert: it shares the machine. */
  readonly senderMs: number;
  readonly stored: number;
  readonly hits: number;
  readonly numbered: number;
  readonly alertsPerBatch: number;
  /** Rows and bytes on disk (compressed) by table at the end, over all servers. */
  readonly bytesByTable: Readonly<
    Record<string, { readonly rows: number; readonly bytes: number; readonly plain: number }>
  >;
  readonly load: number;
}

export interface Servers {
  readonly place: Place;
  readonly kafka: Running;
  readonly neo4j: Running;
  readonly clickhouse: Running;
  /** The stream's messages. */
  readonly values: readonly Buffer[];
}

const [FILTERS, WARM, TOGETHER, IDLE_MS, LOOK_MS, PATIENCE_MS] = [25, 20, 50, 3_000, 500, 300_000];
let runs = 0;

export async function measureLayout(servers: Servers, layout: Layout): Promise<Run> {
  const { place, kafka, clickhouse, values } = servers;
  const number = ++runs;
  const bytesPerMessage = Math.round(values.reduce((sum, { length }) => sum + length, 0) / values.length);
  const topic = `ztf_2026${String(number).padStart(4, "0")}_programid1`;
  const environment: Record<string, string> = {
    ...kafka.settings,
    ...servers.neo4j.settings,
    ...clickhouse.settings,
    CLICKHOUSE_DATABASE: `run${number}`,
    KAFKA_TOPICS: topic,
    KAFKA_GROUP: `run${number}`,
    PORT: "0",
  };
  const rows = <T>(sql: string) => query<T>(environment, sql);
  await emptyGraph(environment);
  await prepare(place, environment, number);
  const client = new Kafka({ brokers: environment.KAFKA_BROKERS!.split(","), logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: layout.partitions }], waitForLeaders: true });
  await admin.disconnect();
  const workers = Array.from({ length: layout.workers }, (_, n) =>
    place.ours(`run ${number} worker ${n + 1}`, { ...environment, TOCSIN_ROLE: "ingest" }),
  );
  const producer = client.producer();
  await producer.connect();
  const send = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += TOGETHER) {
      const messages = values
        .slice(at, Math.min(to, at + TOGETHER))
        .map((value, n) => ({ value, partition: (at + n) % layout.partitions }));
      await producer.send({ topic, acks: 1, messages });
    }
  };
  // A rebalance may have two workers take the same alerts in: everything is counted by its key.
  const counts = async () => {
    const one = async (sql: string): Promise<number> => Number((await rows<{ n: string }>(`SELECT ${sql}`))[0]!.n);
    const [stored, hits, numbered, batches, done] = await Promise.all([
      one("uniqExact(candid) AS n FROM alert_index"),
      one("uniqExact(filterId, candid) AS n FROM hits_found"),
      one("uniqExact(seq) AS n FROM hits"),
      one("uniqExact(batch) AS n FROM batches"),
      one("uniqExact(batch) AS n FROM numbered"),
    ]);
    const committed = await one("sum(stored) AS n FROM (SELECT stored FROM batches LIMIT 1 BY batch)");
    return { stored, hits, numbered, batches, isWhole: done >= batches && committed >= stored && numbered >= hits };
  };
  const whole = async (alerts: number) => {
    for (const from = performance.now(); ; await delay(LOOK_MS)) {
      const now = await counts();
      if (now.stored >= alerts && now.isWhole) return now;
      if (performance.now() - from > PATIENCE_MS) throw new Error(`${JSON.stringify(now)} of ${alerts} alerts.`);
    }
  };
  try {
    await Promise.all(workers.map((worker) => worker.start()));
    const warm = Math.min(WARM * layout.partitions, Math.floor(values.length / 2));
    await send(0, warm);
    const before = await whole(warm);
    const pids: Record<Class, readonly number[]> = {
      workers: workers.map(({ pid }) => pid!),
      ClickHouse: clickhouse.pids,
      Kafka: kafka.pids,
      Neo4j: servers.neo4j.pids,
    };
    const cpu = (): Record<Class, number> =>
      Object.fromEntries(CLASSES.map((name) => [name, 1000 * cpuSecondsOf(pids[name])])) as Record<Class, number>;
    const idleFrom = cpu();
    await delay(IDLE_MS);
    const from = cpu();
    const own = process.cpuUsage();
    const startedAt = performance.now();
    await send(warm, values.length);
    const after = await whole(values.length);
    const seconds = (performance.now() - startedAt) / 1000;
    const to = cpu();
    const { user, system } = process.cpuUsage(own);
    const alerts = values.length - warm;
    const per = (b: Record<Class, number>, a: Record<Class, number>, by: number) =>
      Object.fromEntries(CLASSES.map((name) => [name, (a[name] - b[name]) / by])) as Record<Class, number>;
    return {
      name: `${JSON.stringify(layout)} ${bytesPerMessage}`,
      layout,
      bytesPerMessage,
      alertsPerSecond: alerts / seconds,
      cpuMs: per(from, to, alerts),
      idleMs: per(idleFrom, from, IDLE_MS / 1000),
      senderMs: (user + system) / 1000 / alerts,
      stored: after.stored,
      hits: after.hits,
      numbered: after.numbered,
      alertsPerBatch: alerts / Math.max(1, after.batches - before.batches),
      bytesByTable: await bytesByTable(environment),
      load: loadavg()[0]!,
    };
  } finally {
    await producer.disconnect();
    for (const worker of workers) await worker.kill();
  }
}

/** Tables, and the filters that are active. */
async function prepare(place: Place, environment: Record<string, string>, number: number): Promise<void> {
  const { KAFKA_TOPICS: _, ...rest } = environment;
  const settings = { ...rest, TOCSIN_ROLE: "serve", DATA_DIR: place.dataDir(`api ${number}`), LOG_LEVEL: "error" };
  const api = await startService(readSettings(settings), pino({ level: "error" }));
  try {
    await createFilters(api.url, FILTERS, 0);
  } finally {
    await api.close();
  }
}

/** Runs have graphs of their own. */
async function emptyGraph({ NEO4J_URL, NEO4J_USER, NEO4J_PASSWORD }: Record<string, string>): Promise<void> {
  const driver = neo4j.driver(NEO4J_URL!, neo4j.auth.basic(NEO4J_USER!, NEO4J_PASSWORD!));
  await driver.executeQuery("MATCH (n) WHERE NOT n:Migration DETACH DELETE n");
  await driver.close();
}

async function query<T>(environment: Record<string, string>, sql: string, node = 0): Promise<T[]> {
  const url = environment.CLICKHOUSE_URL!.split(",")[node]!;
  const answer = await fetch(`${url}/?database=${environment.CLICKHOUSE_DATABASE}&default_format=JSON`, {
    method: "POST",
    headers: {
      "X-ClickHouse-User": environment.CLICKHOUSE_USER!,
      "X-ClickHouse-Key": environment.CLICKHOUSE_PASSWORD!,
    },
    body: sql,
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return (JSON.parse(text) as { data: T[] }).data;
}

/** After all merges that are due: parts as they will stay. */
async function bytesByTable(environment: Record<string, string>): Promise<Run["bytesByTable"]> {
  const sums: Record<string, Run["bytesByTable"][string]> = {};
  for (const [node] of environment.CLICKHOUSE_URL!.split(",").entries()) {
    const told = await query<{ table: string; r: string; b: string; p: string }>(
      environment,
      `SELECT table, sum(rows) AS r, sum(bytes_on_disk) AS b, sum(data_uncompressed_bytes) AS p FROM system.parts
      WHERE active AND database = currentDatabase() GROUP BY table`,
      node,
    );
    for (const { table, r, b, p } of told) {
      const { rows, bytes, plain } = sums[table] ?? { rows: 0, bytes: 0, plain: 0 };
      sums[table] = { rows: rows + Number(r), bytes: bytes + Number(b), plain: plain + Number(p) };
    }
  }
  return sums;
}
