// A hundred users at once on one API node and on two behind one address, on real servers, and on one embedded service.
// Run by bench/main: `npm run bench -- load [--users=100] [--seconds=15]`.
import pino from "pino";
import { sendContainer } from "../cli/control.js";
import { startService } from "../cli/serve.js";
import { startClickHouse } from "../cli/servers/clickhouse.js";
import { startNeo4j } from "../cli/servers/neo4j.js";
import { freePorts } from "../cli/servers/ports.js";
import { readSettings } from "../cli/settings.js";
import { container, packetMaker, simulate } from "../ingest/simulator/write.js";
import { surveyModule } from "../ingest/surveys/index.js";
import { childrenOf } from "../test/process.js";
import { ask } from "../test/service.js";
import { Cable } from "./faults.cable.js";
import { type BenchResult, cpuSecondsOf, ratios, spread } from "./harness.js";
import { Place } from "./load.place.js";
import type { Asked, Kind } from "./load.queries.js";
import { type Load, loadWith } from "./load.users.js";

const FILTERS = ["drb > 0.8 and isPositive and magpsf < 19.5", "ssdistnr between 0 and 12", "magpsf < 99"];
const CREATE = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }";
const IN_CONTAINER = 500;

interface Side {
  readonly name: string;
  readonly url: string;
  readonly asked: Asked;
  /** Our processes, and the engines'. */
  readonly nodes: readonly number[];
  readonly engines: readonly number[];
}

interface Round extends Load {
  readonly nodeCpuMs: number;
  readonly engineCpuMs: number;
}

export async function run(smoke: boolean, options: Readonly<Record<string, string>> = {}): Promise<BenchResult> {
  const usual = smoke
    ? { alerts: 400, users: 10, seconds: 1, rounds: 1 }
    : { alerts: 20_000, users: 100, seconds: 15, rounds: 3 };
  const sizes = {
    ...usual,
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, Number(value)])),
  };
  const place = await Place.make("load");
  try {
    const batches = containers(sizes.alerts);
    const sides = [...(await onServers(place, batches)), await embedded(place, batches)];
    const rounds = new Map<string, Round[]>(sides.map(({ name }) => [name, []]));
    for (const side of sides) await loadWith(sizes.users, Math.min(5, sizes.seconds), side.url, side.asked);
    for (let round = 0; round < sizes.rounds; round += 1) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed())
        rounds.get(side.name)!.push(await measure(side, sizes));
    }
    return result(rounds, sizes);
  } finally {
    await place.close();
  }
}

async function measure(
  { url, asked, nodes, engines }: Side,
  sizes: { users: number; seconds: number },
): Promise<Round> {
  const before = [cpuSecondsOf(nodes), cpuSecondsOf(engines)] as const;
  const load = await loadWith(sizes.users, sizes.seconds, url, asked);
  const per = (seconds: number): number => (1000 * seconds) / load.answers;
  return {
    ...load,
    nodeCpuMs: per(cpuSecondsOf(nodes) - before[0]),
    engineCpuMs: per(cpuSecondsOf(engines) - before[1]),
  };
}

interface Batch {
  readonly survey: string;
  readonly bytes: Buffer;
  readonly objects: Asked["objects"];
}

/** Four fifths ZTF, a fifth Rubin, whole packets. */
function containers(alerts: number): Batch[] {
  const packet = packetMaker("load");
  const counts = new Map([
    ["ZTF", Math.round(alerts * 0.8)],
    ["LSST", Math.round(alerts * 0.2)],
  ]);
  const sky = simulate({ seed: "load", nights: 20, endJd: 2_461_000.5, alerts: counts });
  return [...counts.keys()].flatMap((survey) => {
    const own = sky.filter((alert) => alert.survey === survey);
    return Array.from({ length: Math.ceil(own.length / IN_CONTAINER) }, (_, n) => {
      const part = own.slice(n * IN_CONTAINER, (n + 1) * IN_CONTAINER);
      const { simulated } = surveyModule(survey);
      const objects = part.map((alert) => {
        return { survey, objectId: simulated.objectId(alert), ra: alert.source.ra, dec: alert.source.dec };
      });
      return { survey, bytes: container(survey, part.map(packet)), objects };
    });
  });
}

