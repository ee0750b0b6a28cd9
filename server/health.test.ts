// Readiness of engines that fail, hang and come back, over HTTP of a process without GraphQL.
import { get } from "node:http";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TocsinError } from "../domain/errors.js";
import { Readiness } from "./health.js";
import { healthRoutes } from "./health.routes.js";
import { createMetrics } from "./metrics.js";
import { metricsRoute } from "./metrics.routes.js";
import { createPlain, type PlainApp } from "./plain.js";

const away = () => {
  throw new TocsinError("ENGINE_UNAVAILABLE", "The archive at 10.0.0.7 does not answer.");
};

describe("readiness", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("names what is away, why, and since when", async () => {
    const readiness = new Readiness();
    let check: () => unknown = () => {};
    readiness.add({ name: "archive", needed: true, check: () => check() });
    readiness.add({ name: "graph", needed: true, check: async () => 1 });
    vi.setSystemTime("2026-11-21T10:00:00Z");
    expect((await readiness.now()).ready).toBe(true);
    check = away;
    vi.advanceTimersByTime(5_000);
    const lost = await readiness.now();
    expect(lost.ready).toBe(false);
    expect(lost.engines.archive).toEqual({
      ok: false,
      needed: true,
      code: "ENGINE_UNAVAILABLE",
      reason: "The archive at 10.0.0.7 does not answer.",
      since: "2026-11-21T10:00:05.000Z",
    });
    vi.advanceTimersByTime(60_000);
    expect((await readiness.now()).engines.archive!.since).toBe("2026-11-21T10:00:05.000Z");
    expect((await readiness.now()).engines.graph!.since).toBe("2026-11-21T10:00:00.000Z");
  });

  it("is there without an engine that is not needed", async () => {
    const readiness = new Readiness();
    readiness.add({ name: "kafka", needed: false, check: away });
    expect(await readiness.now()).toMatchObject({ ready: true, engines: { kafka: { ok: false } } });
  });

  it("asks once for all who ask within a second", async () => {
    const readiness = new Readiness();
    const check = vi.fn(async () => {});
    readiness.add({ name: "archive", needed: true, check });
    await Promise.all([readiness.now(), readiness.now(), readiness.now()]);
    await readiness.now();
    expect(check).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_100);
    await readiness.now();
    expect(check).toHaveBeenCalledTimes(2);
  });

  it("does not wait for one that hangs, nor asks it again before it has answered", async () => {
    const readiness = new Readiness();
    let answer = () => {};
    const check = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
    readiness.add({ name: "graph", needed: true, check });
    for (let times = 0; times < 3; times += 1) {
      const asked = readiness.now();
      await vi.advanceTimersByTimeAsync(2_000);
      expect((await asked).engines.graph).toMatchObject({ ok: false, reason: "It did not answer within 2 s." });
      vi.advanceTimersByTime(1_500);
    }
    expect(check).toHaveBeenCalledTimes(1);
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect((await readiness.now()).ready).toBe(true);
  });

  it("tells nothing of an error that is not for callers", async () => {
    const readiness = new Readiness();
    readiness.add({ name: "graph", needed: true, check: () => Promise.reject(new Error("password x refused")) });
    const { graph } = (await readiness.now()).engines;
    expect(graph).toMatchObject({ ok: false, code: "INTERNAL", reason: "It failed; the log says why." });
  });
});

describe("a process without GraphQL", () => {
  const TOKEN = "0123456789abcdef-owner";
  let app: PlainApp;
  let url: string;
  let owner = false;
  beforeEach(async () => {
    const readiness = new Readiness();
    readiness.add({ name: "archive", needed: true, check: away });
    const { registry } = createMetrics();
    app = createPlain({
      settings: { host: "0.0.0.0", port: 0, token: TOKEN, allowedHosts: ["tocsin.example"], allowedOrigins: [] },
      surveys: [],
      log: pino({ level: "silent" }),
      front: healthRoutes(readiness, () => owner),
      routes: (routes, viewerOf) => routes.use(metricsRoute(registry, viewerOf)),
    });
    url = `http://127.0.0.1:${await app.listen()}`;
  });
  afterEach(() => app.close());

  it("answers probes whatever name they call it by, and the sentence to the owner alone", async () => {
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const ready = async () => {
      const response = await fetch(`${url}/ready`);
      return [response.status, JSON.stringify(await response.json())] as const;
    };
    const [status, body] = await ready();
    expect(status).toBe(503);
    expect(body).toContain('"code":"ENGINE_UNAVAILABLE"');
    expect(body).not.toContain("10.0.0.7");
    owner = true;
    expect((await ready())[1]).toContain("10.0.0.7");
    owner = false;
  });

  it("shows its metrics to the owner by the names that it has", async () => {
    const authorization = `Bearer ${TOKEN}`;
    expect((await fetch(`${url}/metrics`, { headers: { authorization } })).status).toBe(403);
    const named = { host: "tocsin.example" };
    expect((await request(`${url}/metrics`, named)).status).toBe(401);
    expect((await request(`${url}/metrics`, { ...named, authorization: "Bearer wrong-0123456789" })).status).toBe(401);
    const shown = await request(`${url}/metrics`, { ...named, authorization });
    expect(shown.status).toBe(200);
    expect(shown.body).toContain("process_cpu_seconds_total");
    expect((await request(`${url}/graphql`, { ...named, authorization })).status).toBe(404);
  });
});

/** fetch does not let one name the host. */
function request(url: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, async (response) => {
      let body = "";
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode!, body });
    }).on("error", reject);
  });
}
