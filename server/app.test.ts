// The API over real HTTP and WebSocket requests, on stores in memory that note every call.
import { connect, createServer } from "node:net";
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { type Answer, type MemoryService, objectId, startMemoryService } from "./memory.fixture.js";

let service: MemoryService;
beforeAll(async () => {
  service = await startMemoryService();
});
afterAll(() => service.close());

const code = (answer: Answer) => answer.errors?.[0]?.extensions.code;

describe("queries over HTTP", () => {
  it("show 64-bit ids, times and missing values exactly", async () => {
    const { data } = await service.post(
      `{ alert(survey: ZTF, candid: "2000000000000000001") {
           candid time jd flux magnitude packet fields(names: ["magpsf"]) cutouts { science } object { alertCount } } }`,
    );
    expect(data.alert).toEqual({
      candid: "2000000000000000001",
      time: "2023-02-25T00:01:26.400Z",
      jd: 2460000.501,
      flux: null,
      magnitude: 18.5,
      packet: { survey: "ZTF", candid: "2000000000000000001", drb: null, isdiffpos: "t" },
      fields: { magpsf: 18.5 },
      cutouts: { science: "/cutouts/ZTF/2000000000000000001/science" },
      object: { alertCount: 2 },
    });
  });

  it("may come as they are written, without JSON around them", async () => {
    const sent = async (body: string, type = "application/graphql") =>
      (await fetch(`${service.url}/graphql`, { method: "POST", headers: { "content-type": type }, body })).json();
    expect(await sent(`{ surveys { id } } # a comment, "quotes"\n`)).toEqual({
      data: { surveys: [{ id: "ZTF" }, { id: "LSST" }] },
    });
    expect(code((await sent("{ surveys { name } }")) as Answer)).toBe("GRAPHQL_VALIDATION_FAILED");
    expect(code((await sent("x".repeat(2 ** 20 + 1))) as Answer)).toBe("TOO_LARGE");
    // What a form of any web page could send is none.
    expect(await sent("{ surveys { id } }", "text/plain")).not.toHaveProperty("data");
  });

  it("turn 1,000 light curves into one query", async () => {
    service.calls.length = 0;
    const ids = [...Array.from({ length: 999 }, (_, i) => objectId(i)), "ZTFunknown"];
    const { data } = await service.post(
      `query ($ids: [ID!]!) { objects(survey: ZTF, objectIds: $ids) {
         objectId lightCurve { detections { candid time jd band magnitude } forced { jd zeroPoint } } latestAlert { candid } alerts(first: 1) { edges { cursor node { candid } } pageInfo { hasNextPage } } counterparts { separationArcsec object { objectId } } } }`,
      { ids },
    );
    expect(data.objects).toHaveLength(1000);
    expect(data.objects[999]).toBeNull();
    expect(data.objects[7].lightCurve.detections.map((p: { candid: string }) => p.candid)).toEqual([
      "2000000000000000014",
      "2000000000000000015",
    ]);
    expect(data.objects[7].alerts.edges[0].node).toEqual(data.objects[7].latestAlert);
    expect(data.objects[7].alerts.pageInfo.hasNextPage).toBe(true);
    expect(service.calls.sort()).toEqual([
      "alerts.byCandid",
      "alerts.pagePerObject",
      "links.counterparts",
      "objects.byIds",
      "photometry.lightCurves",
    ]);
  });

  it("page through everything once, in order, by cursors", async () => {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data }: Answer = await service.post(
        `query ($after: String) { alerts(where: { survey: ZTF }, first: 300, after: $after) {
           edges { cursor node { candid } } pageInfo { hasNextPage endCursor } } }`,
        { after },
      );
      seen.push(...data.alerts.edges.map((edge: { node: { candid: string } }) => edge.node.candid));
      after = data.alerts.pageInfo.hasNextPage ? data.alerts.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(service.alerts.map((alert) => String(alert.candid)).reverse());
  });

  it("accept the notations that people type", async () => {
    const count = async (time: string) =>
      (await service.post(`{ alerts(where: { time: ${time} }) { pageInfo { endCursor } } }`)).errors;
    expect(await count(`{ start: "2023-02-25T00:00:00Z", minutes: 5 }`)).toBeUndefined();
    expect(await count(`{ start: "JD 2460000.5", end: "MJD 60001" }`)).toBeUndefined();
    expect(await count(`{ start: 2460000.5, end: 60001.0 }`)).toBeUndefined();
    for (const position of ["10:45:03.6 +41:16:08", "10h45m03.6s +41d16m08s", "161.265 41.269"]) {
      const answer = await service.post(
        `query ($p: Position!) { coneSearchAt(position: $p, radiusArcsec: 5, first: 1) { edges { separationArcsec } } }`,
        { p: position },
      );
      expect(answer.data.coneSearchAt.edges).toHaveLength(1);
    }
  });
});

