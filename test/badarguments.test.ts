// Wrong arguments over the whole service: each an error with code, cause and remedy, at once, and no query for an engine.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import WebSocket from "ws";
import { alertCursor, coneCursor, queryIdentity } from "../domain/cursor.js";
import { ERROR_CODES, type ErrorCode } from "../domain/errors.js";
import type { ArchiveAddress } from "../stores/archive/http.js";
import { requestSignal } from "../stores/request.js";
import { createHitCursors } from "../subscriptions/cursor.js";
import { type Caller, caller } from "./callers.js";
import { startTestService, type TestService } from "./service.js";

interface GraphqlError {
  message: string;
  extensions: { code: ErrorCode; remedy: string; argument?: string };
}

let service: TestService;
let owner: Caller;
let filterId: string;
/** Statements sent to the archive for requests since the last look; other work goes on behind them. */
let statements: string[] = [];
vi.mock("../stores/archive/http.js", async (load) => {
  const real = await load<typeof import("../stores/archive/http.js")>();
  return {
    ...real,
    // The real client, with every query noted.
    connectArchive(address: ArchiveAddress) {
      const client = real.connectArchive(address);
      const query = client.query.bind(client);
      client.query = (...of) => {
        if (requestSignal() !== undefined) statements.push(of[0]);
        return query(...of);
      };
      return client;
    },
  };
});

beforeAll(async () => {
  service = await startTestService();
  owner = caller(service.url);
  const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
    `mutation { createFilter(input: { name: "f", survey: ZTF, where: "magpsf < 20" }) { id } }`,
  );
  filterId = createFilter.id;
});
afterAll(async () => {
  await service?.close();
});

const cone = (ra: unknown, dec: unknown, radius: unknown, more = "") =>
  `{ coneSearch(ra: ${ra}, dec: ${dec}, radiusArcsec: ${radius}${more}) { edges { cursor } } }`;
const window = (time: string) => `{ alerts(where: { time: ${time} }) { edges { cursor } } }`;
const paged = (more: string) => `{ alerts(where: { survey: ZTF }, ${more}) { edges { cursor } } }`;
const check = (where: string): [string, object] => [
  "query ($w: String!) { checkFilter(survey: ZTF, where: $w) { ok errors { line } } }",
  { w: where },
];
const nested = (levels: number) =>
  `{ alert(survey: ZTF, candid: "1") { ${"object { latestAlert { ".repeat(levels)} candid ${"} }".repeat(levels)} } }`;
