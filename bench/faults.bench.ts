// Faults in the middle of a stream: rounds of kill -9, freezes and cut networks under two workers, two API nodes and real
// servers, with subscribers and Kafka consumers; then everything is compared with the truth. Run by bench/main.
import { mkdirSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { createRandom } from "../ingest/simulator/random.js";
import { HitFollower, startCursor } from "../test/follower.js";
import { FILTERS } from "../test/truefilters.js";
import { type Check, compareAll, holds, type Subject } from "./faults.compare.js";
import { TopicReader } from "./faults.readers.js";
import { writeBlock } from "./faults.report.js";
import { deck, flows, playRound, type Receiver, type Round } from "./faults.rounds.js";
import { AlertStream } from "./faults.stream.js";
import { askPatiently, startWorld, type World } from "./faults.world.js";
import { type BenchResult, spread } from "./harness.js";

const RESULTS = "bench/results";
const LOG = `${RESULTS}/faults.log`;
/** What the stream is spread over: a round takes about as long. */
const ROUND_SECONDS = 25;
const AT_MOST_PER_SECOND = 80;
const SETTLE_MS = 300_000;
const OUTAGES_END_MS = 60_000;
/** Filters whose hits are published. */
const STREAMS: Readonly<Record<string, "JSON" | "AVRO">> = {
  "every ZTF alert": "JSON",
  "strong Rubin sources": "AVRO",
};

export async function run(smoke: boolean, options: Readonly<Record<string, string>> = {}): Promise<BenchResult> {
  const rounds = Number(options.rounds ?? (smoke ? 3 : 20));
  const alerts = Number(options.alerts ?? (smoke ? 600 : 20_000));
  const seed = options.seed ?? "faults";
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(LOG, "");
  const world = await startWorld(LOG);
  const end = () => void world.close().finally(() => process.exit(1));
  process.once("SIGINT", end).once("SIGTERM", end);
  const over = new AbortController();
  try {
    const stream = new AlertStream(seed, alerts, world.kafka.settings.KAFKA_BROKERS!, `${RESULTS}/faults.truth.jsonl`);
    await stream.createTopics();
    const subject = await subscribed(world, stream);
    const receivers = receiversOf(subject);
    const random = createRandom(`${seed} rounds`);
    const cards = deck(random);
    const played: Round[] = [];
    const paced = (left: number) => {
      stream.perSecond = Math.min(AT_MOST_PER_SECOND, stream.left / Math.max(1, left) / ROUND_SECONDS);
    };
    paced(rounds);
    const streaming = stream.run(over.signal);
    const cuts = () => [...subject.followers.values()].reduce((sum, follower) => sum + follower.cuts, 0);
    for (let round = 1; round <= rounds; round += 1) {
      played.push(await playRound(round, cards.next().value!, { world, stream, random, receivers, cuts }));
      paced(rounds - round);
    }
    stream.perSecond = AT_MOST_PER_SECOND;
    await streaming;
    const missing = await flows(stream.due, stream.due.length, receivers, SETTLE_MS);
    process.stderr.write(`All is sent. ${missing ?? "Every hit has arrived everywhere."}\n`);
    const outages = await openOutages(world);
    // In good order: what they still had in hand is done then, and nothing comes later.
    await Promise.all(world.workers.map(({ process }) => process.stop()));
    const { checks, readBy } = await compareAll(subject);
    for (const follower of subject.followers.values()) await follower.stop();
    await subject.live.stop();
    return result({ world, seed, rounds, alerts, played, checks, readBy, stream, outages });
  } finally {
    over.abort();
    process.off("SIGINT", end).off("SIGTERM", end);
    await world.close();
  }
}

/** The filters, and everybody who hears of their hits, before the first alert. */
async function subscribed(world: World, stream: AlertStream): Promise<Subject> {
  const filters = new Map<string, string>();
  const topics = new Map<string, string>();
  const mutation = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id stream { topic } } }";
  for (const { passes: _, ...input } of FILTERS) {
    const format = STREAMS[input.name];
    const { createFilter } = await askPatiently<{ createFilter: { id: string; stream: { topic: string } | null } }>(
      world.front,
      mutation,
      { input: { ...input, ...(format !== undefined && { stream: { format } }) } },
    );
    filters.set(input.name, createFilter.id);
    if (createFilter.stream !== null) topics.set(input.name, createFilter.stream.topic);
  }
  // Workers look for changed filters each second.
  await delay(3_000);
  const ids = [...filters.values()];
  const after = await startCursor(world.front, ids);
  const places = { "by the one address, 1": world.front, "by the one address, 2": world.front } as Record<
    string,
    string
  >;
  for (const [n, url] of world.urls.entries()) places[`of API ${n + 1}`] = url;
  const followers = new Map(
    Object.entries(places).map(([name, url]) => [name, new HitFollower(() => url, ids, after)]),
  );
  const live = new TopicReader(world.kafka.settings.KAFKA_BROKERS!, [...topics.values()]);
  return { world, stream, filters, topics, followers, live };
}