describe("wrong arguments", () => {
  const e = "edges { cursor }";
  const cone = "radiusArcsec: 5";
  it.each([
    ["first", `{ alerts(where: { survey: ZTF }, first: 1001) { ${e} } }`, "BAD_ARGUMENT", /first.*1,000/],
    ["first of nothing", `{ coneSearch(ra: 1, dec: 1, ${cone}, first: 0) { ${e} } }`, "BAD_ARGUMENT", /first/],
    ["huge first", `{ alerts(where: { survey: ZTF }, first: 2000000000) { ${e} } }`, "BAD_ARGUMENT", /first/],
    ["radius", `{ coneSearch(ra: 1, dec: 1, radiusArcsec: 36000.1) { ${e} } }`, "BAD_ARGUMENT", /36,000/],
    ["no radius", `{ coneSearch(ra: 1, dec: 1, radiusArcsec: 0) { ${e} } }`, "BAD_ARGUMENT", /radiusArcsec/],
    ["ra", `{ coneSearch(ra: 361, dec: 1, ${cone}) { ${e} } }`, "BAD_ARGUMENT", /ra .*360/],
    ["dec", `{ coneSearch(ra: 1, dec: -91, ${cone}) { ${e} } }`, "BAD_ARGUMENT", /dec .*90/],
    ["position", `{ coneSearchAt(position: "up there", ${cone}) { ${e} } }`, "BAD_ARGUMENT", /position/i],
    ["no condition", `{ alerts(where: {}) { ${e} } }`, "BAD_ARGUMENT", /at least one condition/],
    ["neither", `{ alerts(where: { time: { start: "2023-01-01" } }) { ${e} } }`, "BAD_ARGUMENT", /neither/],
    [
      "both",
      `{ alerts(where: { time: { start: "2023-01-01", minutes: 1, end: "2023-01-02" } }) { ${e} } }`,
      "BAD_ARGUMENT",
      /both/,
    ],
    [
      "backwards",
      `{ alerts(where: { time: { start: "2023-01-02", end: "2023-01-01" } }) { ${e} } }`,
      "BAD_ARGUMENT",
      /end must be after start/,
    ],
    ["time", `{ alerts(where: { time: { start: "yesterday", minutes: 1 } }) { ${e} } }`, "BAD_ARGUMENT", /ISO 8601/],
    ["long", `{ alert(survey: ZTF, candid: "1.5") { candid } }`, "BAD_ARGUMENT", /Long/],
    ["long too long", `{ alert(survey: ZTF, candid: 18446744073709551616) { candid } }`, "BAD_ARGUMENT", /Long/],
    ["cursor", `{ alerts(where: { survey: ZTF }, after: "x") { ${e} } }`, "BAD_CURSOR", /malformed/],
    ["filter", `{ hits(filterIds: ["nope"]) { ${e} } }`, "UNKNOWN_FILTER", /nope/],
    ["no filters", `{ hits(filterIds: []) { ${e} } }`, "BAD_ARGUMENT", /filterIds/],
    ["expression", `{ checkFilter(survey: ZTF, where: "${"x".repeat(100_000)}") { ok } }`, "BAD_ARGUMENT", /10,000/],
    [
      "own field",
      `{ alert(survey: ZTF, candid: "2000000000000000000") { fields(names: ["drb; DROP"]) } }`,
      "BAD_ARGUMENT",
      /filterFields/,
    ],
    ["survey", `{ object(survey: ATLAS, objectId: "x") { ra } }`, "GRAPHQL_VALIDATION_FAILED", /ATLAS/],
    ["field", "{ nothing }", "GRAPHQL_VALIDATION_FAILED", /nothing/],
    ["syntax", "{ alert(", "GRAPHQL_PARSE_FAILED", /Syntax/],
  ])("%s: a code, the cause and a remedy, and no load", async (_, query, expected, cause) => {
    service.calls.length = 0;
    const answer = await service.post(query);
    expect(answer.errors?.[0]?.message).toMatch(cause);
    expect(code(answer)).toBe(expected);
    expect(String(answer.errors?.[0]?.extensions.remedy).length).toBeGreaterThan(10);
    expect(service.calls.filter((call) => !/^filters\.byIds$|^alerts\.byCandid$/.test(call))).toEqual([]);
  });

  it("in variables are named too", async () => {
    const answer = await service.post(`query ($c: Long!) { alert(survey: ZTF, candid: $c) { candid } }`, {
      c: 2 ** 60,
    });
    expect(code(answer)).toBe("BAD_ARGUMENT");
    expect(answer.errors?.[0]?.message).toMatch(/Long must be an integer/);
    expect(answer.errors?.[0]?.extensions.remedy).toMatch(/decimal string/);
    const ids = Array.from({ length: 1001 }, (_, i) => `o${i}`);
    const many = await service.post(`query ($i: [ID!]!) { objects(survey: ZTF, objectIds: $i) { ra } }`, { i: ids });
    expect(many.errors?.[0]?.message).toMatch(/objectIds.*1,000.*1,001/);
  });

  it("a cursor of another query is told from a good one", async () => {
    const page = (where: string, after?: string) =>
      service.post(
        `query ($a: String) { alerts(where: { ${where} }, first: 1, after: $a) { pageInfo { endCursor } } }`,
        {
          a: after,
        },
      );
    const { data } = await page("survey: ZTF");
    const cursor = data.alerts.pageInfo.endCursor;
    expect((await page("survey: ZTF", cursor)).errors).toBeUndefined();
    expect(code(await page(`objectId: "x"`, cursor))).toBe("BAD_CURSOR");
    expect(code(await page("survey: ZTF", service.hub.cursors.text(3n)))).toBe("BAD_CURSOR");
  });
});

