// Requests, cost and sockets of callers over real HTTP and WebSockets: what is refused, what is told, who is counted apart.
import { connect as connectTo } from "node:net";
import { createClient } from "graphql-ws";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { until } from "../test/until.js";
import type { AppSettings } from "./app.js";
import { DEFAULT_LIMITS } from "./bounds.js";
import { network } from "./caller.js";
import { type MemoryService, startMemoryService } from "./memory.fixture.js";
import { createRates } from "./rates.js";

const TOKEN = "a-token-for-tests";
const BEARER = { authorization: `Bearer ${TOKEN}` };
const TINY = "{ __typename }";
/** 10,000 and three units for each of 10 rows. */
const PAGE = "{ alerts(where: { survey: ZTF }, first: 10) { edges { node { candid } } } }";

let service: MemoryService;
afterEach(() => service.close());
const start = async (limits: AppSettings["limits"], host = "0.0.0.0") => {
  service = await startMemoryService({ host, token: host === "0.0.0.0" ? TOKEN : null, ...(limits && { limits }) });
};

async function send(query: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query }),
  });
  const { errors } = (await response.json()) as { errors?: { message: string; extensions: Record<string, unknown> }[] };
  return { status: response.status, headers: response.headers, error: errors?.[0] };
}

describe("requests of a minute", () => {
  it("end with 429, Retry-After and a coded error; the headers tell what is left", async () => {
    await start({ address: { requestsPerMinute: 3, costPerMinute: 0 } });
    const told = [];
    for (let n = 0; n < 3; n += 1) {
      const { status, headers } = await send(TINY);
      expect(status).toBe(200);
      expect(headers.get("ratelimit-policy")).toBe('"requests";q=3;w=60');
      told.push(/^"requests";r=(\d);t=\d+$/.exec(headers.get("ratelimit")!)?.[1]);
    }
    expect(told).toEqual(["2", "1", "0"]);
    const { status, headers, error } = await send(TINY);
    expect(status).toBe(429);
    const retryAfterSeconds = Number(headers.get("retry-after"));
    expect(retryAfterSeconds).toBeGreaterThan(50);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
    expect(error?.extensions).toMatchObject({ code: "RATE_LIMITED", limit: "requests", retryAfterSeconds });
    expect(error?.extensions.remedy).toMatch(/retryAfterSeconds/);
    // The owner's token has a quota of its own, and whoever asks how the service is has none.
    expect((await send(TINY, BEARER)).status).toBe(200);
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
  });

  it("are those of routes too, and of wrong tokens", async () => {
    await start({ address: { requestsPerMinute: 4 } });
    expect((await fetch(`${service.url}/whoami`)).status).toBe(200);
    for (let n = 0; n < 3; n += 1) expect((await send(TINY, { authorization: "Bearer wrong" })).status).toBe(401);
    expect((await send(TINY, { authorization: "Bearer wrong" })).status).toBe(429);
    const limited = await fetch(`${service.url}/whoami`);
    expect([limited.status, limited.headers.has("retry-after")]).toEqual([429, true]);
    expect((await send(TINY, BEARER)).status).toBe(200);
  });

  it("are not counted for the owner on this machine", async () => {
    await start({ address: { requestsPerMinute: 1, costPerMinute: 1 }, admission: { lagMs: 0 } }, "127.0.0.1");
    for (let n = 0; n < 5; n += 1) {
      const { status, headers } = await send(PAGE);
      expect([status, headers.get("ratelimit")]).toEqual([200, null]);
    }
    // Behind a proxy nobody is the owner by address.
    await send(TINY, { "x-forwarded-for": "192.0.2.1" });
    expect((await send(TINY, { "x-forwarded-for": "192.0.2.1" })).status).toBe(429);
  });

  it.each([
    [0, [200, 429, 429]],
    [1, [200, 200, 429]],
  ])("by X-Forwarded-For only as far as %i proxies are trusted", async (trustedProxies, expected) => {
    await start({ trustedProxies, address: { requestsPerMinute: 1 } });
    const statuses = [];
    // The last entry is the proxy's own; what stands before it anybody may have written.
    for (const told of ["1.1.1.1, 192.0.2.1", "1.1.1.1, 192.0.2.2", "2.2.2.2, 192.0.2.2"]) {
      statuses.push((await send(TINY, { "x-forwarded-for": told })).status);
    }
    expect(statuses).toEqual(expected);
  });
});

