// One filter's live hits to many subscribers: ours against graphql-ws as it comes, on the same schema. Run by bench/main.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { GraphQLSchema } from "graphql";
import { useServer as speakProtocol } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { OWNER_PARAMS, startHitService } from "../test/hitservice.js";
import { MemoryHits } from "../test/memoryhits.js";
import { until } from "../test/until.js";
import { type BenchResult, ratios, spread } from "./harness.js";

/** 22 values, about 500 bytes. */
const QUERY = `subscription { filterHits(filterIds: ["f1"]) { cursor filterId filterVersion passedAt annotations alert {
  survey candid objectId time jd ra dec band magnitude magnitudeError flux fluxError isPositive class
  again: candid name: objectId where: ra } } }`;
const INTERVAL_MS = 100;

interface Side {
  readonly cpuMicroseconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly delivered: number;
  readonly inOrder: number;
}

export async function run(smoke: boolean): Promise<BenchResult> {
  const sizes = smoke ? { subscribers: 50, hits: 5, rounds: 1 } : { subscribers: 1_000, hits: 100, rounds: 3 };
  const ours: Side[] = [];
  const plain: Side[] = [];
  for (let round = 0; round < sizes.rounds; round += 1) {
    ours.push(await measure(sizes, false));
    plain.push(await measure(sizes, true));
  }
  const due = sizes.subscribers * sizes.hits;
  const cpu = ratios(
    ours.map((side) => side.cpuMicroseconds),
    plain.map((side) => side.cpuMicroseconds),
  );
  const p99 = spread(ours.map((side) => side.p99)).median;
  const complete = ours.every((side) => side.delivered === due && side.inOrder === due);
  return {
    name: "fanout",
    sizes: { ...sizes, hitsPerSecond: 1000 / INTERVAL_MS },
    rows: [row("tocsin", ours), row("graphql-ws", plain)],
    ratios: { "CPU per delivery, tocsin / graphql-ws": cpu },
    goals: [
      { text: "at most 1/3 of the CPU per delivery", reached: cpu.median.toFixed(3), met: cpu.median <= 1 / 3 },
      { text: "p99 at most 100 ms", reached: `${p99} ms`, met: p99 <= 100 },
      { text: "all delivered, in order", reached: String(complete), met: complete },
    ],
  };
}

function row(side: string, rounds: readonly Side[]): Record<string, number | string> {
  const median = (of: (side: Side) => number) => spread(rounds.map(of)).median;
  return {
    side,
    "CPU us per delivery": median((one) => one.cpuMicroseconds),
    "p50 ms": median((one) => one.p50),
    "p99 ms": median((one) => one.p99),
    delivered: median((one) => one.delivered),
  };
}

/** One round: the server is this process, the subscribers are another one. */
async function measure({ subscribers, hits }: { subscribers: number; hits: number }, plain: boolean): Promise<Side> {
  const log = new MemoryHits();
  const service = await startHitService(log);
  const bare = plain ? await startPlain(service.schema, service.context) : null;
  const clients = startClients(bare?.url ?? service.url, subscribers, hits);
  try {
    await until("the subscriptions", () => service.hub.subscriptions === subscribers, 60_000);
    const done = Promise.race([
      once(clients, "message"),
      once(clients, "exit").then(() => Promise.reject(new Error("The clients died."))),
    ]);
    const before = process.cpuUsage();
    for (let i = 0; i < hits; i += 1) {
      service.hub.publish(log.store({}));
      await delay(INTERVAL_MS);
    }
    const [{ latencies, inOrder }] = (await done) as [{ latencies: number[]; inOrder: number }];
    const { user, system } = process.cpuUsage(before);
    const sorted = latencies.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
    const cpuMicroseconds = (user + system) / sorted.length;
    return { cpuMicroseconds, p50: at(0.5), p99: at(0.99), delivered: sorted.length, inOrder };
  } finally {
    if (clients.connected) {
      clients.disconnect();
      await once(clients, "exit");
    }
    bare?.close();
    await service.close();
  }
}

function startClients(url: string, subscribers: number, hits: number): ChildProcess {
  const program = fileURLToPath(new URL("./fanout.clients.js", import.meta.url));
  const env = { ...process.env, BENCH_AUTHORIZATION: OWNER_PARAMS.authorization };
  return fork(program, [url, String(subscribers), String(hits), QUERY], { env });
}

/** graphql-ws as its manual shows it: every subscriber runs the operation for itself. */
async function startPlain(schema: GraphQLSchema, context: () => object): Promise<{ url: string; close: () => void }> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, path: "/graphql", perMessageDeflate: false });
  const protocol = speakProtocol({ schema, context }, sockets);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    close() {
      void protocol.dispose();
      server.close();
    },
  };
}
