// A Rubin night on W workers, P partitions, S shards and A API nodes as a discrete-event model: no engines, service times
// from measurements (scale.costs.ts). Used by scale.rubin.bench.ts and its test.
import { random } from "./random.js";
import type { Costs } from "./scale.costs.js";
import { Histogram } from "./scale.histogram.js";
import { Clock, Station } from "./scale.stations.js";

export interface Night {
  readonly seed: number;
  readonly visits: number;
  readonly alertsPerVisit: number;
  readonly visitSeconds: number;
  /** Over which one visit's alerts come in. */
  readonly arrivalSeconds: number;
  readonly packetBytes: number;
  readonly workers: number;
  readonly partitions: number;
  readonly shards: number;
  readonly coresPerShard: number;
  readonly apiNodes: number;
  readonly filters: number;
  readonly hitsPerAlert: number;
  /** Open subscriptions that get a hit. */
  readonly subscribersPerHit: number;
  readonly users: number;
  /** From one query of a user to the next, on the average. */
  readonly secondsBetweenQueries: number;
  readonly failure?: {
    readonly of: "worker" | "shard" | "sequencer";
    readonly atSeconds: number;
    readonly seconds: number;
  };
}

/** What limits a worker; as ingest/intake.ts has it. */
const [BATCH_ALERTS, BATCH_SECONDS, IN_FLIGHT] = [1_000, 0.2, 2];
/** Sequencer and API nodes look for what others wrote. */
const LOOK_SECONDS = 0.2;
/** Kafka gives the partitions of a silent worker to others after this long. */
const REASSIGN_SECONDS = 30;
/** Alerts come in portions of this length. */
const TICK_SECONDS = 0.1;

export interface NightResult {
  readonly arrived: number;
  readonly delivered: number;
  /** Seconds from an alert's arrival at the broker to its hits at the last subscriber. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly most: number };
  /** Parts of the time, up to the end of the last visit, that the servers work. */
  readonly utilisation: Readonly<Record<keyof Costs["classes"], number>>;
  /** Alerts at the broker that nobody has taken yet. */
  readonly mostWaiting: number;
  /** From the end of the failure until as few wait as before it; null without one. */
  readonly caughtUpSeconds: number | null;
  /** Seconds of a query from its arrival to its answer, waiting included. */
  readonly query: { readonly p50: number; readonly p99: number };
  /** Hits that are numbered and not linked in the graph yet, at most. */
  readonly mostUnlinked: number;
}

/** Alerts that came at one moment in one partition. */
interface Portion {
  readonly at: number;
  readonly count: number;
}

interface Batch {
  readonly worker: number;
  readonly partition: readonly number[];
  readonly portions: readonly Portion[];
  readonly alerts: number;
  /** Of the life of the worker that took it. */
  readonly life: number;
}