function receiversOf({ filters, topics, followers, live }: Subject): Receiver[] {
  const nameOf = new Map([...filters].map(([name, id]) => [id, name]));
  const receivers = [...followers].map(([name, { seen }]): Receiver => {
    const keys = new Set<string>();
    let looked = 0;
    return {
      name: `subscriber ${name}`,
      has(key) {
        for (; looked < seen.length; looked += 1) {
          keys.add(`${nameOf.get(seen[looked]!.filterId)} ${seen[looked]!.alert.candid}`);
        }
        return keys.has(key);
      },
    };
  });
  const filterOf = new Map([...topics].map(([name, topic]) => [topic, name]));
  const keys = new Set<string>();
  let looked = 0;
  const reader: Receiver = {
    name: "reader of the topics",
    has(key) {
      if (live.seen.size > looked) {
        for (const { topic, candid } of live.seen.values()) keys.add(`${filterOf.get(topic)} ${candid}`);
        looked = live.seen.size;
      }
      return keys.has(key) || ![...topics.keys()].some((name) => key.startsWith(`${name} `));
    },
  };
  return [...receivers, reader];
}

interface Outcome {
  readonly world: World;
  readonly seed: string;
  readonly rounds: number;
  readonly alerts: number;
  readonly played: readonly Round[];
  readonly checks: readonly Check[];
  readonly readBy: string;
  readonly stream: AlertStream;
  /** Processes that told of an outage and not of its end. */
  readonly outages: readonly string[];
}

async function openOutages({ processes }: World): Promise<string[]> {
  const deadline = performance.now() + OUTAGES_END_MS;
  const open = () => processes.filter((one) => one.openOutages !== 0).map(({ name }) => name);
  while (open().length > 0 && performance.now() < deadline) await delay(100);
  return open();
}

function result({ world, seed, rounds, alerts, played, checks, readBy, stream, outages }: Outcome): BenchResult {
  const crashes = world.processes.flatMap((one) => one.crashes);
  const late = played.filter(({ recovery }) => recovery === null);
  const lost = checks.reduce((sum, check) => sum + check.lost, 0);
  const doubled = checks.reduce((sum, check) => sum + check.doubled, 0);
  const bad = checks.filter((check) => !holds(check));
  for (const { what, wrong } of bad) process.stderr.write(`${what}: ${wrong.join("; ")}\n`);
  const verdict = `${lost} lost, ${doubled} doubled`;
  const sizes = { seed, rounds, alerts, ...stream.counts, "topics read by": `kafkajs, ${readBy}` };
  const { seed: _, ...shown } = sizes;
  if (rounds >= 20) writeBlock("docs/reliability.md", { seed, sizes: shown, rounds: played, checks, verdict });
  return {
    name: "faults",
    sizes,
    rows: checks.map(({ wrong, ...counts }) => ({ ...counts, wrong: wrong.slice(0, 3).join("; ") })),
    ratios: { "seconds until everything flows again": spread(played.map(({ recovery }) => recovery ?? Infinity)) },
    goals: [
      { text: "0 lost, 0 doubled", reached: verdict, met: bad.length === 0 },
      { text: "everything flows again after each round", reached: `${late.length} did not`, met: late.length === 0 },
      { text: "every outage has ended", reached: outages.join() || "all", met: outages.length === 0 },
      { text: "no process ends by itself", reached: crashes.join("; ") || "none", met: crashes.length === 0 },
    ],
    figures: { rounds: played },
    mustMeet: true,
  };
}
