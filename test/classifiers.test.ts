// Models through the whole service on real packets: added while it runs, made active by a mutation, read by a filter on the
// stream and over the past, shown with their provenance; microlensing fits, and bodies of the solar system.
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addModel } from "../cli/models.js";
import { writeTiny } from "../ingest/classifiers/models.fixture.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

interface Packet {
  readonly candid: string;
  readonly objectId: string;
  readonly jd: number;
  readonly magpsf: number;
  readonly sigmapsf: number;
  readonly drb: number | null;
  readonly ssnamenr: string | null;
}
const { alerts: PACKETS } = JSON.parse(readFileSync(join(SHARED, "data/expected/ztf.json"), "utf8")) as {
  alerts: Packet[];
};

interface Shown {
  readonly candid: string;
  readonly scores: {
    readonly model: string;
    readonly version: string;
    readonly outputs: Record<string, number>;
    readonly class: string | null;
    readonly inputHash: string;
    readonly reason: string | null;
  }[];
}

let service: TestService;
let folder: string;

const setState = (name: string, state: string) =>
  service.ask(
    `mutation ($name: String!, $state: ModelState!) { setModelState(name: $name, version: "1", state: $state) { state } }`,
    { name, state },
  );
const scoresOf = async (shadow: boolean) => {
  const { objects } = await service.ask<{ objects: { alerts: { edges: { node: Shown }[] } }[] }>(
    `query ($ids: [ID!]!, $shadow: Boolean!) { objects(survey: ZTF, objectIds: $ids) { alerts { edges { node {
      candid scores(shadow: $shadow) { model version outputs class inputHash reason } } } } } }`,
    { ids: [...new Set(PACKETS.map(({ objectId }) => objectId))], shadow },
  );
  return new Map(objects.flatMap(({ alerts }) => alerts.edges.map(({ node }) => [node.candid, node.scores] as const)));
};

let filterId: string;

