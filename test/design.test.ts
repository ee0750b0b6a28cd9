// Designing a filter over real alerts, through the API: backtest, reasons, conditions of queries, funnel, cost, quota and
// differences of versions, against the hits of the live stream and the packets' own values.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const { alerts: PACKETS } = JSON.parse(readFileSync(join(SHARED, "data/expected/ztf.json"), "utf8")) as {
  alerts: {
    candid: string;
    objectId: string;
    jd: number;
    rb: number;
    drb: number | null;
    magpsf: number;
    isdiffpos: boolean;
  }[];
};
type Packet = (typeof PACKETS)[number];

const WHERE = "drb > 0.5 and magpsf < 19 -- not faint\n  and isPositive";
const passes = (packet: Packet) => Number(packet.drb) > 0.5 && packet.magpsf < 19 && packet.isdiffpos;
const ANNOTATIONS = [
  { name: "mag", expression: "round(magpsf, 3)" },
  { name: "id", expression: "candid" },
];
const WINDOW = { start: "2020-01-01T00:00:00Z", end: "2024-01-01T00:00:00Z" };
const byTime = (a: Packet, b: Packet) => a.jd - b.jd || (BigInt(a.candid) < BigInt(b.candid) ? -1 : 1);
const PASSING = PACKETS.filter(passes).sort(byTime);
const candids = (edges: readonly { node: { candid: string } }[]) => edges.map(({ node }) => node.candid);

/** How many of the real alerts each example passes. */
const EXAMPLES_PASS = {
  ...{ "agn-flare": 0, "bright-transient": 4, "cataclysmic-variable": 0, "infant-supernova": 0, kilonova: 0 },
  ...{ "known-asteroid-outburst": 0, microlensing: 0, "moving-object": 0, nova: 0, "nuclear-transient": 2, orphan: 1 },
  ...{ superluminous: 0, "supernova-ia": 4, "tidal-disruption": 0, "young-stellar-object": 0, "young-supernova": 2 },
};

interface Shown {
  scanned: string;
  passed: string;
  nights: { night: string; scanned: string; passed: string }[];
  edges: { cursor: string; node: { candid: string }; annotations: Record<string, unknown> | null }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

let service: TestService;
let filterId: string;
/** Filters of the library, by name, that ran on the stream. */
const examples = new Map<string, { id: string; where: string }>();

beforeAll(async () => {
  service = await startTestService({ FILTER_COST_LIMIT: "8", SKY_INDEX_MB: "0" });
  const made = await service.ask<{ createFilter: { id: string } }>(
    `mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }`,
    { input: { name: "bright", survey: "ZTF", where: WHERE, annotations: ANNOTATIONS } },
  );
  filterId = made.createFilter.id;
  const { filterExamples } = await service.ask<{ filterExamples: { name: string; where: string }[] }>(
    `{ filterExamples(survey: ZTF) { name where } }`,
  );
  for (const { name, where } of filterExamples) {
    const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
      `mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }`,
      { input: { name, survey: "ZTF", where } },
    );
    examples.set(name, { id: createFilter.id, where });
  }
  await service.ingest(join(SHARED, "data/ztf"));
});
afterAll(async () => {
  await service?.close();
});

const backtest = async (variables: object, fields = "scanned passed nights { night scanned passed }") =>
  (
    await service.ask<{ backtest: Shown }>(
      `query ($where: String!, $window: TimeWindow!, $annotations: [AnnotationInput!], $first: Int, $after: String) {
        backtest(survey: ZTF, where: $where, window: $window, annotations: $annotations, first: $first, after: $after) {
          ${fields} edges { cursor node { candid } annotations } pageInfo { hasNextPage endCursor } } }`,
      { where: WHERE, window: WINDOW, ...variables },
    )
  ).backtest;

