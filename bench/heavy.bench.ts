// What heavy queries of analysts cost ingest and live hits: the same work with and without them, in turn. Run by bench/main.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { nestedPixels } from "../domain/healpix.js";
import { container, packetMaker, simulate, writeSimulation } from "../ingest/simulator/write.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { blockOf, floats, integers, repeated, signed, texts, unsigned } from "../stores/archive/blocks.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import type { HitHub } from "../subscriptions/hub.js";
import type { TestArchive } from "../test/archive.js";
import { until } from "../test/until.js";
import { type BenchedService, startBenchedService } from "./engine.js";
import { type BenchResult, ratios, spread } from "./harness.js";
import { random } from "./random.js";

/** 30 detections and 20 limits an object. */
const [POINTS, DETECTIONS] = [50, 30];
/** Objects lie in a square of the sky about here, some 1,100 in a cone of 1°. */
const [RA, DEC] = [150, 2];
const END_JD = 2_460_700.5;
/** A live stream: so many alerts at once, twice a second. */
const [LIVE_ALERTS, LIVE_MS] = [50, 500];
const UNMEASURED = 2;
const CREATE = `mutation { createFilter(input: { name: "every", survey: ZTF, where: "magpsf < 99" }) { id } }`;

interface Side {
  readonly alertsPerSecond: number;
  /** From the moment that the packets are there to the subscriber's message: ms. */
  readonly p50: number;
  readonly p99: number;
  /** Heavy queries that were answered, and that were turned away or not ready in time. */
  readonly answers: number;
  readonly refused: number;
}

