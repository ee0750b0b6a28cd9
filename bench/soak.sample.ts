// What a service and its engine hold at a moment: memory, handles, sockets, parts, disk. Read from /proc (Linux), from
// the service's metrics and from its DATA_DIR. Used by soak.bench.ts.
import { execFile } from "node:child_process";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cpuSecondsOf, residentBytesOf } from "./harness.js";

export interface Held {
  readonly serviceRssMb: number;
  readonly engineRssMb: number;
  readonly heapMb: number;
  /** Of objects, in the service's sky index. */
  readonly positions: number;
  readonly serviceHandles: number;
  readonly engineHandles: number;
  /** Of both processes, the subscribers' included. */
  readonly sockets: number;
  /** Parts that no merge has replaced, in all tables. */
  readonly parts: number;
  /** The most in one partition of a table. */
  readonly mostParts: number;
  readonly archiveMb: number;
  readonly packetsMb: number;
  readonly graphMb: number;
  /** user + sys so far. */
  readonly serviceCpuSeconds: number;
  readonly engineCpuSeconds: number;
}

export interface Sample extends Held {
  readonly seconds: number;
  /** Stored since the sample before, per second. */
  readonly alertsPerSecond: number;
  readonly hitsPerSecond: number;
  readonly deliveriesPerSecond: number;
  /** From a packet's sending to its hit at a subscriber, since the sample before; NaN without hits. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
  /** What the sender lags behind its rate. */
  readonly behindAlerts: number;
  readonly load: number;
}

const MB = 2 ** 20;

export interface Watched {
  readonly url: string;
  readonly dataDir: string;
  readonly service: number;
  readonly engine: number;
}

export async function held({ url, dataDir, service, engine }: Watched): Promise<Held> {
  const [metrics, own, others, parts, disk] = await Promise.all([
    metricsOf(url),
    handles(service),
    handles(engine),
    livingParts(join(dataDir, "archive")),
    diskBytes(dataDir),
  ]);
  return {
    serviceRssMb: residentBytesOf([service]) / MB,
    engineRssMb: residentBytesOf([engine]) / MB,
    heapMb: metrics("nodejs_heap_size_used_bytes") / MB,
    positions: metrics("tocsin_sky_index_positions"),
    serviceHandles: own.all,
    engineHandles: others.all,
    sockets: own.sockets + others.sockets,
    ...parts,
    archiveMb: disk("archive") / MB,
    packetsMb: disk("packets") / MB,
    graphMb: (disk("graph.grafeo") + disk("graph.grafeo.wal")) / MB,
    serviceCpuSeconds: cpuSecondsOf([service]),
    engineCpuSeconds: cpuSecondsOf([engine]),
  };
}

async function metricsOf(url: string): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const values = new Map(text.split("\n").map((line) => line.split(" ") as [string, string]));
  return (name) => Number(values.get(name) ?? Number.NaN);
}

async function handles(pid: number): Promise<{ all: number; sockets: number }> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")));
  return { all: names.length, sockets: targets.filter((target) => target.startsWith("socket:")).length };
}

const PART = /^(.+)_(\d+)_(\d+)_(\d+)$/;

/** A part lives until another one of its partition covers its blocks. */
async function livingParts(archive: string): Promise<{ parts: number; mostParts: number }> {
  const { stdout } = await promisify(execFile)("find", [archive, "-name", "columns.txt", "-printf", "%h\n"], {
    maxBuffer: 64 * MB,
  }).catch(({ stdout: found }: { stdout: string }) => ({ stdout: found }));
  const partitions = new Map<string, { from: number; to: number; level: number }[]>();
  for (const line of stdout.split("\n")) {
    const [, partition, from, to, level] = PART.exec(line) ?? [];
    if (partition === undefined || line.includes("/tmp_") || line.includes("/delete_")) continue;
    const part = { from: Number(from), to: Number(to), level: Number(level) };
    partitions.set(partition, [...(partitions.get(partition) ?? []), part]);
  }
  const living = [...partitions.values()].map(
    (all) =>
      all.filter(
        ({ from, to, level }) => !all.some((other) => other.from <= from && other.to >= to && other.level > level),
      ).length,
  );
  return { parts: living.reduce((sum, n) => sum + n, 0), mostParts: Math.max(0, ...living) };
}

/** Files that vanish under du's hands make it fail, with the rest told all the same. */
async function diskBytes(dataDir: string): Promise<(name: string) => number> {
  const { stdout } = await promisify(execFile)("du", ["-a", "-d1", "-B1", dataDir]).catch(
    ({ stdout: told }: { stdout: string }) => ({ stdout: told }),
  );
  const sizes = new Map(
    stdout.split("\n").map((line) => {
      const [bytes, path] = line.split("\t");
      return [path, Number(bytes)];
    }),
  );
  return (name) => sizes.get(join(dataDir, name)) ?? 0;
}
