// What the load model says of Rubin nights on several layouts, with failures and with many users: no engines run. Run by
// bench/main: `npm run bench -- rubin`.
import type { BenchResult } from "./harness.js";
import { SERVERS } from "./scale.costs.js";
import { capacities, type Night, simulateNight } from "./scale.model.js";

/** 10,000 alerts every 39 s, as they leave the alert production within some seconds of each other; Rubin's real packet. */
const RUBIN: Night = {
  seed: 1,
  visits: 60,
  alertsPerVisit: 10_000,
  visitSeconds: 39,
  arrivalSeconds: 10,
  packetBytes: 139_000,
  workers: 4,
  partitions: 24,
  shards: 2,
  coresPerShard: 8,
  apiNodes: 2,
  filters: 25,
  hitsPerAlert: 0.3,
  subscribersPerHit: 4,
  users: 100,
  secondsBetweenQueries: 30,
};

const FAILURE = { atSeconds: 400, seconds: 600 };

/** Each differs from the night above as it says. */
const NIGHTS: Readonly<Record<string, Partial<Night>>> = {
  "1 worker": { workers: 1 },
  "2 workers": { workers: 2 },
  "4 workers": {},
  "8 workers": { workers: 8 },
  "4 workers on 6 partitions": { partitions: 6 },
  "1 shard": { shards: 1 },
  "4 shards": { shards: 4 },
  "packets of 500 KB": { packetBytes: 500_000 },
  "100 filters": { filters: 100 },
  "1,000 filters": { filters: 1_000 },
  "3 hits an alert": { hitsPerAlert: 3 },
  "1,000 subscribers a hit": { subscribersPerHit: 1_000 },
  "10,000 users": { users: 10_000 },
  "10,000 users, 4 shards, 8 API nodes": { users: 10_000, shards: 4, apiNodes: 8 },
  "a worker away for 10 min": { failure: { of: "worker", ...FAILURE } },
  "a shard away for 10 min": { failure: { of: "shard", ...FAILURE } },
  "the sequencer away for 10 min": { failure: { of: "sequencer", ...FAILURE } },
};

export async function run(smoke: boolean): Promise<BenchResult> {
  const nights = Object.entries(NIGHTS).slice(0, smoke ? 2 : undefined);
  let conserved = true;
  const rows = nights.map(([name, change]) => {
    const night = { ...RUBIN, ...change, ...(smoke && { visits: 3 }) };
    const told = simulateNight(night, SERVERS);
    conserved &&= told.arrived === told.delivered;
    const limits = Object.entries(capacities(night, SERVERS)).toSorted(([, a], [, b]) => a - b);
    const busy = Object.fromEntries(
      Object.entries(told.utilisation).map(([part, share]) => [`${part} %`, 100 * share]),
    );
    return {
      night: name,
      "p50 s": told.latency.p50,
      "p99 s": told.latency.p99,
      "most s": told.latency.most,
      "most waiting": told.mostWaiting,
      "caught up s": told.caughtUpSeconds ?? "",
      ...busy,
      "query p99 ms": 1000 * told.query.p99,
      "breaks first": limits[0]![0],
      "at alerts/s": limits[0]![1],
    };
  });
  return {
    name: "rubin",
    sizes: { visits: RUBIN.visits, alertsPerVisit: RUBIN.alertsPerVisit, visitSeconds: RUBIN.visitSeconds },
    rows,
    ratios: {},
    goals: [{ text: "the model delivers what arrives", reached: String(conserved), met: conserved }],
    figures: { costs: SERVERS, base: RUBIN },
  };
}