export async function run(smoke: boolean): Promise<BenchResult> {
  const sizes = smoke
    ? { objects: 1_100, analysts: 2, alerts: 100, live: 4, rounds: 1 }
    : { objects: 20_000, analysts: 8, alerts: 3_000, live: 20, rounds: 5 };
  const folder = await mkdtemp(join(tmpdir(), "tocsin-bench-"));
  const benched = await startBenchedService((archive) => fill(archive, sizes.objects));
  const children: ChildProcess[] = [];
  const start = (...of: string[]): ChildProcess => {
    const child = fork(fileURLToPath(new URL("./heavy.clients.js", import.meta.url)), of);
    children.push(child);
    return child;
  };
  try {
    const { createFilter } = await benched.ask<{ createFilter: { id: string } }>(CREATE, {});
    const arrivals: number[] = [];
    const analysts = start("analysts", `${benched.service.url}/graphql`);
    start("subscriber", `${benched.service.url}/graphql`, createFilter.id).on("message", (arrived) => {
      arrivals.push(...(arrived as number[]));
    });
    await until("the subscriber", () => (benched.service.services.hub as HitHub).subscriptions === 1, 60_000);
    const run = { benched, folder, analysts, arrivals, sizes };
    const quiet: Side[] = [];
    const heavy: Side[] = [];
    // The first round warms up what is compiled at run time.
    for (let round = smoke ? 0 : -1; round < sizes.rounds; round += 1) {
      // Which of the two comes first changes: the archive grows meanwhile.
      const order = round % 2 === 0 ? [0, sizes.analysts] : [sizes.analysts, 0];
      for (const running of order) {
        const side = await measure(run, running);
        if (round >= 0) (running === 0 ? quiet : heavy).push(side);
      }
    }
    return result(quiet, heavy, sizes);
  } finally {
    for (const child of children) {
      if (!child.connected) continue;
      child.disconnect();
      await once(child, "exit");
    }
    await benched.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Run {
  readonly benched: BenchedService;
  readonly folder: string;
  readonly analysts: ChildProcess;
  /** When the subscriber had each hit, in their order: ms since 1970. */
  readonly arrivals: readonly number[];
  readonly sizes: { readonly objects: number; readonly alerts: number; readonly live: number };
}

let endJd = END_JD;

async function measure({ benched, folder, analysts, arrivals, sizes }: Run, running: number): Promise<Side> {
  // Nights of their own: else alerts of two rounds would be the same.
  endJd += 100;
  const seed = `until ${endJd}`;
  const nights = (alerts: number) => ({ seed, nights: 30, endJd, alerts: new Map([["ZTF", alerts]]) });
  const files = await writeSimulation(join(folder, seed), simulate(nights(sizes.alerts)), seed);
  const live = simulate({ ...nights(sizes.live * LIVE_ALERTS), endJd: endJd + 50, nights: 3 }).map(packetMaker(seed));
  const control = benched.service.control!;
  const summed = once(analysts, "message");
  if (running > 0) {
    analysts.send({ running, queries: queries(sizes.objects) });
    await delay(500);
  }
  // The stream runs before it is measured, as it does every night.
  const sentAt: number[] = [];
  let due = arrivals.length;
  for (let n = 0; n < sizes.live; n += 1) {
    const bytes = container("ZTF", live.slice(n * LIVE_ALERTS, (n + 1) * LIVE_ALERTS));
    const at = Date.now();
    const { stored } = await control.ingestContainer(bytes, seed);
    due += stored;
    if (n >= UNMEASURED) for (let hit = 0; hit < stored; hit += 1) sentAt.push(at);
    await delay(Math.max(0, LIVE_MS - (Date.now() - at)));
  }
  await until("the hits", () => arrivals.length === due, 60_000);
  const latencies = arrivals
    .slice(due - sentAt.length)
    .map((arrived, hit) => arrived - sentAt[hit]!)
    .sort((a, b) => a - b);
  const from = performance.now();
  const { stored } = await benched.service.ingest(...files);
  const alertsPerSecond = stored / ((performance.now() - from) / 1000);
  await until("the hits", () => arrivals.length === due + stored, 60_000);
  analysts.send({ running: 0, queries: [] });
  const [{ answers, refused }] = (await summed) as [{ answers: number; refused: number }];
  await rm(join(folder, seed), { recursive: true });
  const at = (share: number) => latencies[Math.floor(latencies.length * share)]!;
  return { alertsPerSecond, p50: at(0.5), p99: at(0.99), answers, refused };
}

const idOf = (n: number): string => `ZTF18${n.toString(36).padStart(7, "0")}`;

/** Light curves of 1,000 objects, pages of 1,000 alerts, and cones of 1° with 1,000 objects. */
function queries(objects: number): object[] {
  const next = random(2);
  return Array.from({ length: 30 }, (_, n) => {
    if (n % 3 === 0) {
      const ids = Array.from({ length: 1_000 }, () => idOf(Math.floor(next() * objects)));
      return { query: "curves", variables: { ids: [...new Set(ids)] } };
    }
    if (n % 3 === 1) return { query: "cone", variables: { ra: RA + next(), dec: DEC + next() } };
    const start = `JD ${END_JD - 30 + 20 * next()}`;
    return { query: "page", variables: { where: { survey: "ZTF", time: { start, minutes: 30 * 1_440 } } } };
  });
}

async function fill({ client }: TestArchive, objects: number): Promise<void> {
  await createArchiveStores(
    client,
    SURVEYS.map(({ description }) => description),
  );
  const next = random(1);
  const side = Math.sqrt(objects / 350);
  const ra = Float64Array.from({ length: objects }, () => RA + side * (next() - 0.5));
  const dec = Float64Array.from({ length: objects }, () => DEC + side * (next() - 0.5));
  const ids = Array.from({ length: objects }, (_, n) => idOf(n));
  const healpix = new BigUint64Array(objects);
  nestedPixels(ra, dec, healpix);
  const columns = {
    survey: repeated(objects, "ZTF"),
    objectId: texts(ids),
    programid: integers(new Int32Array(objects).fill(1)),
    jd: floats(new Float64Array(objects).fill(END_JD - 40)),
    candid: signed(BigInt64Array.from({ length: objects }, (_, n) => 2n ** 61n + BigInt(n))),
    ra: floats(ra),
    dec: floats(dec),
  };
  await client.insert("positions", blockOf(objects, { ...columns, healpix: unsigned(healpix) }));
  await client.insert("object_alerts", blockOf(objects, columns));
  const block = Math.min(objects, 10_000);
  for (let from = 0; from < objects; from += block) await points(client, from, Math.min(block, objects - from), next);
}

async function points(client: TestArchive["client"], from: number, objects: number, next: () => number): Promise<void> {
  const rows = objects * POINTS;
  const detected = (row: number): boolean => row % POINTS < DETECTIONS;
  const value = (of: () => number) =>
    floats(Float64Array.from({ length: rows }, (_, row) => (detected(row) ? of() : Number.NaN)));
  await client.insert(
    "tellings",
    blockOf(rows, {
      survey: repeated(rows, "ZTF"),
      objectId: texts(Array.from({ length: rows }, (_, row) => idOf(from + Math.floor(row / POINTS)))),
      kind: integers(Int32Array.from({ length: rows }, (_, row) => (detected(row) ? 1 : 2))),
      pointId: signed(BigInt64Array.from({ length: rows }, (_, row) => BigInt(from * POINTS + row))),
      jd: floats(Float64Array.from({ length: rows }, (_, row) => END_JD - 200 + (row % POINTS) + next())),
      band: texts(Array.from({ length: rows }, (_, row) => "gri"[row % 3]!)),
      programid: integers(new Int32Array(rows).fill(1)),
      magnitude: value(() => 15 + 6 * next()),
      magnitudeError: value(() => 0.01 + next() / 5),
      flux: value(() => 1e5 * next()),
      fluxError: value(() => 1e3 * next()),
    }),
  );
}

function result(quiet: readonly Side[], heavy: readonly Side[], sizes: BenchResult["sizes"]): BenchResult {
  const of = (sides: readonly Side[], key: keyof Side) => sides.map((side) => side[key]);
  const row = (side: string, rounds: readonly Side[]) => ({
    side,
    "alerts/s": spread(of(rounds, "alertsPerSecond")).median,
    "hit p50 ms": spread(of(rounds, "p50")).median,
    "hit p99 ms": spread(of(rounds, "p99")).median,
    "heavy answers a round": spread(of(rounds, "answers")).median,
    refused: spread(of(rounds, "refused")).median,
  });
  const slower = {
    "ingest rate, with / without": ratios(of(heavy, "alertsPerSecond"), of(quiet, "alertsPerSecond")),
    "hit p50, with / without": ratios(of(heavy, "p50"), of(quiet, "p50")),
    "hit p99, with / without": ratios(of(heavy, "p99"), of(quiet, "p99")),
  };
  const rate = slower["ingest rate, with / without"].median;
  const latency = slower["hit p50, with / without"].median;
  return {
    name: "heavy",
    sizes: { ...sizes, "live alerts/s": (LIVE_ALERTS * 1000) / LIVE_MS },
    rows: [row("alone", quiet), row("with heavy queries", heavy)],
    ratios: slower,
    goals: [
      { text: "ingest at most a fifth slower", reached: rate.toFixed(2), met: rate >= 0.8 },
      { text: "live hits at most a fifth later", reached: latency.toFixed(2), met: latency <= 1.2 },
    ],
  };
}