describe("cost of a minute", () => {
  it("refuses the query that does not fit, runs nothing of it, and takes nothing for it", async () => {
    await start({ address: { costPerMinute: 15_000 } });
    expect((await send(PAGE)).status).toBe(200);
    service.calls.length = 0;
    const { status, headers, error } = await send(PAGE);
    expect(status).toBe(429);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(50);
    expect(error?.extensions).toMatchObject({ code: "RATE_LIMITED", limit: "cost" });
    expect(error?.message).toMatch(/costs 10030 units; you have 4970 left of your 15000/);
    expect(service.calls).toEqual([]);
    const small = await send("{ surveys { id } }");
    expect(small.status).toBe(200);
    expect(small.headers.get("ratelimit")).toMatch(/"cost";r=49[0-6]\d;t=/);
  });

  it("is that of operations over a socket as well, which go on under the other limits", async () => {
    await start({ token: { requestsPerMinute: 3, costPerMinute: 15_000 } });
    const client = createClient({
      url: `ws://127.0.0.1:${service.port}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: BEARER,
      retryAttempts: 0,
    });
    const ask = (query: string) => client.iterate({ query }).next();
    expect((await ask(PAGE)).value?.data).toMatchObject({ alerts: { edges: { length: 10 } } });
    await expect(ask(PAGE)).rejects.toMatchObject([
      { extensions: { code: "RATE_LIMITED", limit: "cost", retryAfterSeconds: expect.any(Number) } },
    ]);
    expect((await ask(TINY)).value?.data).toEqual({ __typename: "Query" });
    await expect(ask(TINY)).rejects.toMatchObject([{ extensions: { code: "RATE_LIMITED", limit: "requests" } }]);
    await client.dispose();
  });
});

it("callers beyond those counted apart share one quota", async () => {
  // All within one minute of the clock.
  vi.useFakeTimers({ toFake: ["Date"], now: 0 });
  const rates = createRates({ ...DEFAULT_LIMITS, address: { requestsPerMinute: 1, costPerMinute: 0, sockets: 0 } });
  const spend = (key: string) => rates.spend({ kind: "address", key }, "requests", 1);
  for (let n = 0; n < 50_000; n += 1) await spend(`caller ${n}`);
  await spend("one more");
  await expect(spend("another")).rejects.toMatchObject({ code: "RATE_LIMITED" });
  vi.useRealTimers();
});

it("an answer that is not read is cut off, and its place given back", async () => {
  await start({ timeLimitMs: 1_000 }, "127.0.0.1");
  // 7 MB: more than the system takes for a connection.
  const fields = Array.from({ length: 60 }, (_, n) => `${"a".repeat(100)}${n}: objectId`).join(" ");
  const query = `{ alerts(where: { survey: ZTF }, first: 1000) { edges { node { ${fields} } } } }`;
  const body = JSON.stringify({ query });
  const raw = connectTo(service.port, "127.0.0.1");
  raw.on("error", () => {});
  raw.pause();
  raw.write(`POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`);
  raw.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
  await until("its place", () => service.load().running === 1);
  const began = performance.now();
  await until("the cut", () => service.load().running === 0);
  expect(performance.now() - began).toBeGreaterThan(1_000);
  raw.destroy();
});

describe("sockets of a caller", () => {
  const open: WebSocket[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.terminate();
  });
  /** "open", a close code, or the status of a refused upgrade; with a payload after the ack. */
  async function connect(payload?: object): Promise<{ state: () => string | number; socket: WebSocket }> {
    const socket = new WebSocket(`ws://127.0.0.1:${service.port}/graphql`, "graphql-transport-ws");
    open.push(socket);
    let state: string | number = "";
    socket.on("unexpected-response", (_request, { statusCode }) => {
      state = statusCode ?? 0;
    });
    socket.on("error", () => {});
    socket.on("open", () => {
      if (payload) socket.send(JSON.stringify({ type: "connection_init", payload }));
      else state = "open";
    });
    socket.on("message", () => {
      state = "open";
    });
    socket.on("close", (code) => {
      state = state === "" || state === "open" ? code : state;
    });
    await until("an answer", () => state !== "");
    return { state: () => state, socket };
  }

  it("are counted by address, then by token", async () => {
    await start({ address: { sockets: 2 }, token: { sockets: 3 } });
    const anonymous = [await connect({}), await connect()];
    expect(anonymous.map(({ state }) => state())).toEqual(["open", "open"]);
    expect((await connect()).state()).toBe(503);
    anonymous[0]!.socket.close();
    await until("the seat", () => service.sockets() === 1);
    const own = [await connect(BEARER), await connect(BEARER), await connect(BEARER)];
    expect(own.map(({ state }) => state())).toEqual(["open", "open", "open"]);
    expect((await connect(BEARER)).state()).toBe(4421);
    own[0]!.socket.close();
    await until("the seat", () => service.sockets() === 3);
    expect((await connect(BEARER)).state()).toBe("open");
  });
});

it("an address is that of its network", () => {
  expect(network("::ffff:192.0.2.7")).toBe("192.0.2.7");
  expect(network("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(network("2001:DB8:0001:2::1")).toBe("2001:db8:1:2::/64");
  expect(network("2001:db8::1")).toBe("2001:db8:0:0::/64");
  expect(network("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
  expect(network("::1")).toBe("0:0:0:0::/64");
});
