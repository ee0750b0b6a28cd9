// One ZTF night through the whole path: packets in files, catalogs, features, 25 filters, one live subscriber; then a visit
// of 10,000 alerts at once, and a steady stream. Run by bench/main.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Packet } from "../domain/packet.js";
import { writerSchema } from "../ingest/avro/schema.js";
import { takeIn } from "../ingest/intake.js";
import { simulate, writeSimulation } from "../ingest/simulator/write.js";
import { surveyModule } from "../ingest/surveys/index.js";
import { numbers } from "../stores/archive/blocks.js";
import type { HitHub } from "../subscriptions/hub.js";
import type { TestArchive } from "../test/archive.js";
import { until } from "../test/until.js";
import { type EmbeddedService, startEmbeddedService } from "./engine.js";
import { flameOf } from "./flame.js";
import { type BenchResult, residentBytesOf, spread, timed } from "./harness.js";
import { fillCatalogs } from "./night.catalogs.js";
import { createNightFilters } from "./night.filters.js";
import type { Arrivals } from "./night.subscriber.js";
import { endlessAlerts, type StreamAlert } from "./soak.packets.js";

const END_JD = 2_460_700.5;
/** The steady stream: LSST's mean rate, alerts a second. */
const STEADY_RATE = 333;
/** Of the steady stream, not measured: what is compiled at first use. */
const WARM_SECONDS = 5;
const FILTERS = 25;
const FLAME_TITLE = "A night of alerts, 25 filters, one subscriber: the service's main thread";

interface Sizes {
  readonly warmUp: number;
  readonly alerts: number;
  readonly visit: number;
  readonly steadySeconds: number;
  readonly galaxies: number;
  readonly points: number;
}

/** Options: --galaxies, --points (sources of the two catalogs), --alerts, --visit, --steadySeconds; --flame=FILE.svg. */
export async function run(smoke: boolean, options: Readonly<Record<string, string>> = {}): Promise<BenchResult> {
  const usual: Sizes = smoke
    ? { warmUp: 100, alerts: 200, visit: 100, steadySeconds: 6, galaxies: 2_000, points: 5_000 }
    : { warmUp: 10_000, alerts: 29_000, visit: 10_000, steadySeconds: 35, galaxies: 1_000_000, points: 10_000_000 };
  const { flame, ...numbersGiven } = options;
  const given = Object.entries(numbersGiven).map(([name, value]) => [name, Number(value)]);
  const sizes: Sizes = { ...usual, ...Object.fromEntries(given) };
  const folder = await mkdtemp(join(tmpdir(), "tocsin-bench-"));
  let catalogs: readonly string[] = [];
  const benched = await startEmbeddedService(async (archive) => {
    catalogs = await fillCatalogs(archive, sizes);
  });
  let subscriber: ChildProcess | null = null;
  let measured: Measured;
  try {
    while (!(await inMemory(benched.service.url))) await delay(500);
    const filterIds = await createNightFilters(benched.service.url, FILTERS);
    const arrivals = new Map<string, number>();
    let last = 0;
    let count = 0;
    subscriber = fork(fileURLToPath(new URL("./night.subscriber.js", import.meta.url)), [
      `${benched.service.url}/graphql`,
      ...filterIds,
    ]);
    subscriber.on("message", (told) => {
      for (const [candid, at] of told as Arrivals) {
        arrivals.set(candid, at);
        last = Math.max(last, at);
        count += 1;
      }
    });
    await until("the subscriber", () => (benched.service.services.hub as HitHub).subscriptions === 1, 60_000);
    const world: World = { benched, folder, sizes, arrivals, received: () => count, lastAt: () => last };
    // What is compiled at run time is compiled before the night begins.
    await ingested(world, "warm-up", sizes.warmUp, END_JD - 200);
    const night = await ingested(world, "night", sizes.alerts, END_JD, flame);
    const visit = await ingested(world, "visit", sizes.visit, END_JD + 40);
    const steady = await steadily(world);
    measured = { night, visit, steady };
  } catch (error) {
    await end(async () => {});
    throw error;
  }
  await end((archive) => queryable(archive, measured));
  return result(sizes, catalogs, measured);

  async function end(look: (archive: TestArchive) => Promise<void>): Promise<void> {
    if (subscriber?.connected) {
      subscriber.disconnect();
      await once(subscriber, "exit");
    }
    await rm(folder, { recursive: true, force: true });
    await benched.close(look);
  }
}