describe("queries that cost too much", () => {
  it.each([
    ["10,000 aliases", `{ ${Array.from({ length: 10_000 }, (_, i) => `a${i}: __typename`).join(" ")} }`],
    ["many searches", `{ ${Array.from({ length: 101 }, (_, i) => `a${i}: filters { edges { cursor } }`).join(" ")} }`],
    [
      "a wide tree",
      "{ filters { edges { cursor } } alerts(where: { survey: ZTF }, first: 1000) { edges { node { object { alerts(first: 1000) { edges { node { candid } } } } } } } }",
    ],
    [
      "fragments that unfold",
      `{ surveys { ...f0 } } ${Array.from({ length: 40 }, (_, i) => `fragment f${i} on SurveyInfo { id ...f${i + 1} ... { ...f${i + 1} } }`).join(" ")} fragment f40 on SurveyInfo { id }`,
    ],
  ])("%s: refused at once", async (_, query) => {
    service.calls.length = 0;
    const start = performance.now();
    const answer = await service.post(query);
    expect(code(answer)).toBe("QUERY_TOO_COMPLEX");
    expect(answer.status).toBe(400);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(service.calls).toEqual([]);
  });

  it("an absent first counts as the page that it gives", async () => {
    const pages = (first: string) =>
      `{ alerts(where: { survey: ZTF }, first: ${first}) { edges { node { object { alerts(first: ${first}) { edges { node { ${Array.from({ length: 120 }, (_, i) => `f${i}: jd`).join(" ")} } } } } } } } }`;
    expect(code(await service.post(pages("100")))).toBe("QUERY_TOO_COMPLEX");
    expect(code(await service.post(pages("null")))).toBe("QUERY_TOO_COMPLEX");
  });

  it("variables count", async () => {
    const query = `query ($n: Int!) { alerts(where: { survey: ZTF }, first: $n) { edges { node { object { alerts(first: $n) { edges { cursor } } } } } } }`;
    expect((await service.post(query, { n: 10 })).errors).toBeUndefined();
    expect(code(await service.post(query, { n: 1000 }))).toBe("QUERY_TOO_COMPLEX");
  });

  it("a deep query is refused, also through fragments", async () => {
    const deep = (levels: number): string =>
      levels === 0 ? "objectId" : `object { latestAlert { ${deep(levels - 1)} } }`;
    const answer = await service.post(
      `{ alert(survey: ZTF, candid: "1") { ...d } } fragment d on Alert { ${deep(6)} }`,
    );
    expect(code(answer)).toBe("QUERY_TOO_DEEP");
  });

  it("introspection as tools ask for it is answered", async () => {
    const { getIntrospectionQuery } = await import("graphql");
    expect((await service.post(getIntrospectionQuery())).data.__schema.queryType.name).toBe("Query");
  });
});