export function simulateNight(night: Night, costs: Costs): NightResult {
  const clock = new Clock();
  const next = random(night.seed);
  const { workers, partitions, shards, apiNodes, filters, hitsPerAlert } = night;
  const many = (count: number, servers: number) => Array.from({ length: count }, () => new Station(clock, servers));
  const stations = {
    workers: many(workers, 1),
    shards: many(shards, night.coresPerShard),
    sequencer: many(1, 1),
    graph: many(1, 1),
    api: many(apiNodes, 1),
  };
  const queues: Portion[][] = Array.from({ length: partitions }, () => []);
  const alertsIn = new Array<number>(partitions).fill(0);
  const taken = new Set<Batch>();
  const ownerOf = Array.from({ length: partitions }, (_, n) => n % workers);
  const inFlight = new Array<number>(workers).fill(0);
  const dueAt = new Array<number>(workers).fill(Number.POSITIVE_INFINITY);
  const lives = new Array<number>(workers).fill(0);
  const isDown = new Array<boolean>(workers).fill(false);
  const latencies = new Histogram();
  const queries = new Histogram();
  const committed: Batch[] = [];
  const end = night.visits * night.visitSeconds;
  let [arrived, delivered, waiting, mostWaiting, unlinked, mostUnlinked] = [0, 0, 0, 0, 0, 0];
  let [sequencing, waitingBefore] = [false, 0];
  let caughtUpSeconds: number | null = null;
  let failureOver = Number.POSITIVE_INFINITY;

  function arrive(): void {
    const portions = Math.max(1, Math.round(night.arrivalSeconds / TICK_SECONDS));
    for (let visit = 0; visit < night.visits; visit += 1) {
      for (let n = 0; n < portions; n += 1) {
        const count = share(night.alertsPerVisit, portions, n);
        clock.at(visit * night.visitSeconds + n * TICK_SECONDS, () => put(count));
      }
    }
  }

  /** Alerts fall on partitions by chance, as the keys of objects do. */
  function put(count: number): void {
    const counts = new Array<number>(partitions).fill(0);
    for (let n = 0; n < count; n += 1) counts[Math.floor(next() * partitions)]! += 1;
    for (const [partition, some] of counts.entries()) {
      if (some > 0) queues[partition]!.push({ at: clock.now, count: some });
      alertsIn[partition]! += some;
    }
    arrived += count;
    waiting += count;
    mostWaiting = Math.max(mostWaiting, waiting);
    for (let worker = 0; worker < workers; worker += 1) look(worker);
  }

  /** A worker takes a batch when one is full, or has been open for long enough. */
  function look(worker: number): void {
    if (isDown[worker] || inFlight[worker]! >= IN_FLIGHT) return;
    const own = ownerOf.flatMap((owner, partition) => (owner === worker ? [partition] : []));
    const there = own.reduce((sum, partition) => sum + alertsIn[partition]!, 0);
    if (there === 0) return;
    if (dueAt[worker] === Number.POSITIVE_INFINITY) {
      dueAt[worker] = clock.now + BATCH_SECONDS;
      clock.after(BATCH_SECONDS, () => look(worker));
    }
    if (there < BATCH_ALERTS && (clock.now < dueAt[worker]! || inFlight[worker]! > 0)) return;
    dueAt[worker] = Number.POSITIVE_INFINITY;
    take(worker, own);
    look(worker);
  }

  function take(worker: number, own: readonly number[]): void {
    const portions: Portion[] = [];
    const from: number[] = [];
    let alerts = 0;
    for (const partition of own) {
      const queue = queues[partition]!;
      while (queue.length > 0 && alerts < BATCH_ALERTS) {
        const { at, count } = queue.shift()!;
        const some = Math.min(count, BATCH_ALERTS - alerts);
        if (some < count) queue.unshift({ at, count: count - some });
        portions.push({ at, count: some });
        from.push(partition);
        alertsIn[partition]! -= some;
        alerts += some;
      }
    }
    waiting -= alerts;
    if (clock.now >= failureOver && caughtUpSeconds === null && waiting <= waitingBefore) {
      caughtUpSeconds = clock.now - failureOver;
    }
    inFlight[worker]! += 1;
    const batch: Batch = { worker, partition: from, portions, alerts, life: lives[worker]! };
    taken.add(batch);
    const { perBatch, perAlert, perByte } = costs.classes.workers;
    stations.workers[worker]!.submit(perBatch + alerts * (perAlert + night.packetBytes * perByte), () => store(batch));
  }

  /** An insert goes to all shards, each with its part of the rows. */
  function store(batch: Batch): void {
    if (batch.life !== lives[batch.worker]) return;
    const { perBatch, perAlert, perByte } = costs.classes.shards;
    const seconds = perBatch + (batch.alerts / shards) * (perAlert + night.packetBytes * perByte);
    let left = shards;
    for (const station of stations.shards) {
      station.submit(seconds, () => {
        left -= 1;
        if (left === 0) filter(batch);
      });
    }
  }

  function filter(batch: Batch): void {
    const seconds = filters * (costs.filterPerBatch + batch.alerts * costs.filterPerAlert);
    stations.shards[Math.floor(next() * shards)]!.submit(seconds, () => {
      if (batch.life !== lives[batch.worker]) return;
      taken.delete(batch);
      committed.push(batch);
      inFlight[batch.worker]! -= 1;
      look(batch.worker);
      // A single worker numbers its own batches at once; those of others are looked for.
      clock.at(workers === 1 ? clock.now : tickAfter(clock.now), number);
    });
  }

  function number(): void {
    if (sequencing || committed.length === 0) return;
    sequencing = true;
    const batches = committed.splice(0);
    const hits = batches.reduce((sum, { alerts }) => sum + alerts, 0) * hitsPerAlert;
    const { perBatch, perAlert: perHit } = costs.classes.sequencer;
    stations.sequencer[0]!.submit(perBatch + hits * perHit, () => {
      sequencing = false;
      clock.at(apiNodes === 1 && workers === 1 ? clock.now : tickAfter(clock.now), () => deliver(batches, hits));
      unlinked += hits;
      mostUnlinked = Math.max(mostUnlinked, unlinked);
      stations.graph[0]!.submit(hits * costs.classes.graph.perAlert, () => {
        unlinked -= hits;
      });
      number();
    });
  }

  function deliver(batches: readonly Batch[], hits: number): void {
    let left = apiNodes;
    const { perAlert: perDelivery, perBatch: perHit } = costs.classes.api;
    const seconds = hits * (perHit + (night.subscribersPerHit / apiNodes) * perDelivery);
    for (const node of stations.api) {
      node.submit(seconds, () => {
        left -= 1;
        if (left > 0) return;
        for (const { portions } of batches) {
          for (const { at, count } of portions) {
            delivered += count;
            latencies.add(clock.now - at, count);
          }
        }
      });
    }
  }

  function ask(): void {
    const rate = night.users / night.secondsBetweenQueries;
    const at = clock.now - Math.log(1 - next()) / rate;
    if (at > end) return;
    clock.at(at, () => {
      const from = clock.now;
      const node = stations.api[Math.floor(next() * apiNodes)]!;
      const shard = stations.shards[Math.floor(next() * shards)]!;
      const answered = (): void => queries.add(clock.now - from, 1);
      shard.submit(costs.queryShard, () => node.submit(costs.queryApi, answered, false), false);
      ask();
    });
  }

  function fail({ of, atSeconds, seconds }: NonNullable<Night["failure"]>): void {
    clock.at(atSeconds, () => {
      waitingBefore = waiting;
      if (of === "worker") endWorker();
      else stations[of === "shard" ? "shards" : of][0]!.down();
    });
    clock.at(atSeconds + seconds, () => {
      failureOver = clock.now;
      if (waiting <= waitingBefore && of === "worker") caughtUpSeconds = 0;
      if (of === "worker") startWorker();
      else stations[of === "shard" ? "shards" : of][0]!.up();
    });
  }

  /** What it had taken was not committed: it is in its partitions still, for whoever gets them. */
  function endWorker(): void {
    isDown[0] = true;
    lives[0]! += 1;
    inFlight[0] = 0;
    dueAt[0] = Number.POSITIVE_INFINITY;
    for (const batch of [...taken].filter(({ worker }) => worker === 0)) {
      taken.delete(batch);
      for (const [n, portion] of batch.portions.entries()) {
        queues[batch.partition[n]!]!.unshift(portion);
        alertsIn[batch.partition[n]!]! += portion.count;
      }
      waiting += batch.alerts;
    }
    mostWaiting = Math.max(mostWaiting, waiting);
    if (workers > 1) clock.after(REASSIGN_SECONDS, () => assign(1));
  }
  function startWorker(): void {
    isDown[0] = false;
    assign(0);
  }
  function assign(first: 0 | 1): void {
    if (first === 1 && !isDown[0]) return;
    for (let partition = 0; partition < partitions; partition += 1) {
      ownerOf[partition] = first + (partition % (workers - first));
    }
    for (let worker = 0; worker < workers; worker += 1) look(worker);
  }

  arrive();
  if (night.users > 0) ask();
  if (night.failure !== undefined) fail(night.failure);
  clock.run(end);
  const part = (of: readonly Station[]): number =>
    of.reduce((sum, { busy, servers }) => sum + busy / servers, 0) / (of.length * end);
  const utilisation = Object.fromEntries(Object.entries(stations).map(([name, of]) => [name, part(of)]));
  clock.run();
  return {
    arrived,
    delivered,
    latency: { p50: latencies.at(0.5), p99: latencies.at(0.99), most: latencies.at(1) },
    utilisation: utilisation as NightResult["utilisation"],
    mostWaiting,
    caughtUpSeconds,
    query: { p50: queries.at(0.5), p99: queries.at(0.99) },
    mostUnlinked,
  };
}

