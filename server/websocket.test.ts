// Live hits over real sockets with the real graphql-ws client, and the protocol as its document has it.
import { type Client, createClient } from "graphql-ws";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createHitCursors } from "../subscriptions/cursor.js";
import { type HitService, OWNER_PARAMS, startHitService } from "../test/hitservice.js";
import { CURSOR_KEY, type HitDraft, MemoryHits } from "../test/memoryhits.js";
import { until } from "../test/until.js";

const QUERY = `subscription Hits($ids: [ID!]!, $after: String) {
  filterHits(filterIds: $ids, after: $after) { cursor filterId annotations alert { candid objectId magnitude } }
}`;

const cursors = createHitCursors(CURSOR_KEY);
const START = cursors.text(0n);

interface Received {
  readonly candids: string[];
  readonly cursors: string[];
  /** What the client reports as the end: errors of the protocol's error message, or a close event. */
  ended: unknown;
  complete: boolean;
  stop: () => void;
}

const opened: { service: HitService | null; clients: Client[]; sockets: WebSocket[] } = {
  service: null,
  clients: [],
  sockets: [],
};
afterEach(async () => {
  for (const client of opened.clients.splice(0)) await client.dispose();
  for (const socket of opened.sockets.splice(0)) socket.terminate();
  await opened.service?.close();
  opened.service = null;
});

async function start(
  log: MemoryHits,
  ...limits: Parameters<typeof startHitService> extends [unknown, ...infer R] ? R : []
) {
  opened.service = await startHitService(log, ...limits);
  return opened.service;
}