async function onServers(place: Place, batches: readonly Batch[]): Promise<Side[]> {
  const [clickhouse, neo4j] = await Promise.all([
    place.server("clickhouse", startClickHouse),
    place.server("neo4j", startNeo4j),
  ]);
  const servers = { ...clickhouse.settings, ...neo4j.settings, LOG_LEVEL: "info", TRUST_PROXY: "1" };
  const ports = await freePorts(2);
  const nodes = ports.map((port, n) =>
    place.ours(`API ${n + 1}`, { ...servers, TOCSIN_ROLE: "serve", PORT: `${port}` }),
  );
  await nodes[0]!.start();
  const filterIds = await createFilters(`http://127.0.0.1:${ports[0]}`);
  const worker = await startService(
    readSettings({
      ...servers,
      TOCSIN_ROLE: "ingest",
      PORT: "0",
      DATA_DIR: place.dataDir("worker"),
      LOG_LEVEL: "error",
    }),
    pino({ level: "error" }),
  );
  try {
    for (const { bytes } of batches) await worker.control!.ingestContainer(bytes, "load");
  } finally {
    await worker.close();
  }
  await nodes[1]!.start();
  const front = async (targets: readonly number[]): Promise<string> => {
    const cable = new Cable(targets);
    place.closing(() => cable.close());
    return `http://127.0.0.1:${await cable.open()}`;
  };
  const asked = { objects: batches.flatMap(({ objects }) => objects), filterIds };
  const engines = [...clickhouse.pids, ...neo4j.pids];
  return [
    { name: "1 node on servers", url: await front(ports.slice(0, 1)), asked, nodes: [nodes[0]!.pid!], engines },
    { name: "2 nodes on servers", url: await front(ports), asked, nodes: nodes.map(({ pid }) => pid!), engines },
  ];
}

async function embedded(place: Place, batches: readonly Batch[]): Promise<Side> {
  const [port] = await freePorts(1);
  const service = place.ours("embedded", { PORT: `${port}`, TRUST_PROXY: "1" });
  await service.start();
  const url = `http://127.0.0.1:${port}`;
  const filterIds = await createFilters(url);
  for (const { bytes } of batches) await sendContainer(place.dataDir("embedded"), bytes, "load");
  const cable = new Cable([port!]);
  place.closing(() => cable.close());
  return {
    name: "embedded",
    url: `http://127.0.0.1:${await cable.open()}`,
    asked: { objects: batches.flatMap(({ objects }) => objects), filterIds },
    nodes: [service.pid!],
    engines: childrenOf(service.pid!),
  };
}

async function createFilters(url: string): Promise<string[]> {
  const ids: string[] = [];
  for (const where of FILTERS) {
    const input = { name: where, survey: "ZTF", where };
    ids.push((await ask<{ createFilter: { id: string } }>(url, CREATE, { input })).createFilter.id);
  }
  return ids;
}

function result(rounds: ReadonlyMap<string, readonly Round[]>, sizes: Readonly<Record<string, number>>): BenchResult {
  const kinds: readonly Kind[] = ["object", "alerts", "cone", "hits"];
  const rows = [...rounds].map(([side, all]) => {
    const of = (value: (round: Round) => number): number => spread(all.map(value)).median;
    return {
      side,
      "requests/s": of(({ requestsPerSecond }) => requestsPerSecond),
      "p50 ms": of(({ p50 }) => p50),
      "p99 ms": of(({ p99 }) => p99),
      ...Object.fromEntries(kinds.map((kind) => [`${kind} p50 ms`, of((round) => round.kinds[kind].p50)])),
      "node CPU ms": of(({ nodeCpuMs }) => nodeCpuMs),
      "engine CPU ms": of(({ engineCpuMs }) => engineCpuMs),
      "KiB an answer": of(({ bytesPerAnswer }) => bytesPerAnswer / 1024),
      answers: all.reduce((sum, { answers }) => sum + answers, 0),
      failures: told(all),
    };
  });
  const rates = [...rounds.values()].map((all) => all.map(({ requestsPerSecond }) => requestsPerSecond));
  const [one, two, alone] = [rates[0]!, rates[1]!, rates[2]!];
  const bad = [...rounds.values()].flat().flatMap(({ failures }) => Object.keys(failures));
  const unexpected = bad.filter((code) => !/^(503 OVERLOADED|429 RATE_LIMITED)$/.test(code));
  return {
    name: "load",
    sizes,
    rows,
    ratios: {
      "requests/s, 2 nodes / 1": ratios(two, one),
      "requests/s, embedded / 1 node on servers": ratios(alone, one),
    },
    goals: [
      {
        text: "every request is answered, or turned away with 429 or 503",
        reached: unexpected.length === 0 ? "yes" : [...new Set(unexpected)].join(),
        met: unexpected.length === 0,
      },
    ],
    figures: { rounds: Object.fromEntries(rounds) },
  };
}

function told(rounds: readonly Round[]): string {
  const sums: Record<string, number> = {};
  for (const { failures } of rounds) {
    for (const [code, count] of Object.entries(failures)) sums[code] = (sums[code] ?? 0) + count;
  }
  const parts = Object.entries(sums).map(([code, count]) => `${count} × ${code}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}
