// The rounds of the benchmark of faults: a victim and a fault by seed, in the middle of the stream; then everything has to
// flow again.
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../ingest/simulator/random.js";
import { BACK, LOST, type OurProcess } from "./faults.processes.js";
import type { AlertStream } from "./faults.stream.js";
import type { Worker, World } from "./faults.world.js";

const FLOWS_MS = 180_000;
/** The stream has run so long when the fault comes. */
const BEFORE_MS = { least: 500, most: 4_000 };
/** Longer than the lease of who numbers hits, and shorter than the others' patience; then longer than that. */
const FREEZES_S = { least: 1, most: 20, overLease: 8 };
const DOWN_MS = 3_000;

/** Whom a hit has reached: all of them must have what is due up to a mark. */
export interface Receiver {
  readonly name: string;
  /** Whether all of these came; those that come later need not be looked at. */
  has(key: string): boolean;
}

export interface Round {
  readonly round: number;
  readonly victim: string;
  readonly fault: string;
  /** From the fault to the moment that it is mended (a killed process: that it answers again). */
  readonly seconds: number;
  /** From then until everybody had what was sent before then; null where that took too long. */
  readonly recovery: number | null;
  readonly seen: string;
}

interface Fault {
  readonly victim: string;
  readonly fault: string;
  run(): Promise<void>;
}