describe("designing a filter", () => {
  it("backtests what the live stream has passed, with its annotations", async () => {
    const live = await vi.waitFor(async () => {
      const { hits } = await service.ask<{
        hits: { edges: { node: { annotations: unknown; alert: { candid: string } } }[] };
      }>(`query ($ids: [ID!]!) { hits(filterIds: $ids) { edges { node { annotations alert { candid } } } } }`, {
        ids: [filterId],
      });
      expect(hits.edges).toHaveLength(PASSING.length);
      return hits.edges.map(({ node }) => node);
    });
    const whole = await backtest({ annotations: ANNOTATIONS });
    expect(whole).toMatchObject({ scanned: String(PACKETS.length), passed: String(PASSING.length) });
    expect(candids(whole.edges)).toEqual(PASSING.map(({ candid }) => candid));
    const annotated = new Map(live.map(({ alert, annotations }) => [alert.candid, annotations]));
    for (const { node, annotations } of whole.edges) expect(annotations).toEqual(annotated.get(node.candid));
    const sum = (of: "scanned" | "passed") => whole.nights.reduce((total, night) => total + Number(night[of]), 0);
    expect([sum("scanned"), sum("passed")]).toEqual([PACKETS.length, PASSING.length]);
    expect(whole.nights.map(({ night }) => night)).toEqual([...whole.nights.map(({ night }) => night)].sort());
  });

  it("passes by each example in a backtest what it has passed on the stream, history and features included", async () => {
    const passed: Record<string, number> = {};
    for (const [name, { id, where }] of examples) {
      const { hits } = await service.ask<{ hits: { edges: { node: { alert: { candid: string } } }[] } }>(
        `query ($ids: [ID!]!) { hits(filterIds: $ids, first: 1000) { edges { node { alert { candid } } } } }`,
        { ids: [id] },
      );
      const again = await backtest({ where, first: 1000 });
      const live = hits.edges.map(({ node }) => node.alert.candid);
      expect([name, [...candids(again.edges)].sort()]).toEqual([name, live.sort()]);
      passed[name] = live.length;
    }
    expect(passed).toEqual(EXAMPLES_PASS);
  });

  it("pages through a backtest, and its cursor fits no other", async () => {
    const found: string[] = [];
    let after: string | null = null;
    for (let more = true; more; ) {
      const page: Shown = await backtest({ first: 3, after }, "");
      found.push(...candids(page.edges));
      more = page.pageInfo.hasNextPage;
      after = page.pageInfo.endCursor;
    }
    expect(found).toEqual(PASSING.map(({ candid }) => candid));
    await expect(backtest({ after, where: "drb > 0.6" })).rejects.toThrow("BAD_CURSOR");
    await expect(backtest({ where: "drb >" })).rejects.toThrow("BAD_EXPRESSION");
    await expect(backtest({ window: { start: WINDOW.start } })).rejects.toThrow("BAD_ARGUMENT: window");
  });

  it("explains every alert by its own values", async () => {
    for (const packet of PACKETS.slice(0, 12)) {
      const { explain } = await service.ask<{ explain: { passes: boolean; clauses: Record<string, unknown>[] } }>(
        `query ($candid: Long!, $where: String!) { explain(survey: ZTF, candid: $candid, where: $where) {
          passes clauses { text line column passes values } } }`,
        { candid: packet.candid, where: WHERE },
      );
      expect(explain).toEqual({
        passes: passes(packet),
        clauses: [
          { text: "drb > 0.5", line: 1, column: 1, passes: Number(packet.drb) > 0.5, values: { drb: packet.drb } },
          { text: "magpsf < 19", line: 1, column: 15, passes: packet.magpsf < 19, values: { magpsf: packet.magpsf } },
          {
            text: "isPositive",
            line: 2,
            column: 7,
            passes: packet.isdiffpos,
            values: { isPositive: packet.isdiffpos },
          },
        ],
      });
    }
    const nobody = service.ask(`{ explain(survey: ZTF, candid: 1, where: "drb > 1") { passes } }`);
    await expect(nobody).rejects.toThrow("NOT_FOUND");
  });

  it("finds alerts that match, newest first, together with other conditions", async () => {
    const alerts = async (where: object, first = 100, after: string | null = null) =>
      (
        await service.ask<{ alerts: Shown }>(
          `query ($where: AlertWhere!, $first: Int, $after: String) { alerts(where: $where, first: $first, after: $after) {
            edges { node { candid } } pageInfo { hasNextPage endCursor } } }`,
          { where, first, after },
        )
      ).alerts;
    const newest = [...PASSING].reverse().map(({ candid }) => candid);
    expect(candids((await alerts({ survey: "ZTF", matches: WHERE })).edges)).toEqual(newest);
    const { objectId } = PASSING[0]!;
    const own = await alerts({ survey: "ZTF", matches: WHERE, objectId });
    expect(candids(own.edges)).toEqual(
      [...PASSING]
        .reverse()
        .filter((p) => p.objectId === objectId)
        .map((p) => p.candid),
    );
    const first = await alerts({ survey: "ZTF", matches: WHERE }, 2);
    const second = await alerts({ survey: "ZTF", matches: WHERE }, 2, first.pageInfo.endCursor);
    expect([...candids(first.edges), ...candids(second.edges)]).toEqual(newest.slice(0, 4));
    await expect(alerts({ matches: WHERE })).rejects.toThrow("BAD_ARGUMENT: where must have survey");
  });

  it("measures cost, alerts per night and what each clause removes", async () => {
    const where = "rb > 0 and magpsf < 19 and drb > 0.5 and drb > 0.3 and magpsf < 99";
    const { checkFilter } = await service.ask<{ checkFilter: Record<string, never> }>(
      `query ($where: String!) { checkFilter(survey: ZTF, where: $where) { ok warnings { message } fieldsRead alertsPerNight
        cost { milliseconds medians limit }
        funnel(nights: 10) { scanned oneOf passed perNight nights { night alerts }
          clauses { text remaining removes removesAlone note } } } }`,
      { where },
    );
    const tests: ((p: Packet) => boolean)[] = [
      (p) => p.rb > 0,
      (p) => p.magpsf < 19,
      (p) => Number(p.drb) > 0.5,
      (p) => Number(p.drb) > 0.3,
      () => true,
    ];
    const passed = PACKETS.filter((p) => tests.every((holds) => holds(p))).length;
    const { funnel } = checkFilter as unknown as { funnel: { clauses: Record<string, unknown>[]; nights: unknown[] } };
    expect(funnel).toMatchObject({ scanned: String(PACKETS.length), oneOf: 1, passed: String(passed) });
    funnel.clauses.forEach((clause, n) => {
      expect(clause).toMatchObject({
        remaining: String(PACKETS.filter((p) => tests.slice(0, n + 1).every((holds) => holds(p))).length),
        removes: String(PACKETS.filter((p) => !tests[n]!(p)).length),
        removesAlone: String(PACKETS.filter((p) => tests.every((holds, m) => holds(p) === (m !== n))).length),
      });
    });
    expect(funnel.clauses[4]).toMatchObject({ note: "It removes none of these alerts." });
    expect(checkFilter).toMatchObject({
      ok: true,
      fieldsRead: ["rb", "magpsf", "drb"],
      cost: { limit: 8, medians: expect.any(Number) as number },
      warnings: [
        { message: expect.stringContaining("drb > 0.3 removes nothing") as string },
        { message: expect.any(String) as string },
      ],
    });
    const broken = `{ checkFilter(survey: ZTF, where: "drb >") { ok cost { medians } funnel { passed } alertsPerNight } }`;
    expect(await service.ask(broken)).toEqual({
      checkFilter: { ok: false, cost: null, funnel: null, alertsPerNight: null },
    });
  });

  it("has no example, nor the published filter, that costs too much by the quota of the house", async () => {
    const published = readFileSync(new URL("../docs/examples/cats150.filter", import.meta.url), "utf8");
    for (const [name, where] of [["cats150", published], ...[...examples].map(([name, { where }]) => [name, where])]) {
      const { checkFilter } = await service.ask<{ checkFilter: { ok: boolean; cost: { medians: number } } }>(
        `query ($where: String!) { checkFilter(survey: ZTF, where: $where) { ok cost { medians } } }`,
        { where },
      );
      expect([name, checkFilter.ok, checkFilter.cost.medians < 50]).toEqual([name, true, true]);
    }
  });

  it("refuses to activate what costs too much, and says which clause does", async () => {
    const terms = Array.from({ length: 60 }, (_, n) => `separation(ra, dec, ${n}.5, ${n})`);
    const dear = terms.map((term) => `${term} < 0`).join(" or ");
    const input = { name: "dear", survey: "ZTF", where: `drb > 0.5 and (${dear})` };
    const create = (more: object) =>
      service.ask<{ createFilter: { id: string } }>(
        `mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }`,
        { input: { ...input, ...more } },
      );
    await expect(create({})).rejects.toThrow(/^FILTER_TOO_COSTLY: .*dearest clause, at line 1, column 1[56]/);
    const { createFilter } = await create({ active: false });
    const activate = `mutation ($id: ID!, $input: UpdateFilterInput!) { updateFilter(id: $id, input: $input) { active } }`;
    const { id } = createFilter;
    await expect(service.ask(activate, { id, input: { active: true } })).rejects.toThrow("FILTER_TOO_COSTLY");
    expect(await service.ask(activate, { id, input: { active: true, where: "drb > 0.5" } })).toEqual({
      updateFilter: { active: true },
    });
    await expect(service.ask(activate, { id, input: { where: input.where } })).rejects.toThrow("FILTER_TOO_COSTLY");
    // What a filter tells of each hit is paid for by the hit.
    const annotations = [{ name: "sum", expression: terms.join(" + ") }];
    await expect(create({ where: "rb > 0", annotations })).rejects.toThrow(/^FILTER_TOO_COSTLY: .*annotations/);
    const active = { where: "drb > 0.5", annotations };
    await expect(service.ask(activate, { id, input: active })).rejects.toThrow(/^FILTER_TOO_COSTLY: .*annotations/);
    await create({ where: "magpsf < 0", annotations });
  });

  it("shows what a new version changes, and what each version found", async () => {
    const next = "drb > 0.7 and magpsf < 20 and isPositive";
    const nowPasses = (p: Packet) => Number(p.drb) > 0.7 && p.magpsf < 20 && p.isdiffpos;
    const difference = async (input: object) =>
      (
        await service.ask<{ filterDifference: { from: string; to: string; gained: Shown; lost: Shown } }>(
          `query ($input: FilterDifferenceInput!, $window: TimeWindow!) { filterDifference(input: $input, window: $window) {
            from to gained { passed edges { node { candid } } } lost { passed edges { node { candid } } } } }`,
          { input, window: WINDOW },
        )
      ).filterDifference;
    const gained = PACKETS.filter((p) => nowPasses(p) && !passes(p)).sort(byTime);
    const lost = PACKETS.filter((p) => passes(p) && !nowPasses(p)).sort(byTime);
    const told = {
      gained: { passed: String(gained.length), edges: gained.map(({ candid }) => ({ node: { candid } })) },
      lost: { passed: String(lost.length), edges: lost.map(({ candid }) => ({ node: { candid } })) },
    };
    expect(await difference({ filterId, to: next })).toEqual({ from: WHERE, to: next, ...told });
    expect(await difference({ survey: "ZTF", from: next, to: WHERE })).toMatchObject({
      gained: told.lost,
      lost: told.gained,
    });
    await service.ask(`mutation ($id: ID!, $where: String!) { updateFilter(id: $id, input: {where: $where}) { id } }`, {
      id: filterId,
      where: next,
    });
    expect(await difference({ filterId })).toEqual({ from: WHERE, to: next, ...told });
    expect(await difference({ filterId, fromVersion: 2, toVersion: 1 })).toMatchObject({ gained: told.lost });
    await expect(difference({ filterId, fromVersion: 3 })).rejects.toThrow(
      "BAD_ARGUMENT: The filter has the versions 1 to 2",
    );
    await expect(difference({ survey: "ZTF", from: next })).rejects.toThrow("BAD_ARGUMENT");

    const { filter } = await service.ask<{
      filter: { hitsPerNight: { night: string; version: number; hits: string }[] };
    }>(`query ($id: ID!) { filter(id: $id) { hitsPerNight { night version hits } } }`, { id: filterId });
    const whole = await backtest({});
    const nights = whole.nights.filter(({ passed }) => passed !== "0").reverse();
    expect(filter.hitsPerNight).toEqual(nights.map(({ night, passed }) => ({ night, version: 1, hits: passed })));
  });
});
