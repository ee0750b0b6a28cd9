// Who a caller is and which pages may call: real requests with every Host, Origin and Authorization; the query page.
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { isLoopback } from "./hosts.js";
import { type MemoryService, startMemoryService } from "./memory.fixture.js";
import { tokenOf } from "./token.js";

const TOKEN = "a-token-of-the-settings";
const OPEN = ["https://portal.example"];

let local: MemoryService;
let network: MemoryService;
let named: MemoryService;
beforeAll(async () => {
  local = await startMemoryService({ token: TOKEN, allowedHosts: ["sky.example"], allowedOrigins: OPEN });
  network = await startMemoryService({ host: "0.0.0.0", token: TOKEN });
  named = await startMemoryService({ host: "0.0.0.0", token: TOKEN, allowedHosts: ["sky.example"] });
});
afterAll(() => Promise.all([local, network, named].map((service) => service.close())));

/** fetch() does not let Host be set. */
function get(port: number, headers: Record<string, string>, path = "/whoami"): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve([response.statusCode ?? 0, text]));
    });
    sent.on("error", reject).end();
  });
}

function upgrade(port: number, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/graphql`, "graphql-transport-ws", { headers });
    socket.on("unexpected-response", (_, response) => resolve(response.statusCode ?? 0));
    socket.on("error", () => {});
    socket.on("open", () => {
      socket.close();
      resolve(101);
    });
  });
}

describe("who a caller is", () => {
  const bearer = { authorization: `Bearer ${TOKEN}` };
  it.each<[string, () => MemoryService, Record<string, string>, string]>([
    ["loopback", () => local, {}, "owner"],
    ["the token", () => local, bearer, "owner"],
    ["a proxy's X-Forwarded-For", () => local, { "x-forwarded-for": "203.0.113.7" }, "anonymous"],
    ["a proxy's Forwarded", () => local, { forwarded: "for=203.0.113.7" }, "anonymous"],
    ["a proxy, with the token", () => local, { "x-forwarded-for": "203.0.113.7", ...bearer }, "owner"],
    ["loopback of a service that listens on more", () => network, {}, "anonymous"],
    ["the token there", () => network, { authorization: `bearer ${TOKEN}` }, "owner"],
  ])("%s", async (_, service, headers, scope) => {
    expect(await get(service().port, headers)).toEqual([200, JSON.stringify(scope)]);
  });

  it.each(["Bearer wrong-token", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, "Bearer", ""])(
    "%s is refused, not taken for a stranger's",
    async (authorization) => {
      const [status, body] = await get(local.port, { authorization });
      expect([status, JSON.parse(body).errors[0].extensions.code]).toEqual([401, "NOT_ALLOWED"]);
      const answer = await local.post("{ __typename }", {}, { authorization });
      expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([401, "NOT_ALLOWED"]);
    },
  );

  it("a service without a token knows none", async () => {
    const bare = await startMemoryService();
    expect((await get(bare.port, { authorization: "Bearer null" }))[0]).toBe(401);
    await bare.close();
  });
});

describe("what a stranger sees", () => {
  it("public alerts only, on every way to them", async () => {
    const hidden = network.alerts[0]!;
    const query = `query ($c: Long!, $o: ID!) {
      alert(survey: ZTF, candid: $c) { candid }
      object(survey: ZTF, objectId: $o) { alertCount }
      alerts(where: { objectId: $o }) { edges { node { candid } } }
    }`;
    const variables = { c: String(hidden.candid), o: hidden.objectId };
    const stranger = await network.post(query, variables);
    expect(stranger).toEqual({ status: 200, data: { alert: null, object: null, alerts: { edges: [] } } });
    const owner = await network.post(query, variables, { authorization: `Bearer ${TOKEN}` });
    expect(owner.data.object.alertCount).toBe(2);
    expect(owner.data.alert).not.toBeNull();
  });

  it.each([
    `mutation { createFilter(input: { name: "x", survey: ZTF, where: "magpsf < 1" }) { id } }`,
    `mutation { updateFilter(id: "x", input: { active: false }) { id } }`,
    "{ deadLetters { edges { cursor } } }",
  ])("may not: %s", async (query) => {
    network.calls.length = 0;
    const answer = await network.post(query);
    expect(answer.errors?.[0]?.extensions.code).toBe("NOT_ALLOWED");
    expect(network.calls).toEqual([]);
  });
});

describe("Host and Origin", () => {
  const here = () => `127.0.0.1:${local.port}`;
  it.each<[number, string, () => Record<string, string>]>([
    [200, "localhost", () => ({ host: `localhost:${local.port}` })],
    [200, "::1", () => ({ host: `[::1]:${local.port}` })],
    [200, "a tunnel's port", () => ({ host: "localhost:8080" })],
    [200, "a named host", () => ({ host: "sky.example" })],
    [200, "the page itself", () => ({ host: here(), origin: `http://${here()}` })],
    [200, "a named origin", () => ({ host: here(), origin: "https://portal.example" })],
    [403, "a name that was rebound to this machine", () => ({ host: "attacker.example" })],
    [403, "a name that only looks local", () => ({ host: "localhost.attacker.example" })],
    [403, "another local name", () => ({ host: "127.0.0.1.nip.example" })],
    [403, "user info", () => ({ host: "localhost@attacker.example" })],
    [403, "a page of another site", () => ({ host: here(), origin: "https://attacker.example" })],
    [403, "a page of another port", () => ({ host: here(), origin: "http://127.0.0.1:1" })],
    [403, "a page without an origin", () => ({ host: here(), origin: "null" })],
    [403, "an origin that has the host in it", () => ({ host: here(), origin: `http://x@${here()}` })],
    [
      403,
      "an image of another site",
      () => ({ host: here(), "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }),
    ],
    [
      200,
      "a link from another site",
      () => ({ host: here(), "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }),
    ],
  ])("%i for %s, over HTTP and WebSocket", async (status, _, headers) => {
    const [found, body] = await get(local.port, headers());
    expect(found).toBe(status);
    if (status === 403) expect(JSON.parse(body).errors[0].extensions.code).toBe("FORBIDDEN_HOST");
    expect(await upgrade(local.port, headers())).toBe(status === 200 ? 101 : 403);
  });

  it("beyond loopback any Host will do, unless some are named", async () => {
    expect((await get(network.port, { host: "sky.example" }))[0]).toBe(200);
    expect((await get(named.port, { host: "sky.example:4000" }))[0]).toBe(200);
    expect((await get(named.port, { host: "other.example" }))[0]).toBe(403);
    expect((await get(network.port, { host: "sky.example", origin: "https://attacker.example" }))[0]).toBe(403);
  });

  it("a named origin may read answers, and asks first", async () => {
    const preflight = await fetch(`${local.url}/graphql`, {
      method: "OPTIONS",
      headers: { origin: OPEN[0]!, "access-control-request-method": "POST" },
    });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, OPEN[0]]);
    const answer = await fetch(`${local.url}/whoami`);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect(answer.headers.get("cross-origin-resource-policy")).toBe("same-origin");
  });

  it.each([
    ["127.0.0.1", true],
    ["127.8.9.1", true],
    ["localhost", true],
    ["LOCALHOST", true],
    ["::1", true],
    ["[::1]", true],
    ["::ffff:127.0.0.1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["192.168.1.1", false],
    ["127.attacker.example", false],
    ["", false],
  ])("isLoopback(%s) is %s", (host, expected) => expect(isLoopback(host)).toBe(expected));
});