/** Both catalogs have been read. */
async function inMemory(url: string): Promise<boolean> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return metrics.split("\n").filter((line) => line.startsWith("tocsin_catalog_memory_bytes{")).length === 2;
}

interface World {
  readonly benched: EmbeddedService;
  readonly folder: string;
  readonly sizes: Sizes;
  /** When the first filter's hit of an alert reached the subscriber. */
  readonly arrivals: ReadonlyMap<string, number>;
  readonly received: () => number;
  readonly lastAt: () => number;
}

interface Pass {
  readonly alerts: number;
  readonly hits: number;
  readonly bytes: number;
  /** First byte read to last hit delivered and everything stored. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  /** Times of the first alert and of the night's end, JD. */
  readonly from: number;
  readonly to: number;
}

interface Measured {
  readonly night: Pass;
  readonly visit: Pass;
  readonly steady: Steady;
}

/** Files of one night into the service; resolves when the subscriber has the last hit. */
async function ingested(world: World, seed: string, alerts: number, endJd: number, flame?: string): Promise<Pass> {
  const { benched, folder } = world;
  const sky = simulate({ seed, nights: 1, endJd, alerts: new Map([["ZTF", alerts]]) });
  const files = await writeSimulation(join(folder, seed), sky, seed);
  const sizes = await Promise.all(files.map((file) => stat(file)));
  const before = world.received();
  const pids = [process.pid, ...benched.pids];
  let peakBytes = 0;
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytesOf(pids));
  }, 100);
  const startedAt = Date.now();
  const { value, cpuSeconds } = await timed(async () => {
    const ingest = () => benched.service.ingest(...files);
    const counts = await (flame === undefined ? ingest() : flameOf(flame, FLAME_TITLE, ingest));
    const endedAt = Date.now();
    await until("the hits", () => world.received() - before >= counts.hits, 120_000);
    return { ...counts, endedAt };
  }, benched.pids);
  clearInterval(sampling);
  if (value.stored !== alerts) throw new Error(`${value.stored} of ${alerts} alerts were stored.`);
  if (world.received() - before !== value.hits) throw new Error(`${value.hits} hits, others were delivered.`);
  await rm(join(folder, seed), { recursive: true });
  return {
    alerts,
    hits: value.hits,
    bytes: sizes.reduce((sum, { size }) => sum + size, 0) / alerts,
    seconds: (Math.max(value.endedAt, world.lastAt()) - startedAt) / 1000,
    cpuSeconds,
    peakBytes,
    from: sky[0]!.measurement.visit.jd,
    to: endJd,
  };
}

/** Every alert is in the archive, committed. */
async function queryable({ client }: TestArchive, { night, visit }: Measured): Promise<void> {
  const sql = `SELECT toFloat64(uniqExact(candid)) AS v FROM alerts_ztf
    WHERE jd >= {from:Float64} AND jd < {to:Float64} AND batch IN (SELECT batch FROM batches)`;
  for (const { alerts, from, to } of [night, visit]) {
    const [stored] = numbers(await client.query(sql, { from, to }), "v");
    if (stored !== alerts) throw new Error(`${stored} of ${alerts} alerts can be read.`);
  }
}

interface Steady {
  /** Milliseconds from the reading of the packet to the subscriber's message, sorted. */
  readonly latencies: readonly number[];
  readonly cpuMillisecondsPerAlert: number;
}

