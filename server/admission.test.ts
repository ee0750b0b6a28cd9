// Load that is turned away: operations beyond those that run and wait, and a late event loop. The rest goes on.
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "graphql-ws";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { until } from "../test/until.js";
import { Admission } from "./admission.js";
import { DEFAULT_LIMITS } from "./bounds.js";
import { type MemoryService, startMemoryService } from "./memory.fixture.js";

const SLOW = "{ alerts(where: { survey: ZTF }, first: 1) { edges { cursor } } }";
const QUICK = "{ __typename }";
const signal = new AbortController().signal;

describe("a turn", () => {
  const made: Admission[] = [];
  afterEach(() => {
    for (const admission of made.splice(0)) admission.stop();
  });
  const create = (limits: Partial<typeof DEFAULT_LIMITS.admission>) => {
    const admission = new Admission({ ...DEFAULT_LIMITS.admission, ...limits });
    made.push(admission);
    return admission;
  };
  const [ann, bob] = [{ key: "ann" }, { key: "bob" }];

  it("comes in order, but nobody waits behind a caller who has its share", async () => {
    const admission = create({ running: 3, perCaller: 2, waiting: 40 });
    const order: string[] = [];
    const leaves = [await admission.enter(ann, signal), await admission.enter(ann, signal)];
    const third = admission.enter(ann, signal).then((leave) => {
      order.push("ann");
      return leave;
    });
    const first = await admission.enter(bob, signal); // passes: there is room, and bob has none of it
    const second = admission.enter(bob, signal).then((leave) => {
      order.push("bob");
      return leave;
    });
    expect([admission.running, admission.waiting]).toEqual([3, 2]);
    first();
    first(); // twice is once
    (await second)();
    expect(order).toEqual(["bob"]);
    leaves[0]!();
    (await third)();
    leaves[1]!();
    expect([admission.running, admission.waiting, admission.shed]).toEqual([0, 0, 0]);
  });

  it("ends with the signal, and after the longest wait", async () => {
    const admission = create({ running: 1, waitMs: 50 });
    const leave = await admission.enter(ann, signal);
    const gone = new AbortController();
    const left = admission.enter(bob, gone.signal);
    gone.abort("gone");
    await expect(left).rejects.toMatchObject({ code: "QUERY_TIMEOUT" });
    await expect(admission.enter(bob, signal)).rejects.toMatchObject({
      code: "OVERLOADED",
      details: { retryAfterSeconds: 2 },
    });
    expect(admission.waiting).toBe(0);
    leave();
    (await admission.enter(bob, signal))();
  });

  it("is refused where too many wait, or too many of one caller", async () => {
    const admission = create({ running: 1, waiting: 8 });
    const leave = await admission.enter(ann, signal);
    const waiting = [admission.enter(ann, signal), admission.enter(ann, signal)];
    await expect(admission.enter(ann, signal)).rejects.toMatchObject({
      code: "OVERLOADED",
      message: expect.stringMatching(/^2 of your/),
    });
    for (let n = 0; n < 6; n += 1) waiting.push(admission.enter({ key: `caller ${n}` }, signal));
    await expect(admission.enter(bob, signal)).rejects.toMatchObject({
      code: "OVERLOADED",
      message: expect.stringMatching(/^8 operations/),
    });
    leave();
    for (const turn of waiting) (await turn)();
    expect(admission.running).toBe(0);
  });
});

describe("the service", () => {
  let service: MemoryService;
  afterEach(() => service.close());
  const post = async (query: string) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${service.url}/graphql`, {
      method: "POST",
      headers,
      body: JSON.stringify({ query }),
    });
    const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
    return [response.status, errors?.[0]?.extensions.code, response.headers.has("retry-after")];
  };

  it("runs so many, lets so many wait, and turns the others away, over HTTP and sockets", async () => {
    service = await startMemoryService({ limits: { admission: { running: 2, waiting: 2, waitMs: 20_000 } } });
    const held: (() => void)[] = [];
    service.stores.alerts.page = () => new Promise((resolve) => held.push(() => resolve([])));
    const answers = Array.from({ length: 4 }, () => post(SLOW));
    await until("the queue", () => service.load().waiting === 2);
    expect(await post(QUICK)).toEqual([503, "OVERLOADED", true]);
    const client = createClient({ url: `ws://127.0.0.1:${service.port}/graphql`, webSocketImpl: WebSocket });
    await expect(client.iterate({ query: QUICK }).next()).rejects.toMatchObject([
      { extensions: { code: "OVERLOADED", retryAfterSeconds: 2 } },
    ]);
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
    expect(service.load()).toMatchObject({ running: 2, waiting: 2, shed: 2 });
    for (const round of [2, 4]) {
      await until("two more", () => held.length === round);
      for (const resolve of held.slice(round - 2)) resolve();
    }
    for (const answer of answers) expect(await answer).toEqual([200, undefined, false]);
    expect(await post(QUICK)).toEqual([200, undefined, false]);
    await client.dispose();
  });

  it("gives the place back when a waiting client leaves", async () => {
    service = await startMemoryService({ limits: { admission: { running: 1, waiting: 1 } } });
    const held: (() => void)[] = [];
    service.stores.alerts.page = () => new Promise((resolve) => held.push(() => resolve([])));
    const first = post(SLOW);
    await until("the first", () => held.length === 1);
    const leaving = new AbortController();
    const headers = { "content-type": "application/json" };
    const second = fetch(`${service.url}/graphql`, {
      ...{ method: "POST", headers, body: JSON.stringify({ query: SLOW }), signal: leaving.signal },
    });
    await until("the second", () => service.load().waiting === 1);
    leaving.abort();
    await expect(second).rejects.toThrow();
    await until("its place", () => service.load().waiting === 0);
    held[0]!();
    await first;
    await until("nothing", () => service.load().running === 0);
    expect(service.logged).toEqual([]);
  });

  it("turns new operations away while the event loop is late; what runs goes on", async () => {
    const limits = { admission: { lagMs: 1_000 } };
    service = await startMemoryService({ host: "0.0.0.0", token: "a-token-for-tests", limits });
    expect(await post(QUICK)).toEqual([200, undefined, false]);
    const end = Date.now() + 30_000;
    while (service.load().lagMs < 1_000 && Date.now() < end) {
      const block = performance.now() + 2_000;
      while (performance.now() < block);
      await pause(1);
    }
    expect(await post(QUICK)).toEqual([503, "OVERLOADED", true]);
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
    await until("the loop", () => service.load().lagMs < 1_000);
    expect(await post(QUICK)).toEqual([200, undefined, false]);
  });
});