/** Alerts a second that each class can take in this layout, of what its users leave it. The least breaks first. */
export function capacities(night: Night, costs: Costs): Record<keyof Costs["classes"], number> {
  const { workers, shards, sequencer, graph, api } = costs.classes;
  const { packetBytes: bytes, hitsPerAlert: hits, shards: S } = night;
  const full = (cost: { perBatch: number; perAlert: number; perByte: number }): number =>
    cost.perBatch / BATCH_ALERTS + cost.perAlert + bytes * cost.perByte;
  const filters = night.filters * (costs.filterPerBatch / BATCH_ALERTS + costs.filterPerAlert);
  const asked = night.users / night.secondsBetweenQueries;
  const left = (servers: number, perQuery: number): number => Math.max(0, servers - asked * perQuery);
  const shardSeconds = S * (shards.perBatch / BATCH_ALERTS) + shards.perAlert + bytes * shards.perByte + filters;
  return {
    workers: Math.min(night.workers, night.partitions) / full(workers),
    shards: left(S * night.coresPerShard, costs.queryShard) / shardSeconds,
    sequencer: 1 / (sequencer.perBatch / (night.workers * BATCH_ALERTS) + hits * sequencer.perAlert),
    graph: 1 / (hits * graph.perAlert),
    api:
      left(night.apiNodes, costs.queryApi) /
      (hits * (night.apiNodes * api.perBatch + night.subscribersPerHit * api.perAlert)),
  };
}

const share = (total: number, parts: number, n: number): number =>
  Math.floor((total * (n + 1)) / parts) - Math.floor((total * n) / parts);
const tickAfter = (now: number): number => (Math.floor(now / LOOK_SECONDS) + 1) * LOOK_SECONDS;