async function steadily({ benched, sizes, arrivals, received }: World): Promise<Steady> {
  const alerts = STEADY_RATE * sizes.steadySeconds;
  const stream = endlessAlerts({ seed: "steady", alerts: new Map([["ZTF", alerts]]), cutoutBytes: null });
  const packets = Array.from({ length: alerts }, () => stream.next());
  const sentAt = new Map<string, number>();
  const before = received();
  const { cpuSeconds } = await timed(async () => {
    const { hits, stored } = await takeIn(inTime(packets, sentAt), benched.service.ingestion!.pipeline);
    if (stored !== alerts) throw new Error(`${stored} of ${alerts} alerts of the steady stream were stored.`);
    await until("the hits", () => received() - before >= hits, 60_000);
  }, benched.pids);
  const latencies = [...arrivals].flatMap(([candid, at]) => {
    const sent = sentAt.get(candid);
    return sent === undefined ? [] : [at - sent];
  });
  return { latencies: latencies.sort((a, b) => a - b), cpuMillisecondsPerAlert: (cpuSeconds * 1000) / alerts };
}

/** Each packet when it is due, as a topic has them; `sentAt` learns when those after the warm-up came. */
async function* inTime(packets: readonly StreamAlert[], sentAt: Map<string, number>): AsyncGenerator<Packet> {
  const schema = writerSchema(surveyModule("ZTF").simulated.schema);
  const startedAt = performance.now();
  for (const [n, { candid, body }] of packets.entries()) {
    const due = (n * 1000) / STEADY_RATE;
    const early = due - (performance.now() - startedAt);
    if (early > 1) await delay(early);
    if (due > WARM_SECONDS * 1000) sentAt.set(String(candid), Date.now());
    yield { bytes: body, schema, origin: { source: "steady", position: `record ${n}` } };
  }
}

function result(sizes: Sizes, catalogs: readonly string[], { night, visit, steady }: Measured): BenchResult {
  const at = (share: number): number =>
    steady.latencies[Math.min(steady.latencies.length - 1, Math.floor(steady.latencies.length * share))] ?? Number.NaN;
  const row = (part: string, pass: Pass) => ({
    part,
    alerts: pass.alerts,
    "KB a packet": pass.bytes / 1000,
    hits: pass.hits,
    seconds: pass.seconds,
    "alerts/s": pass.alerts / pass.seconds,
    "CPU ms an alert": (pass.cpuSeconds * 1000) / pass.alerts,
    "peak RSS MB": pass.peakBytes / 2 ** 20,
  });
  const alertsPerSecond = night.alerts / night.seconds;
  const peakRssBytes = Math.max(night.peakBytes, visit.peakBytes);
  const hitLatencyMs = { p50: at(0.5), p99: at(0.99) };
  return {
    name: "night",
    sizes: { ...sizes, filters: FILTERS, catalogs: catalogs.join(", ") || "none" },
    rows: [row("night", night), row("visit", visit)],
    ratios: {
      "hit latency at 333 alerts/s, ms": spread(steady.latencies.length > 0 ? steady.latencies : [Number.NaN]),
    },
    goals: [
      {
        text: "3,000 alerts/s",
        reached: alertsPerSecond.toFixed(0),
        met: alertsPerSecond >= 3_000,
      },
      { text: "a visit delivered within 5 s", reached: `${visit.seconds.toFixed(1)} s`, met: visit.seconds <= 5 },
      {
        text: "hits at 333 alerts/s: p50 at most 300 ms, p99 at most 800 ms",
        reached: `${hitLatencyMs.p50} and ${hitLatencyMs.p99} ms`,
        met: hitLatencyMs.p50 <= 300 && hitLatencyMs.p99 <= 800,
      },
      {
        text: "at most 3 GB",
        reached: `${(peakRssBytes / 1e9).toFixed(2)} GB`,
        met: peakRssBytes <= 3e9,
      },
    ],
    figures: {
      alertsPerSecond,
      cpuMillisecondsPerAlert: (night.cpuSeconds * 1000) / night.alerts,
      hitLatencyMs,
      peakRssBytes,
      steadyCpuMillisecondsPerAlert: steady.cpuMillisecondsPerAlert,
    },
  };
}
