// Several processes on the same ClickHouse and Neo4j: two that answer, two that ingest. Whoever subscribes anywhere sees
// what everybody finds, and two workers on the same alerts leave what one would. Against what avsc reads in the packets.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningService, startService } from "../cli/serve.js";
import { startClickHouse } from "../cli/servers/clickhouse.js";
import { startNeo4j } from "../cli/servers/neo4j.js";
import { readSettings } from "../cli/settings.js";
import { samplesOf, sumOf } from "./exposition.js";
import { HitFollower, startCursor } from "./follower.js";
import { available, serverFolder } from "./servers.js";
import { ask } from "./service.js";
import { containerOf, type TrueAlert, trueAlerts } from "./truth.js";
import { until } from "./until.js";

const ALERTS = 600;

describe.skipIf(!available("neo4j"))("two API nodes and two workers", () => {
  const closers: (() => Promise<unknown>)[] = [];
  let folder: string;
  let environment: Record<string, string>;
  let api: RunningService[];
  let workers: RunningService[];
  let truth: TrueAlert[];

  async function start(TOCSIN_ROLE: string): Promise<RunningService> {
    const settings = readSettings({ ...environment, TOCSIN_ROLE });
    const service = await startService(settings, pino({ level: settings.LOG_LEVEL }));
    closers.unshift(() => service.close());
    return service;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tocsin-roles-"));
    const started = await Promise.all([
      startClickHouse({ folder: serverFolder() }),
      startNeo4j({ folder: serverFolder() }),
    ]);
    for (const server of started) closers.unshift(() => server.stop());
    const servers = Object.assign({}, ...started.map(({ settings }) => settings));
    environment = { ...servers, DATA_DIR: folder, PORT: "0", LOG_LEVEL: "error" };
    truth = trueAlerts("roles", new Map([["ZTF", ALERTS]]));
    // All at once: they bring the same empty servers up to date.
    const services = await Promise.all(["serve", "serve", "ingest", "ingest"].map(start));
    api = services.slice(0, 2);
    workers = services.slice(2);
  });
  afterAll(async () => {
    for (const close of closers) await close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function ingest(worker: RunningService, name: string, alerts: readonly TrueAlert[]) {
    const path = join(folder, `${name}.avro`);
    await writeFile(path, containerOf(alerts));
    return worker.control!.ingestPaths([path], () => {}, new AbortController().signal);
  }
  async function createFilter(where: string): Promise<string> {
    const query = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }";
    const input = { name: where, survey: "ZTF", where };
    return (await ask<{ createFilter: { id: string } }>(api[0]!.url, query, { input })).createFilter.id;
  }
  const candids = (alerts: readonly TrueAlert[]) => alerts.map(({ candid }) => candid).toSorted();

  test("a subscriber that changes nodes sees every hit of both workers once", async () => {
    const id = await createFilter("magpsf < 99");
    let node = 0;
    const follower = new HitFollower(() => api[node]!.url, [id], await startCursor(api[0]!.url, [id]));
    closers.unshift(() => follower.stop());
    const half = ALERTS / 2;
    // The workers hear of the filter within a second or so.
    await until("the filter to be known", afterMs(2_500));
    const both = await Promise.all([
      ingest(workers[0]!, "first", truth.slice(0, 200)),
      ingest(workers[1]!, "second", truth.slice(100, half)),
    ]);
    expect(both.reduce((sum, { stored, duplicates }) => sum + stored + duplicates, 0)).toBe(400);
    await until("the hits of both workers", () => follower.seen.length >= half);
    node = 1;
    await api[0]!.close();
    api[0] = await start("serve");
    await ingest(workers[1]!, "third", truth.slice(half));
    await until("the rest on the other node", () => follower.seen.length >= ALERTS);
    expect(follower.seen.map(({ alert }) => alert.candid).toSorted()).toEqual(candids(truth));
    expect(follower.cuts).toBe(1);
  });

  test("what both workers took in is there once, with its packet, on every node", async () => {
    const query = "{ alerts(where: { survey: ZTF }, first: 1000) { edges { node { candid packet } } } }";
    interface Alerts {
      alerts: { edges: { node: { candid: string; packet: { candid: string } } }[] };
    }
    for (const node of api) {
      const { alerts } = await ask<Alerts>(node.url, query);
      expect(alerts.edges.map(({ node: { candid } }) => candid).toSorted()).toEqual(candids(truth));
      for (const { node: alert } of alerts.edges) expect(alert.packet.candid).toBe(alert.candid);
    }
  });

  test("a worker has its probes and its metrics, and no GraphQL; one of them numbers", async () => {
    const [worker] = workers as [RunningService];
    expect((await fetch(`${worker.url}/health`)).status).toBe(200);
    const ready = await fetch(`${worker.url}/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ engines: { archive: { ok: true }, graph: { ok: true } } });
    const post = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"query":"{ __typename }"}',
    };
    expect((await fetch(`${worker.url}/graphql`, post)).status).toBe(404);
    const samples = await Promise.all(
      [...workers, ...api].map(async ({ url }) => samplesOf(await (await fetch(`${url}/metrics`)).text())),
    );
    const leaders = samples.map((of) => sumOf(of, "tocsin_sequencer_leader")).filter((value) => value === 1);
    expect(leaders).toHaveLength(1);
    const stored = samples.map((of) => sumOf(of, "tocsin_alerts_stored_total", { survey: "ZTF" }));
    expect(stored.reduce((sum, value) => sum + value)).toBeGreaterThanOrEqual(ALERTS);
    // Each API node hands every hit on, whoever numbered it.
    const late = sumOf(samples.at(-1)!, "tocsin_delivery_delay_seconds_count");
    expect(late).toBeGreaterThan(0);
  });

  test("a filter changed on one node acts on the workers within seconds; the other worker numbers on when one ends", async () => {
    const id = await createFilter("magpsf > 99");
    const leader = workers.findIndex(({ ingestion }) => ingestion!.sequencer.epoch !== null);
    expect(leader).toBeGreaterThanOrEqual(0);
    await workers[leader]!.close();
    const worker = workers[1 - leader]!;
    const update = `mutation ($id: ID!) { updateFilter(id: $id, input: { where: "magpsf < 99" }) { id } }`;
    await ask(api[1]!.url, update, { id });
    const more = trueAlerts("roles, later", new Map([["ZTF", 400]]));
    let found = 0;
    for (let at = 0; at < more.length && found === 0; at += 40) {
      await ingest(worker, `later ${at}`, more.slice(at, at + 40));
      const hits = `query ($id: ID!) { hits(filterIds: [$id], first: 1000) { edges { node { alert { candid } } } } }`;
      await until("a second", afterMs(500));
      found = (await ask<{ hits: { edges: unknown[] } }>(api[0]!.url, hits, { id })).hits.edges.length;
    }
    expect(found).toBeGreaterThan(0);
    expect(worker.ingestion!.sequencer.epoch).not.toBeNull();
  });
});

function afterMs(milliseconds: number): () => boolean {
  const from = performance.now();
  return () => performance.now() - from > milliseconds;
}