interface Victim {
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

type Made = (world: World, random: Random) => Promise<Fault>;

const freezeSeconds = (random: Random, least = FREEZES_S.least) => random.between(least, FREEZES_S.most);

function killed(victim: string, who: Victim, start: () => Promise<void>, random: Random): Fault {
  const down = random.uniform() * DOWN_MS;
  return {
    victim,
    fault: `kill -9, started after ${(down / 1000).toFixed(1)} s`,
    async run() {
      await who.kill();
      await delay(down);
      await start();
    },
  };
}

function frozen(victim: string, who: Victim, seconds: number): Fault {
  return {
    victim,
    fault: `frozen for ${seconds.toFixed(1)} s`,
    async run() {
      who.freeze();
      await delay(seconds * 1000);
      who.thaw();
    },
  };
}

const kill = (name: string, of: (world: World) => OurProcess): Made => {
  return async (world, random) => killed(name, of(world), () => of(world).start(), random);
};
const killServer = (name: "kafka" | "neo4j" | "clickhouse"): Made => {
  return async (world, random) => killed(TITLES[name], world[name], () => world[name].restart(), random);
};
const freezeServer = (name: "kafka" | "neo4j" | "clickhouse"): Made => {
  return async (world, random) => frozen(TITLES[name], world[name], freezeSeconds(random));
};
const TITLES = { kafka: "Kafka", neo4j: "Neo4j", clickhouse: "ClickHouse" } as const;

/** The worker that numbers, or the other one. */
async function worker(world: World, numbers: boolean): Promise<{ name: string; worker: Worker }> {
  const leader = await world.leader();
  const found = numbers ? (leader ?? world.workers[0]!) : world.workers.find((one) => one !== leader)!;
  return { name: `${found.process.name}${found === leader ? " (numbers)" : ""}`, worker: found };
}

const killWorker = (numbers: boolean): Made => {
  return async (world, random) => {
    const { name, worker: found } = await worker(world, numbers);
    return killed(name, found.process, () => found.process.start(), random);
  };
};
const freezeWorker = (numbers: boolean, least?: number): Made => {
  return async (world, random) => {
    const { name, worker: found } = await worker(world, numbers);
    return frozen(name, found.process, freezeSeconds(random, least));
  };
};
const disturb = (of: "toClickHouse" | "toNeo4j", how: "cut" | "stall"): Made => {
  return async (world, random) => {
    const { name, worker: found } = await worker(world, random.uniform() < 0.7);
    const seconds = freezeSeconds(random);
    return {
      victim: `${name} ${of === "toClickHouse" ? "– ClickHouse" : "– Neo4j"}`,
      fault: `network ${how === "cut" ? "cut" : "stalled"} for ${seconds.toFixed(1)} s`,
      async run() {
        found[of][how]();
        await delay(seconds * 1000);
        found[of].mend();
      },
    };
  };
};

/** Twenty: each at least once in twenty rounds. */
const DECK: readonly Made[] = [
  killWorker(true),
  killWorker(true),
  killWorker(false),
  freezeWorker(true, FREEZES_S.overLease),
  freezeWorker(true, FREEZES_S.overLease),
  freezeWorker(true),
  freezeWorker(false),
  kill("API 1", ({ nodes }) => nodes[0]!),
  kill("API 2", ({ nodes }) => nodes[1]!),
  async (world, random) => frozen("API 1", world.nodes[0]!, freezeSeconds(random)),
  killServer("clickhouse"),
  killServer("clickhouse"),
  freezeServer("clickhouse"),
  killServer("kafka"),
  freezeServer("kafka"),
  killServer("neo4j"),
  freezeServer("neo4j"),
  disturb("toClickHouse", "cut"),
  disturb("toClickHouse", "stall"),
  disturb("toNeo4j", "stall"),
];

export function* deck(random: Random): Generator<Made> {
  for (;;) {
    const cards = [...DECK];
    while (cards.length > 0) yield cards.splice(random.below(cards.length), 1)[0]!;
  }
}

export async function playRound(
  round: number,
  card: Made,
  parts: { world: World; stream: AlertStream; random: Random; receivers: readonly Receiver[]; cuts: () => number },
): Promise<Round> {
  const { world, stream, random, receivers, cuts } = parts;
  await delay(random.between(BEFORE_MS.least, BEFORE_MS.most));
  const { victim, fault, run } = await card(world, random);
  const before = { epoch: await epoch(world), cuts: cuts(), lines: world.processes.map(({ lines }) => lines.length) };
  const crashes = world.processes.flatMap((one) => one.crashes).length;
  const from = performance.now();
  process.stderr.write(`Round ${round}: ${victim}, ${fault}\n`);
  await run();
  const seconds = (performance.now() - from) / 1000;
  const mark = stream.due.length;
  const mended = performance.now();
  const missing = await flows(stream.due, mark, receivers);
  const recovery = missing === null ? (performance.now() - mended) / 1000 : null;
  const after = await epoch(world);
  const seen = [
    ...world.processes.flatMap(({ name, lines }, n) => told(name, lines.slice(before.lines[n]!))),
    ...(after === before.epoch ? [] : [`numbering taken over (epoch ${after})`]),
    ...(cuts() > before.cuts ? [`${cuts() - before.cuts} subscribers came back`] : []),
    ...world.processes.flatMap((one) => one.crashes).slice(crashes),
    ...(missing === null ? [] : [`NOT RECOVERED: ${missing}`]),
  ].join("; ");
  process.stderr.write(`  mended after ${seconds.toFixed(1)} s, flows ${recovery?.toFixed(1)} s later: ${seen}\n`);
  return { round, victim, fault, seconds, recovery, seen };
}

/** Wait until all receivers have what is due up to the mark; what is missing when it takes too long. */
export async function flows(due: readonly string[], mark: number, receivers: readonly Receiver[], withinMs = FLOWS_MS) {
  const deadline = performance.now() + withinMs;
  for (const receiver of receivers) {
    for (let at = 0; at < mark; at += 1) {
      while (!receiver.has(due[at]!)) {
        if (performance.now() > deadline) {
          const left = due.slice(at, mark).filter((key) => !receiver.has(key));
          return `${receiver.name} lacks ${left.length} hits, the first of ${left[0]}`;
        }
        await delay(20);
      }
    }
  }
  return null;
}

async function epoch(world: World): Promise<string> {
  const [row] = await world.rows<{ epoch: string }>("SELECT toString(max(epoch)) AS epoch FROM epochs");
  return row!.epoch;
}

/** How often a process said that something is away, and that it is back. */
function told(name: string, lines: readonly string[]): string[] {
  const lost = lines.filter((line) => LOST.test(line)).length;
  const back = lines.filter((line) => BACK.test(line)).length;
  return lost + back > 0 ? [`${name}: away ${lost}×, back ${back}×`] : [];
}
