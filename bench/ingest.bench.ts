// Simulated ZTF nights into an empty archive: our pipeline against avsc and JSONEachRow into the same tables. Run by
// bench/main.
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Packet } from "../domain/packet.js";
import { schemaLookup } from "../ingest/avro/confluent.js";
import { simulate, writeSimulation } from "../ingest/simulator/write.js";
import { openFiles } from "../ingest/sources/files.js";
import { Slabs } from "../ingest/sources/slabs.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { numbers, strings } from "../stores/archive/blocks.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { type EmbeddedService, startEmbeddedService } from "./engine.js";
import { type BenchResult, ratios, residentBytesOf, spread, type Timing, timed } from "./harness.js";
import { openBaseline } from "./ingest.baseline.js";

const OWNER = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };

interface Side extends Timing {
  /** Points of light curves that can be read afterwards, and whether a cutout can. */
  readonly points: number;
  readonly cutout: boolean;
  readonly peakBytes: number;
}

export async function run(smoke: boolean): Promise<BenchResult> {
  const sizes = smoke ? { alerts: 100, rounds: 1 } : { alerts: 10_000, rounds: 3 };
  const folder = await mkdtemp(join(tmpdir(), "tocsin-bench-"));
  try {
    const alerts = simulate({
      seed: "bench",
      nights: 30,
      endJd: 2_460_700.5,
      alerts: new Map([["ZTF", sizes.alerts]]),
    });
    const files = await writeSimulation(folder, alerts, "bench");
    const bytes = (await Promise.all(files.map((file) => stat(file)))).reduce((sum, { size }) => sum + size, 0);
    // Whatever is compiled at first use is compiled before the rounds, on both sides.
    const sides: Record<string, Side[]> = { tocsin: [], "avsc + JSONEachRow": [] };
    if (!smoke) await ours(files.slice(0, 1), null);
    for (let round = 0; round < sizes.rounds; round += 1) {
      sides.tocsin!.push(await ours(files, sizes.alerts));
      sides["avsc + JSONEachRow"]!.push(await baseline(files, sizes.alerts));
    }
    return result(sides, { ...sizes, "bytes a packet": Math.round(bytes / sizes.alerts) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ours(files: readonly string[], alerts: number | null): Promise<Side> {
  const embedded = await startEmbeddedService();
  const side = await taken(embedded, files, alerts).catch(async (error: unknown) => {
    await embedded.close(async () => {});
    throw error;
  });
  return { ...side, points: await embedded.close(points) };
}

async function taken(
  { service, pids }: EmbeddedService,
  files: readonly string[],
  alerts: number | null,
): Promise<Omit<Side, "points">> {
  let peakBytes = 0;
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytesOf([process.pid, ...pids]));
  }, 100);
  const { value, wallSeconds, cpuSeconds } = await timed(() => service.ingest(...files), pids);
  clearInterval(sampling);
  if (alerts !== null && value.stored !== alerts) throw new Error(`${value.stored} of ${alerts} alerts were stored.`);
  const [newest] = await service.services.stores.alerts.page(OWNER, { survey: "ZTF" }, 1, null);
  const cutout = await service.packetReader.cutout(OWNER, "ZTF", newest!.candid, "science");
  return { wallSeconds, cpuSeconds, cutout: cutout !== null, peakBytes };
}

async function baseline(files: readonly string[], alerts: number): Promise<Side> {
  const archive = await startTestArchive();
  try {
    await createArchiveStores(
      archive.client,
      SURVEYS.map(({ description }) => description),
    );
    const taker = await openBaseline(archive);
    let peakBytes = 0;
    const pids = [archive.pid()!];
    const sampling = setInterval(() => {
      peakBytes = Math.max(peakBytes, residentBytesOf([process.pid, ...pids]));
    }, 100);
    const { value, wallSeconds, cpuSeconds } = await timed(() => taker.take(packetsOf(files)), pids);
    clearInterval(sampling);
    await taker.close();
    if (value !== alerts) throw new Error(`${value} of ${alerts} alerts were stored.`);
    const cutout = await one(archive, "SELECT science AS v FROM cutouts ORDER BY candid DESC LIMIT 1");
    return { wallSeconds, cpuSeconds, points: await points(archive), cutout: cutout.length > 0, peakBytes };
  } finally {
    await archive.stop();
  }
}

async function* packetsOf(files: readonly string[]): AsyncGenerator<Packet> {
  const source = await openFiles(files, () => schemaLookup(async () => null), new Slabs());
  for await (const item of source.items()) {
    if ("reason" in item) throw new Error(item.message);
    yield item;
  }
}

const one = async ({ client }: TestArchive, sql: string): Promise<string> => strings(await client.query(sql), "v")[0]!;
async function points({ client }: TestArchive): Promise<number> {
  const sql = "SELECT toFloat64(uniqExact(objectId, kind, pointId)) AS v FROM tellings";
  return numbers(await client.query(sql), "v")[0]!;
}

function result(sides: Record<string, Side[]>, sizes: Readonly<Record<string, number>>): BenchResult {
  const [tocsin, json] = [sides.tocsin!, sides["avsc + JSONEachRow"]!];
  const cpu = ratios(
    json.map(({ cpuSeconds }) => cpuSeconds),
    tocsin.map(({ cpuSeconds }) => cpuSeconds),
  );
  const wall = ratios(
    json.map(({ wallSeconds }) => wallSeconds),
    tocsin.map(({ wallSeconds }) => wallSeconds),
  );
  const retrievable = [...tocsin, ...json].every(({ cutout }) => cutout);
  return {
    name: "ingest",
    sizes,
    rows: Object.entries(sides).map(([side, rounds]) => {
      const rate = spread(rounds.map(({ wallSeconds }) => sizes.alerts! / wallSeconds));
      const perCpu = spread(rounds.map(({ cpuSeconds }) => sizes.alerts! / cpuSeconds));
      return {
        side,
        "alerts/s": rate.median,
        min: rate.min,
        max: rate.max,
        "per CPU-s": perCpu.median,
        "CPU ms per alert": 1000 / perCpu.median,
        points: rounds[0]!.points,
        "peak RSS MB": Math.max(...rounds.map(({ peakBytes }) => peakBytes)) / 2 ** 20,
      };
    }),
    ratios: { "per CPU-second, tocsin / baseline": cpu, "per second, tocsin / baseline": wall },
    goals: [
      {
        text: "at least 5 times the baseline per CPU-second",
        reached: cpu.median.toFixed(2),
        met: cpu.median >= 5,
      },
      { text: "cutouts retrievable", reached: String(retrievable), met: retrievable },
    ],
  };
}