const hits = "query ($f: [ID!]!, $a: String) { hits(filterIds: $f, after: $a) { edges { cursor } } }";
const ids = (count: number) => Array.from({ length: count }, (_, i) => `ZTF${i}`);
const objects = "query ($ids: [ID!]!) { objects(survey: ZTF, objectIds: $ids) { objectId } }";
const identity = queryIdentity("alerts", [["survey", "ZTF"]]);
/** A cursor of the right form with another checksum or content. */
const forged = (parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString("base64url");
/** As the service would sign it: the checksum guards against mistakes only. */
const signed = (key: [unknown, unknown, unknown]) =>
  alertCursor.encode(identity, key as unknown as [number, bigint, string]);
/** Of a hit, but with the key of another archive. */
const elsewhere = createHitCursors(new Uint8Array(16)).text(1n);
const after = (cursor: string) => paged(`after: ${JSON.stringify(cursor)}`);

/** What is asked, the code, a word of the message, and the status where it is not 200. */
type Case = [name: string, query: string | [string, object], code: ErrorCode, cause: RegExp, status?: number];
const CASES: Case[] = [
  ["radius over 10 degrees", cone(10, 10, 36_000.001), "BAD_ARGUMENT", /36,000/],
  ["negative radius", cone(10, 10, -1), "BAD_ARGUMENT", /radiusArcsec/],
  ["radius 0", cone(10, 10, 0), "BAD_ARGUMENT", /radiusArcsec/],
  ["radius NaN", cone(10, 10, '"NaN"'), "GRAPHQL_VALIDATION_FAILED", /Float/, 400],
  [
    "radius NaN in a variable",
    ["query ($r: Float!) { coneSearch(ra: 1, dec: 1, radiusArcsec: $r) { edges { cursor } } }", { r: null }],
    "BAD_ARGUMENT",
    /\$r/,
    400,
  ],
  ["radius 1e999", cone(10, 10, "1e999"), "BAD_ARGUMENT", /found Infinity/],
  ["ra below 0", cone(-0.001, 10, 1), "BAD_ARGUMENT", /ra must/],
  ["ra over 360", cone(360.001, 10, 1), "BAD_ARGUMENT", /ra must/],
  ["dec over 90", cone(10, 90.001, 1), "BAD_ARGUMENT", /dec must/],
  ["dec below -90", cone(10, -91, 1), "BAD_ARGUMENT", /dec must/],
  ["first over 1,000", paged("first: 1001"), "BAD_ARGUMENT", /1,000/],
  ["first 0", paged("first: 0"), "BAD_ARGUMENT", /first/],
  ["first negative", paged("first: -5"), "BAD_ARGUMENT", /first/],
  ["first beyond 32 bits", paged("first: 99999999999"), "GRAPHQL_VALIDATION_FAILED", /32-bit/, 400],
  ["first of a cone", cone(10, 10, 1, ", first: 1001"), "BAD_ARGUMENT", /1,000/],
  [
    "first of hits",
    ["query ($f: [ID!]!) { hits(filterIds: $f, first: 1001) { edges { cursor } } }", { f: ["x"] }],
    "BAD_ARGUMENT",
    /1,000/,
  ],
  ["first of filters", "{ filters(first: 1001) { edges { cursor } } }", "BAD_ARGUMENT", /1,000/],
  ["first of dead letters", "{ deadLetters(first: 1001) { edges { cursor } } }", "BAD_ARGUMENT", /1,000/],
  ["minutes and end", window('{ start: "JD 2460000.5", minutes: 5, end: "JD 2460001.5" }'), "BAD_ARGUMENT", /both/],
  ["neither minutes nor end", window('{ start: "JD 2460000.5" }'), "BAD_ARGUMENT", /neither/],
  ["window backwards", window('{ start: "JD 2460001.5", end: "JD 2460000.5" }'), "BAD_ARGUMENT", /after start/],
  ["window of nothing", window('{ start: "JD 2460001.5", end: "JD 2460001.5" }'), "BAD_ARGUMENT", /after start/],
  ["minutes 0", window('{ start: "JD 2460001.5", minutes: 0 }'), "BAD_ARGUMENT", /minutes/],
  ["minutes negative", window('{ start: "JD 2460001.5", minutes: -10 }'), "BAD_ARGUMENT", /minutes/],
  ["a thousand years", window('{ start: "JD 2460001.5", minutes: 525960000 }'), "BAD_ARGUMENT", /minutes/],
  ["no condition", "{ alerts(where: {}) { edges { cursor } } }", "BAD_ARGUMENT", /at least one/],
  [
    "two cones",
    '{ alerts(where: { cone: { ra: 1, dec: 1, radiusArcsec: 1 }, coneAt: { position: "1 1", radiusArcsec: 1 } }) { edges { cursor } } }',
    "BAD_ARGUMENT",
    /both/,
  ],
  ["empty objectId", '{ alerts(where: { objectId: "" }) { edges { cursor } } }', "BAD_ARGUMENT", /objectId/],
  [
    "objectId of 10,000 characters",
    `{ object(survey: ZTF, objectId: "${"x".repeat(10_000)}") { ra } }`,
    "BAD_ARGUMENT",
    /200/,
  ],
  ["1,001 ids", [objects, { ids: ids(1001) }], "BAD_ARGUMENT", /1,000/],
  ["malformed cursor", after("nonsense"), "BAD_CURSOR", /malformed/],
  ["empty cursor", after(""), "BAD_CURSOR", /cursor/],
  [
    "cursor of a million characters",
    [paged("after: $a").replace("{", "query ($a: String) {"), { a: "A".repeat(900_000) }],
    "BAD_CURSOR",
    /1000/,
  ],
  ["cursor of null", after(forged(null as unknown as unknown[])), "BAD_CURSOR", /malformed/],
  ["cursor of another list", after(coneCursor.encode(identity, [1, "ZTF", "x"])), "BAD_CURSOR", /kind/],
  ["cursor of another query", after(alertCursor.encode("other", [1, 1n, "ZTF"])), "BAD_CURSOR", /another query/],
  ["cursor altered", after(forged([1, "alert", 2460000.5, "1", "ZTF", "abc"])), "BAD_CURSOR", /altered/],
  ["cursor with a text for a number", after(signed(["x", 1n, "ZTF"])), "BAD_CURSOR", /cursor/],
  ["cursor with a text for an id", after(signed([1, "x", "ZTF"])), "BAD_CURSOR", /cursor/],
  ["cursor with an id beyond 64 bits", after(signed([1, 2n ** 70n, "ZTF"])), "BAD_CURSOR", /cursor/],
  ["cursor with a list for a survey", after(signed([1, 1n, ["ZTF"]])), "BAD_CURSOR", /cursor/],
  ["cursor with null for a number", after(signed([null, 1n, "ZTF"])), "BAD_CURSOR", /cursor/],
  ["cursor of hits elsewhere", after(elsewhere), "BAD_CURSOR", /cursor/],
  ["cursor of another archive's hits", [hits, { f: ["FILTER"], a: elsewhere }], "BAD_CURSOR", /this archive/],
  ["cursor of hits as a number", [hits, { f: ["FILTER"], a: "aGl0OjE" }], "BAD_CURSOR", /hits/],
  ["cursor of alerts for hits", [hits, { f: ["FILTER"], a: signed([1, 1n, "ZTF"]) }], "BAD_CURSOR", /hits/],
  ["unknown filter in hits", [hits, { f: ["no-such-filter"] }], "UNKNOWN_FILTER", /no-such-filter/],
  ["unknown filter beside a known one", [hits, { f: ["FILTER", "no-such-filter"] }], "UNKNOWN_FILTER", /no-such/],
  ["no filter", [hits, { f: [] }], "BAD_ARGUMENT", /from 1 to 100/],
  ["101 filters", [hits, { f: ids(101) }], "BAD_ARGUMENT", /100/],
  ["expression of 100,000 characters", check("magpsf < 20 and ".repeat(6_250)), "BAD_ARGUMENT", /10,000/],
  ["expression of nothing", check(""), "BAD_ARGUMENT", /from 1/],
  [
    "a filter of 100,000 characters",
    [
      `mutation ($w: String!) { createFilter(input: { name: "x", survey: ZTF, where: $w }) { id } }`,
      { w: "magpsf < 20 and ".repeat(6_250) },
    ],
    "BAD_ARGUMENT",
    /10,000/,
  ],
  [
    "a filter that does not parse",
    `mutation { createFilter(input: { name: "x", survey: ZTF, where: "magpsf <" }) { id } }`,
    "BAD_EXPRESSION",
    /./,
  ],
  [
    "a filter without a name",
    `mutation { createFilter(input: { name: "  ", survey: ZTF, where: "magpsf < 1" }) { id } }`,
    "BAD_ARGUMENT",
    /name/,
  ],
  ["a filter that is not there", `mutation { updateFilter(id: "x", input: {}) { id } }`, "UNKNOWN_FILTER", /x/],
  ["deep query", nested(10), "QUERY_TOO_DEEP", /12/, 400],
  ["very deep query", nested(200), "QUERY_TOO_DEEP", /12/, 400],
  [
    "10,000 aliases",
    `{ ${Array.from({ length: 10_000 }, (_, i) => `a${i}: surveys { id }`).join(" ")} }`,
    "QUERY_TOO_COMPLEX",
    /tokens/,
    400,
  ],
  [
    "200 searches",
    `{ ${Array.from({ length: 200 }, (_, i) => `a${i}: filters { edges { cursor } }`).join(" ")} }`,
    "QUERY_TOO_COMPLEX",
    /1000000/,
    400,
  ],
  [
    "fragments that unfold",
    `{ ...a0 } ${Array.from({ length: 40 }, (_, i) => `fragment a${i} on Query { ...a${i + 1} ...a${i + 1} }`).join(" ")} fragment a40 on Query { surveys { id } }`,
    "QUERY_TOO_COMPLEX",
    /./,
    400,
  ],
  ["fragments in a circle", "{ ...a } fragment a on Query { ...a }", "GRAPHQL_VALIDATION_FAILED", /itself/, 400],
  ["not GraphQL", "{ alert(", "GRAPHQL_PARSE_FAILED", /Syntax/, 400],
  ["an unknown field", "{ nothing }", "GRAPHQL_VALIDATION_FAILED", /nothing/, 400],
  ["an unknown survey", '{ object(survey: ATLAS, objectId: "x") { ra } }', "GRAPHQL_VALIDATION_FAILED", /ATLAS/, 400],
  [
    "two operations and no name",
    "query a { surveys { id } } query b { surveys { id } }",
    "BAD_REQUEST",
    /operation/,
    400,
  ],
  ["a subscription over HTTP", 'subscription { filterHits(filterIds: ["x"]) { cursor } }', "BAD_REQUEST", /./, 400],
  ["candid as a float", "{ alert(survey: ZTF, candid: 1.5) { ra } }", "BAD_ARGUMENT", /Long|64/, 400],
  ["candid as words", '{ alert(survey: ZTF, candid: "many") { ra } }', "BAD_ARGUMENT", /Long|64/, 400],
  ["a time that is none", window('{ start: "yesterday", minutes: 1 }'), "BAD_ARGUMENT", /DateTime|time/i, 400],
  ["30 February", window('{ start: "2026-02-30T00:00:00Z", minutes: 1 }'), "BAD_ARGUMENT", /./, 400],
  [
    "a place that is none",
    '{ coneSearchAt(position: "over there", radiusArcsec: 1) { edges { cursor } } }',
    "BAD_ARGUMENT",
    /Position|position/,
    400,
  ],
  [
    "a candid in a variable as a float",
    ["query ($c: Long!) { alert(survey: ZTF, candid: $c) { ra } }", { c: 2 ** 60 }],
    "BAD_ARGUMENT",
    /\$c|Long/,
    400,
  ],
  [
    "a variable that is missing",
    ["query ($c: Long!) { alert(survey: ZTF, candid: $c) { ra } }", {}],
    "BAD_ARGUMENT",
    /\$c/,
    400,
  ],
];

/** FILTER stands for the filter's id, AHEAD for a cursor of hits that this archive does not have yet. */
const withFilter = (value: object) =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll("FILTER", filterId)
      .replaceAll("AHEAD", () => service.services.hub.cursors.text(10n ** 9n)),
  ) as object;