describe("faults", () => {
  it("of a store are masked, logged once, and named by an id", async () => {
    const own = service.stores.photometry;
    const real = own.lightCurves;
    own.lightCurves = async () => {
      throw new Error("password=hunter2 at 10.0.0.1");
    };
    service.logged.length = 0;
    const answer = await service.post(
      `query ($i: [ID!]!) { objects(survey: ZTF, objectIds: $i) { lightCurve { detections { jd } } } }`,
      { i: [objectId(1), objectId(2), objectId(3)] },
    );
    own.lightCurves = real;
    expect(answer.errors).toHaveLength(3);
    expect(code(answer)).toBe("INTERNAL");
    expect(JSON.stringify(answer)).not.toMatch(/hunter2/);
    expect(service.logged).toHaveLength(1);
    expect(service.logged[0]).toMatch(/hunter2/);
    expect(service.logged[0]).toContain(String(answer.errors?.[0]?.extensions.id));
  });

  it("bodies: too large, not JSON, no query, a batch, a form", async () => {
    const send = async (body: string, type = "application/json") => {
      const response = await fetch(`${service.url}/graphql`, {
        method: "POST",
        headers: { "content-type": type },
        body,
      });
      return [response.status, code((await response.json()) as Answer)];
    };
    expect(await send(JSON.stringify({ query: `{ __typename } # ${"x".repeat(1_100_000)}` }))).toEqual([
      413,
      "TOO_LARGE",
    ]);
    expect(await send("{")).toEqual([400, "BAD_REQUEST"]);
    expect(await send("{}")).toEqual([400, "BAD_REQUEST"]);
    expect(await send("[]")).toEqual([400, "BAD_REQUEST"]);
    expect(await send("query=%7B__typename%7D", "application/x-www-form-urlencoded")).toEqual([400, "BAD_REQUEST"]);
    expect((await fetch(`${service.url}/graphql`)).status).toBe(400);
    expect((await fetch(`${service.url}/nowhere`)).status).toBe(404);
  });

  it("a taken port is said in a sentence", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    await expect(startMemoryService({ port })).rejects.toMatchObject({ code: "PORT_TAKEN" });
    other.close();
  });

  it("health says that the process lives, ready whether the engines answer", async () => {
    const status = async (path: string) => (await fetch(`${service.url}${path}`)).status;
    expect([await status("/health"), await status("/ready")]).toEqual([200, 200]);
    service.health.ok = false;
    expect([await status("/health"), await status("/ready")]).toEqual([200, 503]);
    service.health.ok = true;
  });
});

it("a request ends at its time limit", async () => {
  const slow = await startMemoryService({ limits: { timeLimitMs: 100 } });
  slow.stores.alerts.page = () => new Promise(() => {});
  const answer = await slow.post(`{ alerts(where: { survey: ZTF }) { edges { cursor } } }`);
  expect(code(answer)).toBe("QUERY_TIMEOUT");
  await slow.close();
});

