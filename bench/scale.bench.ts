// More partitions, more workers, more ClickHouse servers: what an alert costs each class of process. On one machine
// throughput cannot grow with them; the CPU per alert shows what each step adds. Run by bench/main:
// `npm run bench -- scale [--alerts=4000]`.
import { startClickHouse } from "../cli/servers/clickhouse.js";
import { startCluster } from "../cli/servers/cluster.js";
import { startKafka } from "../cli/servers/kafka.js";
import { startNeo4j } from "../cli/servers/neo4j.js";
import { container, packetMaker, simulate } from "../ingest/simulator/write.js";
import { type BenchResult, spread } from "./harness.js";
import { Place } from "./load.place.js";
import { CLASSES, type Layout, measureLayout, type Run } from "./scale.run.js";
import { measureSequencer } from "./scale.sequencer.js";
import { endlessAlerts } from "./soak.packets.js";

/** Workers and partitions, on one ClickHouse server. */
const WORKERS: readonly Pick<Layout, "workers" | "partitions">[] = [
  { workers: 1, partitions: 1 },
  { workers: 1, partitions: 6 },
  { workers: 2, partitions: 2 },
  { workers: 2, partitions: 6 },
  { workers: 3, partitions: 6 },
];
/** Shards and copies of each, with two workers on six partitions. */
const CLUSTERS: readonly Pick<Layout, "shards" | "replicas">[] = [
  { shards: 1, replicas: 1 },
  { shards: 2, replicas: 1 },
  { shards: 4, replicas: 1 },
  { shards: 2, replicas: 2 },
];

export async function run(smoke: boolean, options: Readonly<Record<string, string>> = {}): Promise<BenchResult> {
  const alerts = Number(options.alerts ?? (smoke ? 60 : 4_000));
  const rounds = Number(options.rounds ?? (smoke ? 1 : 2));
  const place = await Place.make("scale");
  try {
    const [kafka, neo4j] = await Promise.all([place.server("kafka", startKafka), place.server("neo4j", startNeo4j)]);
    const values = packets(alerts);
    const runs: Run[] = [];
    const clickhouse = await place.server("clickhouse", startClickHouse);
    const on = { place, kafka, neo4j, values };
    const measured = async (...given: Parameters<typeof measureLayout>): Promise<void> => {
      const run = await measureLayout(...given);
      process.stderr.write(`${JSON.stringify(run)}\n`);
      runs.push(run);
    };
    for (let round = 0; round < rounds; round += 1) {
      for (const layout of smoke ? WORKERS.slice(0, 1) : WORKERS) {
        await measured({ ...on, clickhouse }, { ...layout, shards: 0, replicas: 1 });
      }
    }
    // What a byte of packet costs: the same alerts, the cutouts cut short.
    const small = smallPackets(alerts);
    for (let round = 0; round < rounds; round += 1) {
      await measured({ ...on, clickhouse, values: small }, { ...WORKERS[0]!, shards: 0, replicas: 1 });
    }
    const sequencer = await measureSequencer(clickhouse, smoke ? 200 : 50_000);
    await clickhouse.stop();
    const failed: string[] = [];
    for (const cluster of smoke ? CLUSTERS.slice(1, 2) : CLUSTERS) {
      const { shards, replicas } = cluster;
      try {
        const nodes = await place.server(`cluster-${shards}-${replicas}`, (given) =>
          startCluster({ ...given, ...cluster }),
        );
        for (let round = 0; round < rounds; round += 1) {
          await measured({ ...on, clickhouse: nodes }, { workers: 2, partitions: 6, ...cluster });
        }
        await nodes.stop();
      } catch (error) {
        // The other layouts have been measured all the same.
        process.stderr.write(`${(error as Error).stack}\n`);
        failed.push(`${shards} × ${replicas}: ${(error as Error).message}`);
      }
    }
    return result(runs, { alerts, rounds }, sequencer, failed);
  } finally {
    await place.close();
  }
}

/** Container files of one ZTF packet each, as the survey sends them. */
function packets(alerts: number): Buffer[] {
  const packet = packetMaker("scale");
  const sky = simulate({ seed: "scale", nights: 20, endJd: 2_461_000.5, alerts: new Map([["ZTF", alerts]]) });
  return sky.map((alert) => container("ZTF", [packet(alert)]));
}

function smallPackets(alerts: number): Buffer[] {
  const stream = endlessAlerts({ seed: "scale", alerts: new Map([["ZTF", alerts]]), cutoutBytes: 100 });
  return Array.from({ length: alerts }, () => container("ZTF", [stream.next()]));
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

function result(
  runs: readonly Run[],
  sizes: BenchResult["sizes"],
  sequencer: Awaited<ReturnType<typeof measureSequencer>>,
  failed: readonly string[],
): BenchResult {
  const layouts = [...new Set(runs.map(({ name }) => name))];
  const of = (name: string) => runs.filter((run) => run.name === name);
  const rows = layouts.map((name) => {
    const median = (value: (run: Run) => number): number => spread(of(name).map(value)).median;
    const { layout, bytesPerMessage } = of(name)[0]!;
    return {
      workers: layout.workers,
      partitions: layout.partitions,
      "KiB a message": bytesPerMessage / 1024,
      ClickHouse: layout.shards === 0 ? "1 server" : `${layout.shards} × ${layout.replicas}`,
      "alerts/s": median(({ alertsPerSecond }) => alertsPerSecond),
      ...Object.fromEntries(CLASSES.map((name) => [`${name}, CPU ms an alert`, median(({ cpuMs }) => cpuMs[name])])),
      "all, CPU ms an alert": median(({ cpuMs }) => sum(Object.values(cpuMs))),
      "alerts a batch": median(({ alertsPerBatch }) => alertsPerBatch),
      load: median(({ load }) => load),
    };
  });
  const uneven = runs.filter(({ stored, numbered, hits }) => stored !== Number(sizes.alerts) || numbered !== hits);
  const faults = [...uneven.map(({ name }) => name), ...failed];
  const whole = faults.length === 0;
  return {
    name: "scale",
    sizes,
    rows,
    ratios: {},
    goals: [
      {
        text: "every alert stored once and every hit numbered, in every layout",
        reached: whole ? "yes" : faults.join("; "),
        met: whole,
      },
    ],
    figures: { runs, sequencer, bytesByTable: runs.find(({ layout }) => layout.shards === 0)!.bytesByTable },
  };
}