function expectError(error: GraphqlError | undefined, code: ErrorCode, cause: RegExp): void {
  expect(error?.extensions.code, JSON.stringify(error)).toBe(code);
  expect(Object.keys(ERROR_CODES)).toContain(code);
  expect(error!.message).toMatch(cause);
  expect(error!.message.length).toBeLessThan(1_000);
  expect(error!.extensions.remedy.length).toBeGreaterThan(10);
}

describe("wrong arguments", () => {
  test.each(CASES)("%s", async (_, given, code, cause, status = 200) => {
    const [query, variables] = typeof given === "string" ? [given, {}] : [given[0], withFilter(given[1])];
    statements = [];
    const startedAt = performance.now();
    const answer = await owner.post(query, variables);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    const { errors } = JSON.parse(answer.body.toString()) as { errors?: GraphqlError[] };
    expectError(errors?.[0], code, cause);
    expect(answer.status).toBe(status);
    expect(statements).toEqual([]);

    if (code === "BAD_REQUEST" || JSON.stringify(variables).length > 250_000 || query.length > 250_000) return;
    // The same over WebSocket.
    const result = JSON.parse(await owner.overSocket(query, variables)) as { errors?: GraphqlError[] };
    expectError(result.errors?.[0], code, cause);
    expect(statements).toEqual([]);
  });

  test("right arguments do reach it", async () => {
    statements = [];
    await owner.post(paged("first: 1"));
    await owner.post(cone(10, 10, 1));
    expect(statements.length).toBeGreaterThanOrEqual(1);
  });
});