describe("live hits through this schema", () => {
  it("arrive over graphql-ws and page by the same cursors", async () => {
    const made = await service.post(
      `mutation { createFilter(input: { name: "all", survey: ZTF, where: "magpsf < 19" }) { id active version { number createdAt } versions { number } } }`,
    );
    expect(made.data.createFilter).toMatchObject({
      active: true,
      version: { number: 1, createdAt: "2026-01-01T00:00:00.000Z" },
      versions: [{ number: 1 }],
    });
    const filterId = made.data.createFilter.id;
    const hit = (seq: bigint) => {
      const alert = service.alerts[Number(seq)]!;
      const { survey, candid, objectId, jd, programid } = alert;
      const stored = { seq, filterId, filterVersion: 1, survey, candid, objectId, jd, programid };
      return { ...stored, passedAt: Date.UTC(2026, 0, 2), annotations: '{"peak":18.5}', alert };
    };
    const end = async (after: string | null) => {
      const query =
        "query ($f: [ID!]!, $a: String) { hits(filterIds: $f, after: $a) { pageInfo { hasNextPage endCursor } } }";
      return (await service.post(query, { f: [filterId], a: after })).data.hits.pageInfo;
    };
    const start = service.hub.cursors.text(0n);
    expect(await end(null)).toEqual({ hasNextPage: false, endCursor: start });
    expect(await end(start)).toEqual({ hasNextPage: false, endCursor: start });
    service.hits.push(hit(1n), hit(2n));
    service.hub.publish([hit(1n), hit(2n)]);
    const client = createClient({ url: `ws://127.0.0.1:${service.port}/graphql`, webSocketImpl: WebSocket });
    const events = client.iterate<{ filterHits: { cursor: string; alert: { candid: string } } }>({
      query: `subscription ($f: [ID!]!, $a: String) { filterHits(filterIds: $f, after: $a) {
        cursor filterVersion passedAt annotations alert { candid object { alertCount } } } }`,
      variables: { f: [filterId], a: service.hub.cursors.text(1n) },
    });
    const first = await events.next();
    service.hits.push(hit(3n));
    service.hub.publish([hit(3n)]);
    const second = await events.next();
    expect([first, second].map((event) => event.value?.data?.filterHits)).toEqual(
      [2n, 3n].map((seq) => ({
        cursor: service.hub.cursors.text(seq),
        filterVersion: 1,
        passedAt: "2026-01-02T00:00:00.000Z",
        annotations: { peak: 18.5 },
        alert: { candid: String(service.alerts[Number(seq)]?.candid), object: { alertCount: 2 } },
      })),
    );
    await events.return?.();
    const { data } = await service.post(
      `query ($f: [ID!]!, $a: String) { hits(filterIds: $f, first: 1, after: $a) { edges { cursor node { cursor alert { candid } } } pageInfo { hasNextPage endCursor } } }`,
      { f: [filterId], a: service.hub.cursors.text(1n) },
    );
    expect(data.hits.edges).toEqual([
      {
        cursor: service.hub.cursors.text(2n),
        node: { cursor: service.hub.cursors.text(2n), alert: { candid: "2000000000000000002" } },
      },
    ]);
    expect(data.hits.pageInfo).toEqual({ hasNextPage: true, endCursor: service.hub.cursors.text(2n) });
    const last = service.hub.cursors.text(3n);
    expect([await end(start), await end(last)]).toEqual([1, 2].map(() => ({ hasNextPage: false, endCursor: last })));
    for (const [variables, expected] of [
      [{ f: ["nope"] }, "UNKNOWN_FILTER"],
      [{ f: [filterId], a: "junk" }, "BAD_CURSOR"],
      [{ f: [] }, "BAD_ARGUMENT"],
    ] as const) {
      const refused = client.iterate({
        query: `subscription ($f: [ID!]!, $a: String) { filterHits(filterIds: $f, after: $a) { cursor } }`,
        variables,
      });
      await expect(refused.next()).rejects.toMatchObject([{ extensions: { code: expected } }]);
    }
    await client.dispose();
  });

  it("a bad expression says where", async () => {
    const answer = await service.post(
      `mutation { createFilter(input: { name: "bad", survey: ZTF, where: "(((" }) { id } }`,
    );
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: "BAD_EXPRESSION",
      errors: [{ message: "unexpected (", line: 1, column: 3 }],
    });
  });
});

it("close() ends idle connections and frees the port", async () => {
  const other = await startMemoryService();
  const idle = connect(other.port, "127.0.0.1");
  const gone = new Promise((resolve) => idle.once("close", resolve));
  await new Promise((resolve) => idle.once("connect", resolve));
  await other.close();
  await gone;
  await expect(fetch(`${other.url}/health`)).rejects.toThrow();
});