describe("the token file", () => {
  it("is made once, for its owner's eyes only", () => {
    const folder = mkdtempSync(join(tmpdir(), "tocsin-token-"));
    const made = tokenOf(folder);
    expect(made.token).toMatch(/^[\w-]{43}$/);
    expect(statSync(made.path).mode & 0o777).toBe(0o600);
    expect(tokenOf(folder)).toEqual(made);
    expect(readFileSync(made.path, "utf8").trim()).toBe(made.token);
    rmSync(folder, { recursive: true });
  });
});

describe("the query page", () => {
  it("has everything it needs from this service", async () => {
    const page = await fetch(local.url);
    const html = await page.text();
    expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'.*script-src 'self'/);
    expect(html).not.toMatch(/https?:\/\//);
    const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1]!);
    expect(files).toHaveLength(7);
    for (const file of files) {
      const answer = await fetch(local.url + file);
      expect([file, answer.status]).toEqual([file, 200]);
      expect(answer.headers.get("content-type")).toMatch(/javascript|css/);
    }
  });

  it("offers examples that the schema accepts", async () => {
    const { EXAMPLES } = await import("./examples.js");
    const { parse, validate } = await import("graphql");
    const { buildTocsinSchema } = await import("../resolvers/build.js");
    const { SURVEYS } = await import("./memory.fixture.js");
    const schema = buildTocsinSchema(SURVEYS);
    expect(EXAMPLES).toHaveLength(3);
    for (const example of EXAMPLES) expect(validate(schema, parse(example))).toEqual([]);
    expect((await local.post(EXAMPLES[0]!)).errors).toBeUndefined();
    expect((await local.post(EXAMPLES[1]!)).errors).toBeUndefined();
  });
});