describe("bodies", () => {
  const send = (body: string, type = "application/json") =>
    owner.http("POST", "/graphql", body, { "content-type": type });
  test.each<[string, string, number, string]>([
    ["not JSON", "{", 400, "BAD_REQUEST"],
    ["nothing", "", 400, "BAD_REQUEST"],
    ["a list", "[]", 400, "BAD_REQUEST"],
    ["a batch", '[{"query":"{ surveys { id } }"}]', 400, "BAD_REQUEST"],
    ["no query", '{"variables":{}}', 400, "BAD_REQUEST"],
    ["a query that is no text", '{"query":7}', 400, "BAD_REQUEST"],
    ["variables that are a text", '{"query":"{ surveys { id } }","variables":"x"}', 400, "BAD_REQUEST"],
    [
      "2 MiB of variables",
      JSON.stringify({ query: "{ surveys { id } }", variables: { x: "y".repeat(2 ** 21) } }),
      413,
      "TOO_LARGE",
    ],
    [
      "deep JSON",
      `{"query":"{ surveys { id } }","variables":{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`,
      200,
      "",
    ],
  ])("%s", async (_, body, status, code) => {
    statements = [];
    const answer = await send(body);
    expect([answer.status, JSON.parse(answer.body.toString()).errors?.[0]?.extensions.code ?? ""]).toEqual([
      status,
      code,
    ]);
    expect(statements).toEqual([]);
  });

  test("a status of GraphQL over HTTP for whoever accepts graphql-response", async () => {
    const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
    const ask = async (query: string) =>
      (await owner.http("POST", "/graphql", JSON.stringify({ query }), headers)).status;
    expect(await ask("{ surveys { id } }")).toBe(200);
    expect(await ask("{ nothing }")).toBe(400);
  });
});