beforeAll(async () => {
  service = await startTestService({ SKY_INDEX_MB: "0" });
  folder = await mkdtemp(join(tmpdir(), "tocsin-added-"));
  const inputs = [{ tensor: "x", kind: "values" as const, columns: ["magpsf", "drb"], missing: "skip" as const }];
  const made = await writeTiny(folder, "adds", "sum", { inputs });
  await addModel(made, join(service.dataDir, "models"));
  await setState("adds", "ACTIVE");
  await setState("stampsSim", "ACTIVE");
  await setState("lightcurveSim", "SHADOW");
  const filter = await service.ask<{ createFilter: { id: string } }>(
    `mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }`,
    { input: { name: "scored", survey: "ZTF", where: "score.adds.y > 19 and score.stampsSim.real > 0.5" } },
  );
  filterId = filter.createFilter.id;
  await service.ingest(join(SHARED, "data/ztf"));
});
afterAll(async () => {
  await service?.close();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test("the models, with where they come from", async () => {
  const { models } = await service.ask<{
    models: { name: string; state: string; trainedOn: string; sha256: string }[];
  }>("{ models { name version state suspended licence trainedOn quality surveys outputs classes sha256 } }");
  expect(models.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "adds ACTIVE",
    "lightcurveSim SHADOW",
    "stampsSim ACTIVE",
  ]);
  expect(models[2]!.trainedOn).toContain("simulated");
  const { filterFields } = await service.ask<{ filterFields: { name: string }[] }>(
    "{ filterFields(survey: ZTF) { name } }",
  );
  const names = filterFields.map(({ name }) => name).filter((name) => /^(score|class)\./.test(name));
  expect(names.sort()).toEqual(["score.adds.y", "score.stampsSim.real"]);
});

test("every alert has the scores of every model, or the reason", async () => {
  const scores = await scoresOf(true);
  expect([...scores.keys()].sort()).toEqual(PACKETS.map(({ candid }) => candid).sort());
  for (const { candid, magpsf, drb } of PACKETS) {
    const own = new Map(scores.get(candid)!.map((one) => [one.model, one]));
    expect([...own.keys()]).toEqual(["adds", "lightcurveSim", "stampsSim"]);
    const adds = own.get("adds")!;
    if (drb === null) expect(adds).toMatchObject({ outputs: {}, reason: "an input is missing", inputHash: "0" });
    else expect(adds.outputs.y).toBeCloseTo(magpsf + drb, 5);
    expect(own.get("stampsSim")!.outputs.real).toBeGreaterThanOrEqual(0);
    expect(own.get("lightcurveSim")!.reason).toBeNull();
  }
  expect((await scoresOf(false)).get(PACKETS[0]!.candid)!.map(({ model }) => model)).toEqual(["adds", "stampsSim"]);
});

test("real alerts of ZTF are real", async () => {
  const scores = await scoresOf(false);
  const good = PACKETS.filter(({ drb }) => drb !== null && drb > 0.9);
  const real = good.filter(
    ({ candid }) => scores.get(candid)!.find(({ model }) => model === "stampsSim")!.outputs.real! > 0.5,
  );
  expect(real.length / good.length).toBeGreaterThan(0.85);
});

test("a filter reads scores on the stream as over the past", async () => {
  const scores = await scoresOf(false);
  const expected = PACKETS.filter(({ candid }) => {
    const value = (model: string) => Object.values(scores.get(candid)!.find((one) => one.model === model)!.outputs)[0];
    return (value("adds") ?? 0) > 19 && (value("stampsSim") ?? 0) > 0.5;
  }).map(({ candid }) => candid);
  expect(expected.length).toBeGreaterThan(3);
  expect(expected.length).toBeLessThan(PACKETS.length - 3);
  const { hits } = await service.ask<{ hits: { edges: { node: { alert: { candid: string } } }[] } }>(
    "query ($ids: [ID!]!) { hits(filterIds: $ids, first: 1000) { edges { node { alert { candid } } } } }",
    { ids: [filterId] },
  );
  expect(hits.edges.map(({ node }) => node.alert.candid).sort()).toEqual([...expected].sort());
  const { backtest } = await service.ask<{ backtest: { edges: { node: { candid: string } }[] } }>(
    `{ backtest(survey: ZTF, where: "score.adds.y > 19 and score.stampsSim.real > 0.5",
      window: { start: "2020-01-01T00:00:00Z", end: "2024-01-01T00:00:00Z" }, first: 1000) { edges { node { candid } } } }`,
  );
  expect(backtest.edges.map(({ node }) => node.candid).sort()).toEqual([...expected].sort());
});

test("what came before a model has no scores of it: backtests look at nothing later, explanations say why", async () => {
  const later = await writeTiny(folder, "later", "sum", { class: { of: ["y"], threshold: -1e6 } });
  await addModel(later, join(service.dataDir, "models"));
  await setState("later", "ACTIVE");
  const passing = async (where: string) => {
    const { backtest } = await service.ask<{ backtest: { edges: { node: { candid: string } }[] } }>(
      `query ($where: String!) { backtest(survey: ZTF, where: $where, first: 1000,
        window: { start: "2020-01-01T00:00:00Z", end: "2024-01-01T00:00:00Z" }) { edges { node { candid } } } }`,
      { where },
    );
    return backtest.edges.map(({ node }) => node.candid);
  };
  expect(await passing("score.later.y > -1000000 or class.later = 'y'")).toEqual([]);
  expect(await passing("score.later.y is null and class.later is null")).toHaveLength(PACKETS.length);
  const { candid } = PACKETS.find(({ drb }) => drb !== null)!;
  const { explain, alert } = await service.ask<{ explain: { passes: boolean; clauses: object[] }; alert: object }>(
    `query ($candid: Long!) { explain(survey: ZTF, candid: $candid, where: "score.later.y > 0 and score.adds.y > 0") {
      passes clauses { values missing { operand step part code reason filledAt } } }
      alert(survey: ZTF, candid: $candid) { missing { part } } }`,
    { candid },
  );
  expect(explain).toMatchObject({
    passes: false,
    clauses: [
      {
        values: { "score.later.y": null },
        missing: [
          {
            ...{ operand: "score.later.y", step: "scores", part: "later", code: "NOT_RUN", filledAt: null },
            reason: "later did not run when the alert came",
          },
        ],
      },
      { values: { "score.adds.y": expect.any(Number) }, missing: [] },
    ],
  });
  expect(alert).toEqual({ missing: [] });
});

test("an object's light curve is fitted as a microlensing event", async () => {
  const ids = [...new Set(PACKETS.map(({ objectId }) => objectId))];
  const { objects } = await service.ask<{
    objects: {
      microlensing: { points: number; chi2: number; tE: number; candidate: boolean; failedCuts: string[] } | null;
    }[];
  }>(
    "query ($ids: [ID!]!) { objects(survey: ZTF, objectIds: $ids) { microlensing { candidate failedCuts t0 t0Error tE tEError u0 u0Error magnification points chi2 degreesOfFreedom chi2Constant chi2Asymmetric bands { band sourceFlux baseline chi2 points } } } }",
    { ids },
  );
  const fits = objects.flatMap(({ microlensing }) => (microlensing === null ? [] : [microlensing]));
  expect(fits.length).toBeGreaterThan(0);
  for (const fit of fits) {
    expect(fit.points).toBeGreaterThanOrEqual(10);
    expect(fit.tE).toBeGreaterThan(0);
    expect(fit.candidate).toBe(fit.failedCuts.length === 0);
  }
});

test("a body of the solar system has its history over all objectIds", async () => {
  const named = PACKETS.filter(({ ssnamenr }) => ssnamenr !== null && ssnamenr !== "null");
  expect(named.length).toBeGreaterThan(0);
  const name = named[0]!.ssnamenr!;
  const own = named.filter(({ ssnamenr }) => ssnamenr === name).sort((a, b) => b.jd - a.jd);
  const query = `query ($name: String!) { solarSystemObject(survey: ZTF, name: $name) {
    name lastSeen alerts(first: 100) { edges { node { candid solarSystemName } } } } }`;
  const { solarSystemObject } = await service.ask<{
    solarSystemObject: { alerts: { edges: { node: { candid: string } }[] } };
  }>(query, { name });
  expect(solarSystemObject.alerts.edges.map(({ node }) => node.candid)).toEqual(own.map(({ candid }) => candid));
  expect(await service.ask(query, { name: "no such body" })).toEqual({ solarSystemObject: null });
});
