// Several ClickHouse servers as one cluster: Distributed tables reach all of them, copies are written by whoever inserts
// (the library has no Keeper). Called by commands.ts, tests and bench/.
import { join } from "node:path";
import { type Memory, type Running, remembered, type ServerOptions } from "./background.js";
import { CLICKHOUSE_USER, clickHouseSettings, launchClickHouse, newPassword } from "./clickhouse.js";
import { freePorts } from "./ports.js";

const NAME = "tocsin";

export interface ClusterOptions extends ServerOptions {
  /** Default 2. A folder keeps the numbers with which it was first started. */
  readonly shards?: number;
  /** Copies of each shard, default 2. */
  readonly replicas?: number;
}

export interface Cluster extends Running {
  /** Shard by shard: s1r1, s1r2, s2r1, s2r2. */
  readonly nodes: readonly Running[];
}

interface Place {
  readonly name: string;
  readonly shard: number;
  readonly replica: number;
  readonly port: number;
  readonly tcpPort: number;
}

/**
 * Start a cluster in this folder, or what is missing of it, and wait until all its servers answer.
 * @throws TocsinError ENGINE_UNSUPPORTED, ENGINE_UNAVAILABLE.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { folder, tell = () => {}, shards = 2, replicas = 2 } = options;
  // Each node remembers the whole cluster, so that any of them is enough to find the others' ports.
  const memory = remembered(join(folder, "s1r1")) ?? (await newMemory(shards, replicas));
  const places = placesOf(memory);
  const password = String(memory.password);
  const nodes = await Promise.all(
    places.map((place) =>
      launchClickHouse({
        ...place,
        folder: join(folder, place.name),
        tell,
        memory,
        password,
        elements: clusterElements(place, places, password),
      }),
    ),
  );
  const ports = places.map(({ port }) => port);
  return together(nodes, { ...clickHouseSettings(ports, password), CLICKHOUSE_CLUSTER: NAME });
}

async function newMemory(shards: number, replicas: number): Promise<Memory> {
  const ports = (await freePorts(2 * shards * replicas)).join();
  return { shards, replicas, ports, password: newPassword() };
}

function placesOf(memory: Memory): Place[] {
  const replicas = Number(memory.replicas);
  const ports = String(memory.ports).split(",").map(Number);
  return Array.from({ length: Number(memory.shards) * replicas }, (_, i) => {
    const [shard, replica] = [1 + Math.floor(i / replicas), 1 + (i % replicas)];
    return { name: `s${shard}r${replica}`, shard, replica, port: ports[2 * i]!, tcpPort: ports[2 * i + 1]! };
  });
}

function clusterElements(own: Place, places: readonly Place[], password: string): string {
  const login = `<user>${CLICKHOUSE_USER}</user><password>${password}</password>`;
  const shards = [...new Set(places.map(({ shard }) => shard))].map((shard) => {
    const replicas = places
      .filter((place) => place.shard === shard)
      .map(({ tcpPort }) => `<replica><host>127.0.0.1</host><port>${tcpPort}</port>${login}</replica>`);
    return `<shard><internal_replication>false</internal_replication>${replicas.join("")}</shard>`;
  });
  return [
    `<macros><cluster>${NAME}</cluster><shard>${own.shard}</shard><replica>${own.name}</replica></macros>`,
    `<remote_servers><${NAME}>${shards.join("")}</${NAME}></remote_servers>`,
    // Without it background inserts into Distributed tables are acknowledged and never sent.
    "<background_distributed_schedule_pool_size>4</background_distributed_schedule_pool_size>",
  ].join("");
}

function together(nodes: readonly Running[], settings: Record<string, string>): Cluster {
  const all = async (work: (node: Running) => Promise<void>): Promise<void> => {
    await Promise.all(nodes.map(work));
  };
  return {
    name: "cluster",
    settings,
    nodes,
    get pids() {
      return nodes.flatMap(({ pids }) => pids);
    },
    stop: () => all((node) => node.stop()),
    kill: () => all((node) => node.kill()),
    freeze: () => nodes.forEach((node) => void node.freeze()),
    thaw: () => nodes.forEach((node) => void node.thaw()),
    restart: () => all((node) => node.restart()),
  };
}