describe("filterHits", () => {
  const refused = async (variables: object) => {
    const { results, stop } = owner.subscribe(
      "subscription ($f: [ID!]!, $a: String) { filterHits(filterIds: $f, after: $a) { cursor } }",
      variables,
    );
    await expect.poll(() => results.length).toBe(1);
    await stop();
    return JSON.parse(results[0]!.replace(/^error /, "")) as GraphqlError[];
  };
  test.each<[string, object, ErrorCode, RegExp]>([
    ["unknown filter", { f: ["no-such-filter"] }, "UNKNOWN_FILTER", /no-such-filter/],
    ["no filter", { f: [] }, "BAD_ARGUMENT", /from 1 to 100/],
    ["101 filters", { f: ids(101) }, "BAD_ARGUMENT", /100/],
    ["malformed cursor", { f: ["FILTER"], a: "nonsense" }, "BAD_CURSOR", /cursor/],
    ["cursor ahead of the archive", { f: ["FILTER"], a: "AHEAD" }, "BAD_CURSOR", /ahead/],
    ["cursor of another archive", { f: ["FILTER"], a: elsewhere }, "BAD_CURSOR", /this archive/],
    ["cursor of alerts", { f: ["FILTER"], a: signed([1, 1n, "ZTF"]) }, "BAD_CURSOR", /cursor/],
  ])("%s", async (_, variables, code, cause) => {
    statements = [];
    const [error] = await refused(withFilter(variables));
    expectError(error, code, cause);
    // Hits that another process has numbered are not heard of yet: only the archive knows what lies ahead of it.
    expect(statements.filter((text) => !text.includes("FROM hits ORDER BY seq DESC LIMIT 1"))).toEqual([]);
  });

  test("10,000 operations on one socket are refused beyond 100, and the socket lives", async () => {
    const socket = new WebSocket(service.url.replace("http", "ws").concat("/graphql"), "graphql-transport-ws");
    const codes: string[] = [];
    let pong = false;
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as { type: string; payload?: GraphqlError[] };
      if (message.type === "error") codes.push(message.payload![0]!.extensions.code);
      if (message.type === "pong") pong = true;
    });
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send(JSON.stringify({ type: "connection_init" }));
    await new Promise((resolve) => socket.once("message", resolve));
    const query = "subscription ($f: [ID!]!) { filterHits(filterIds: $f) { cursor } }";
    for (let i = 0; i < 300; i += 1) {
      socket.send(
        JSON.stringify({ id: String(i), type: "subscribe", payload: { query, variables: { f: [filterId] } } }),
      );
    }
    socket.send(JSON.stringify({ type: "ping" }));
    await expect.poll(() => pong && codes.length).toBe(200);
    expect(new Set(codes)).toEqual(new Set(["TOO_MANY_SUBSCRIPTIONS"]));
    socket.close();
  });
});

describe("cutouts", () => {
  test.each<[string, number, string]>([
    ["/cutouts/ATLAS/1/science", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/many/science", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/99999999999999999999/science", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/1.5/science", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/1/portrait", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/1/science.gif", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/1/science.png?stretch=odd", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/1/science.png?size=100000", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/1/science.png?size=64&size=65", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/1/science.png?cmap[a]=gray", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/1/science?format=fits&__proto__=1", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/%00/science", 400, "BAD_ARGUMENT"],
    ["/cutouts/ZTF/%E0%A4%A/science", 400, "BAD_REQUEST"],
    ["/cutouts/..%2f..%2fetc/passwd/science", 400, "BAD_ARGUMENT"],
  ])("%s", async (path, status, code) => {
    statements = [];
    const answer = await owner.http("GET", path);
    const { errors } = JSON.parse(answer.body.toString()) as { errors: GraphqlError[] };
    expect([answer.status, errors[0]!.extensions.code]).toEqual([status, code]);
    expect(errors[0]!.extensions.remedy).not.toBe("");
    expect(statements).toEqual([]);
  });
});