function connect(service: HitService, connectionParams: Record<string, unknown> = OWNER_PARAMS): Client {
  const client = createClient({ url: service.url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
  opened.clients.push(client);
  return client;
}

function listen(client: Client, variables: Record<string, unknown> = {}, query = QUERY): Received {
  const received: Received = { candids: [], cursors: [], ended: null, complete: false, stop: () => {} };
  received.stop = client.subscribe<{ filterHits: { cursor: string; alert: { candid: string } } }>(
    { query, variables: { ids: ["f1"], ...variables } },
    {
      next: ({ data, errors }) => {
        if (errors) received.ended = errors;
        if (!data) return;
        received.candids.push(data.filterHits.alert.candid);
        received.cursors.push(data.filterHits.cursor);
      },
      error: (error) => {
        received.ended = error;
      },
      complete: () => {
        received.complete = true;
      },
    },
  );
  return received;
}

const candidsOf = (log: MemoryHits) => log.stored.map((hit) => String(hit.candid));
const drafts = (count: number, draft: HitDraft = {}) => Array.from({ length: count }, () => draft);

/** A client that speaks the protocol by hand. */
async function raw(service: HitService, protocol = "graphql-transport-ws", path = "") {
  const socket = new WebSocket(service.url + path, protocol);
  opened.sockets.push(socket);
  const messages: Record<string, unknown>[] = [];
  const state = { code: 0, reason: "", status: 0 };
  socket.on("message", (data) => messages.push(JSON.parse(String(data))));
  socket.on("close", (code, reason) => Object.assign(state, { code, reason: String(reason) }));
  socket.on("unexpected-response", (_request, response) => {
    state.status = response.statusCode ?? 0;
    socket.terminate();
  });
  socket.on("error", () => {});
  await until("the socket", () => socket.readyState !== WebSocket.CONNECTING);
  const send = (message: unknown) => socket.send(typeof message === "string" ? message : JSON.stringify(message));
  return { socket, messages, state, send };
}
async function initialised(service: HitService) {
  const client = await raw(service);
  client.send({ type: "connection_init", payload: OWNER_PARAMS });
  await until("the ack", () => client.messages.length === 1);
  return client;
}
const subscribeMessage = (id: string, variables: Record<string, unknown> = {}) => ({
  id,
  type: "subscribe",
  payload: { query: QUERY, variables: { ids: ["f1"], ...variables } },
});

describe("live hits over graphql-ws", () => {
  it("come in order, each with its cursor and its fields, to every subscriber of a socket", async () => {
    const log = new MemoryHits();
    const service = await start(log);
    const client = connect(service);
    const [one, two] = [listen(client), listen(client, { ids: ["f2", "f1"] })];
    await until("both subscriptions", () => service.hub.subscriptions === 2);
    service.hub.publish(log.store({}, { filterId: "f2" }, {}, { filterId: "f3" }));
    await until("the hits", () => one.candids.length === 2 && two.candids.length === 3);
    const all = candidsOf(log);
    expect([one.candids, two.candids]).toEqual([[all[0], all[2]], all.slice(0, 3)]);
  });

  it("are executed once for a thousand subscribers", async () => {
    const log = new MemoryHits();
    const service = await start(log);
    const all = Array.from({ length: 100 }, () => connect(service)).flatMap((client) =>
      Array.from({ length: 10 }, () => listen(client)),
    );
    await until("the subscriptions", () => service.hub.subscriptions === 1_000);
    for (let i = 0; i < 20; i++) service.hub.publish(log.store({}));
    await until("all hits", () => all.every(({ candids }) => candids.length === 20));
    expect(service.executions()).toBe(20);
    expect(all.every(({ candids }) => candids.join() === candidsOf(log).join())).toBe(true);
  });

  it("are never shared between viewers, and partnership hits stay unseen by anybody else", async () => {
    const log = new MemoryHits();
    log.store({ programid: 2 }, {});
    const service = await start(log);
    const owner = listen(connect(service), { after: START });
    const anybody = listen(connect(service, {}), { after: START });
    await until("the replay", () => owner.candids.length === 2 && anybody.candids.length === 1);
    service.hub.publish(log.store({ programid: 3 }, {}));
    await until("the hits", () => owner.candids.length === 4 && anybody.candids.length === 2);
    const all = candidsOf(log);
    expect([owner.candids, anybody.candids]).toEqual([all, [all[1], all[3]]]);
    expect(service.executions()).toBe(6);
    expect(anybody.cursors).toEqual([owner.cursors[1], owner.cursors[3]]);
  });

  it("share an execution across different `after`, not across different variables", async () => {
    const log = new MemoryHits();
    log.store({});
    const service = await start(log);
    const client = connect(service);
    const [first] = [listen(client, { after: START }), listen(client), listen(client, { after: cursors.text(1n) })];
    const other = listen(client, { ids: ["f1", "f2"] });
    await until("the replay", () => first!.candids.length === 1 && service.hub.subscriptions === 4);
    const before = service.executions();
    service.hub.publish(log.store({}));
    await until("the hit", () => first!.candids.length === 2 && other.candids.length === 1);
    expect(service.executions() - before).toBe(2);
  });

  it("arrive each once, in order, whoever disconnects when", async () => {
    const log = new MemoryHits(() => new Promise((resolve) => setTimeout(resolve, Math.random() * 4)));
    const service = await start(log);
    const people = Array.from({ length: 6 }, () => ({ seen: [] as string[], now: null as Received | null }));
    const goOn = (person: (typeof people)[number], after: string) => {
      const client = connect(service);
      let socket: WebSocket | null = null;
      client.on("connected", (opened) => {
        socket = opened as WebSocket;
      });
      const now = listen(client, { after });
      person.now = now;
      /** Cuts the line, if there is one yet; then the cursor to go on from. */
      return () => {
        if (socket === null) return null;
        socket.terminate();
        person.seen.push(...now.candids);
        return now.cursors.at(-1) ?? after;
      };
    };
    const leave = people.map((person) => goOn(person, START));
    let cuts = 0;
    for (let i = 0; i < 300; i++) {
      const hits = log.store(...drafts(1 + Math.floor(Math.random() * 4)));
      if (Math.random() < 0.8) service.hub.publish(hits);
      const who = Math.floor(Math.random() * people.length);
      const cursor = Math.random() < 0.3 ? leave[who]!() : null;
      if (cursor !== null) {
        cuts += 1;
        leave[who] = goOn(people[who]!, cursor);
      }
      if (Math.random() < 0.5) await new Promise(setImmediate);
    }
    expect(cuts).toBeGreaterThan(10);
    service.hub.publish(log.store({}));
    const end = candidsOf(log);
    await until("the last hit", () => people.every(({ now }) => now!.candids.at(-1) === end.at(-1)));
    for (const { seen, now } of people) expect([...seen, ...now!.candids]).toEqual(end);
  });

  it("resume after the service was stopped: 1001, then everything since the cursor", async () => {
    const log = new MemoryHits();
    const service = await start(log);
    const before = listen(connect(service), { after: START });
    service.hub.publish(log.store({}, {}));
    await until("two hits", () => before.candids.length === 2);
    await service.close();
    await until("the close", () => before.ended !== null);
    expect(before.ended).toMatchObject({ code: 1001 });
    log.store({}, {}); // stored, and the service died before it published
    const again = await start(log);
    const after = listen(connect(again), { after: before.cursors.at(-1) });
    await until("the missed", () => after.candids.length === 2);
    expect([...before.candids, ...after.candids]).toEqual(candidsOf(log));
  });
});

describe("a reader that does not read", () => {
  const big = { annotations: JSON.stringify({ text: "x".repeat(100_000) }) };

  it("is closed with 4420 and its last cursor, and misses nothing when it comes back", async () => {
    const log = new MemoryHits();
    const service = await start(log, { maxQueueBytes: 200_000 });
    const slow = await initialised(service);
    slow.send(subscribeMessage("1"));
    const quick = listen(connect(service));
    await until("the subscriptions", () => service.hub.subscriptions === 2);
    slow.socket.pause();
    while (service.hub.subscriptions === 2) {
      service.hub.publish(log.store(big));
      await until("the quick one", () => quick.candids.length === log.stored.length);
    }
    expect(log.stored.length).toBeLessThan(1_000); // 100 MB: the kernel's buffers are smaller
    slow.socket.resume();
    await until("the close", () => slow.state.code !== 0);
    const hits = slow.messages
      .slice(1)
      .map((message) => (message as never as { payload: { data: never } }).payload.data);
    const last = (hits.at(-1) as unknown as { filterHits: { cursor: string } }).filterHits.cursor;
    expect(slow.state).toMatchObject({ code: 4420, reason: `SLOW_CONSUMER: resume with after: ${last}` });
    expect(Buffer.byteLength(slow.state.reason)).toBeLessThanOrEqual(123);
    const resumed = listen(connect(service), { after: last });
    await until("the rest", () => hits.length + resumed.candids.length === log.stored.length);
    const seen = hits.map(({ filterHits }: { filterHits: { alert: { candid: string } } }) => filterHits.alert.candid);
    expect([...seen, ...resumed.candids]).toEqual(candidsOf(log));
  });

  it("is cut off when it does not answer the close", async () => {
    const log = new MemoryHits();
    const service = await start(log, { maxQueueBytes: 200_000 });
    const slow = await initialised(service);
    slow.send(subscribeMessage("1"));
    await until("the subscription", () => service.hub.subscriptions === 1);
    slow.socket.pause();
    service.hub.publish(log.store(...drafts(150, big)));
    await until("the stop", () => service.hub.subscriptions === 0);
    await until("the cut", () => service.app.sockets() === 0);
  });

  it("gets a replay of any length at its own pace", async () => {
    const log = new MemoryHits();
    log.store(...drafts(300, big));
    const service = await start(log, { maxQueueBytes: 200_000 });
    const slow = await initialised(service);
    slow.send(subscribeMessage("1", { after: START }));
    await until("a first hit", () => slow.messages.length > 1);
    slow.socket.pause();
    service.hub.publish(log.store(big));
    slow.socket.resume();
    await until("all hits", () => slow.messages.length === 302);
    expect(slow.state.code).toBe(0);
  });
});

describe("what is wrong is said at once", () => {
  const said = async (variables: Record<string, unknown>, query = QUERY) => {
    const service = opened.service ?? (await start(new MemoryHits()));
    const received = listen(connect(service), variables, query);
    await until("the answer", () => received.ended !== null);
    return received.ended;
  };
  const coded = (code: string) => [{ extensions: { code, remedy: expect.any(String) } }];

  it("with code and remedy, in the protocol's error message", async () => {
    expect(await said({ ids: ["nosuch"] })).toMatchObject(coded("UNKNOWN_FILTER"));
    expect(await said({ after: "not a cursor" })).toMatchObject(coded("BAD_CURSOR"));
    expect(await said({ after: cursors.text(1000n) })).toMatchObject(coded("BAD_CURSOR")); // ahead of the archive
    expect(await said({ ids: [] })).toMatchObject(coded("BAD_ARGUMENT"));
    expect(await said({ ids: Array.from({ length: 101 }, (_, i) => `f${i}`) })).toMatchObject(coded("BAD_ARGUMENT"));
    expect(await said({ ids: null })).toMatchObject([{ extensions: { code: expect.any(String) } }]);
    expect(await said({}, "subscription { nothing }")).toMatchObject(coded("GRAPHQL_VALIDATION_FAILED"));
    expect(await said({}, "subscription {")).toMatchObject(coded("GRAPHQL_PARSE_FAILED"));
    expect(await said({}, `query { ${"__typename ".repeat(3_000)} }`)).toMatchObject(coded("QUERY_TOO_COMPLEX"));
    expect(opened.service!.hub.subscriptions).toBe(0);
  });

  it("for too many operations on a socket, and too many sockets", async () => {
    const log = new MemoryHits();
    const service = await start(log, { maxOperationsPerSocket: 2, maxSockets: 2 });
    const client = connect(service);
    const [first, , third] = [listen(client), listen(client), listen(client)];
    await until("the refusal", () => third!.ended !== null);
    expect(third!.ended).toMatchObject(coded("TOO_MANY_SUBSCRIPTIONS"));
    first!.stop();
    await until("the end of the first", () => service.hub.subscriptions === 1);
    listen(client);
    await until("the next", () => service.hub.subscriptions === 2);
    await raw(service);
    expect((await raw(service)).state.status).toBe(503);
  });

  it("to a wrong token, a foreign page and another path", async () => {
    const service = await start(new MemoryHits());
    const received = listen(connect(service, { authorization: "Bearer wrong" }));
    await until("the close", () => received.ended !== null);
    expect(received.ended).toMatchObject({ code: 4403 });
    expect((await raw(service, undefined, "/elsewhere")).state.status).toBe(404);
    const foreign = new WebSocket(service.url, "graphql-transport-ws", { origin: "https://elsewhere.example" });
    const status = await new Promise((resolve) => {
      foreign.on("unexpected-response", (_request, response) => resolve(response.statusCode));
      foreign.on("error", () => {});
    });
    foreign.terminate();
    expect(status).toBe(403);
  });
});

describe("the protocol graphql-transport-ws", () => {
  it("answers pings, and completes both ways", async () => {
    const log = new MemoryHits();
    const service = await start(log);
    const client = await initialised(service);
    expect(client.messages[0]).toEqual({ type: "connection_ack" });
    client.send({ type: "ping", payload: { n: 1 } });
    await until("the pong", () => client.messages.length === 2);
    expect(client.messages[1]).toEqual({ type: "pong", payload: { n: 1 } });
    client.send(subscribeMessage("a"));
    await until("the subscription", () => service.hub.subscriptions === 1);
    client.send({ type: "complete", id: "a" });
    await until("its end", () => service.hub.subscriptions === 0);
    service.hub.publish(log.store({}));
    client.send(subscribeMessage("a", { after: START })); // an id may be used again
    await until("the hit", () => client.messages.length === 3);
    expect(client.messages[2]).toMatchObject({ id: "a", type: "next", payload: { data: { filterHits: {} } } });
    client.send({ id: "q", type: "subscribe", payload: { query: "{ __typename }" } });
    await until("the query", () => client.messages.length === 5);
    expect(client.messages.slice(3)).toEqual([
      { id: "q", type: "next", payload: { data: { __typename: "Query" } } },
      { id: "q", type: "complete" },
    ]);
  });

  it.each([
    [4400, "a message that is none", async (client) => client.send("nonsense")],
    [4401, "an operation before the ack", async (client) => client.send(subscribeMessage("a"))],
    [
      4409,
      "an id in use",
      async (client, service) => {
        client.send({ type: "connection_init" });
        await until("the ack", () => client.messages.length === 1);
        client.send(subscribeMessage("a"));
        await until("the subscription", () => service.hub.subscriptions === 1);
        client.send(subscribeMessage("a"));
      },
    ],
    [
      4429,
      "a second init",
      async (client) => {
        client.send({ type: "connection_init" });
        client.send({ type: "connection_init" });
      },
    ],
  ] as [number, string, (client: Awaited<ReturnType<typeof raw>>, service: HitService) => Promise<void>][])(
    "closes with %i after %s",
    async (code, _what, act) => {
      const service = await start(new MemoryHits());
      const client = await raw(service);
      await act(client, service);
      await until("the close", () => client.state.code !== 0);
      expect(client.state.code).toBe(code);
      await until("nothing left", () => service.hub.subscriptions === 0 && service.app.sockets() === 0);
    },
  );

  it("refuses another subprotocol", async () => {
    const client = await raw(await start(new MemoryHits()), "graphql-ws");
    await until("the close", () => client.state.code !== 0 || client.socket.readyState === WebSocket.CLOSED);
    expect(client.messages).toEqual([]);
  });

  it("leaves nothing behind when sockets die", async () => {
    const log = new MemoryHits();
    log.store(...drafts(50));
    const service = await start(log);
    const clients = await Promise.all(Array.from({ length: 30 }, () => initialised(service)));
    for (const [i, client] of clients.entries()) {
      client.send(subscribeMessage("live"));
      client.send(subscribeMessage("replay", { after: START }));
      if (i % 3 === 0) client.socket.terminate(); // before the subscriptions have begun
    }
    await until("subscriptions", () => service.hub.subscriptions > 20);
    for (const client of clients) client.socket.terminate();
    await until("nothing left", () => service.hub.subscriptions === 0 && service.app.sockets() === 0);
    service.hub.publish(log.store({}));
    expect(service.executions()).toBeGreaterThan(0);
  });
});
