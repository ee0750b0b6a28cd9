// A request that ends stops its query in the engine: a real archive behind the API, looked at through its process list.
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { numbers } from "../stores/archive/blocks.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { type MemoryService, startMemoryService } from "./memory.fixture.js";

const PAGE = "{ alerts(where: { survey: ZTF }, first: 1) { edges { cursor } } }";
const HITS = `subscription ($f: [ID!]!, $a: String) { filterHits(filterIds: $f, after: $a) {
  alert { object { alertCount } } } }`;
/** Reads for ever. */
const SLOW = "SELECT count() AS x FROM system.numbers WHERE sipHash64(number) = 1 SETTINGS max_threads = 1";

let archive: TestArchive;
let service: MemoryService;
let quick: MemoryService;
beforeAll(async () => {
  archive = await startTestArchive();
  service = await startMemoryService();
  quick = await startMemoryService({ limits: { timeLimitMs: 700 } });
  for (const { stores } of [service, quick]) {
    stores.alerts.page = async () => {
      await archive.client.query(SLOW);
      return [];
    };
    stores.objects.byIds = async () => {
      await archive.client.query(SLOW);
      return new Map();
    };
  }
});
afterAll(async () => {
  await service?.close();
  await quick?.close();
  await archive?.stop();
});

async function running(): Promise<number> {
  const block = await archive.client.query(
    "SELECT toFloat64(count()) AS n FROM system.processes WHERE query LIKE '%sipHash64(number) = 1%' AND query NOT LIKE '%processes%'",
  );
  return numbers(block, "n")[0]!;
}
const begun = () => vi.waitFor(async () => expect(await running()).toBe(1), { timeout: 10_000, interval: 20 });
/** The query must be gone within a second. */
const gone = () => vi.waitFor(async () => expect(await running()).toBe(0), { timeout: 1_000, interval: 20 });
const socket = ({ port }: MemoryService) =>
  createClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });

describe("the engine's query is gone within a second", () => {
  beforeEach(async () => expect(await running()).toBe(0));

  it("after the HTTP client has left", async () => {
    const leaving = new AbortController();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ query: PAGE });
    const answer = fetch(`${service.url}/graphql`, { method: "POST", headers, body, signal: leaving.signal });
    answer.catch(() => {});
    await begun();
    leaving.abort();
    await gone();
    await vi.waitFor(() => expect(service.load().running).toBe(0));
  });

  it("after the time limit, over HTTP and over a socket", async () => {
    const answer = await quick.post(PAGE);
    expect(answer.errors?.[0]?.extensions.code).toBe("QUERY_TIMEOUT");
    await gone();
    const client = socket(quick);
    const result = await client.iterate({ query: PAGE }).next();
    expect(result.value?.errors).toMatchObject([{ extensions: { code: "QUERY_TIMEOUT" } }]);
    await gone();
    await client.dispose();
  });

  it("after an operation of a socket was completed, and after the socket was closed", async () => {
    const client = socket(service);
    const stop = client.subscribe({ query: PAGE }, { next: () => {}, error: () => {}, complete: () => {} });
    await begun();
    stop();
    await gone();
    client.subscribe({ query: PAGE }, { next: () => {}, error: () => {}, complete: () => {} });
    await begun();
    client.terminate();
    await gone();
    await vi.waitFor(() => expect(service.load().running).toBe(0));
    await client.dispose();
  });

  it("after the last subscriber of a hit has left, and after the hit's time limit", async () => {
    for (const { limited, leaves } of [
      { limited: service, leaves: true },
      { limited: quick, leaves: false },
    ]) {
      const filter = await limited.post(
        `mutation { createFilter(input: { name: "all", survey: ZTF, where: "magpsf < 19" }) { id } }`,
      );
      const filterId = filter.data.createFilter.id;
      const alert = limited.alerts[0]!;
      const { survey, candid, objectId, jd, programid } = alert;
      const hit = { seq: 1n, filterId, filterVersion: 1, survey, candid, objectId, jd, programid };
      const client = socket(limited);
      let errors: unknown = null;
      const stop = client.subscribe(
        { query: HITS, variables: { f: [filterId] } },
        {
          next: (result) => {
            errors = result.errors;
          },
          error: () => {},
          complete: () => {},
        },
      );
      await vi.waitFor(() => expect(limited.hub.subscriptions).toBe(1));
      limited.hits.push({ ...hit, passedAt: Date.UTC(2026, 0, 2), annotations: null } as never);
      limited.hub.publish([{ ...hit, passedAt: Date.UTC(2026, 0, 2), annotations: null, alert } as never]);
      await begun();
      if (leaves) stop();
      else await vi.waitFor(() => expect(errors).toMatchObject([{ extensions: { code: "QUERY_TIMEOUT" } }]));
      await gone();
      await client.dispose();
    }
  });
});
