// Packets of one survey that come after alerts of the other whose counterparts they tell of, through a whole service: filters
// over the counterparts' detections say in the end what a backtest says.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { container, packetMaker, simulate } from "../ingest/simulator/write.js";
import { startTestService, type TestService } from "./service.js";

const END = 2460300.5;
const ALERTS = 500;
/** The one gains by packets that come late, the other loses. */
const WHERES = [
  "count(lsst.detections, snr > 5) >= 4 and last(lsst.detections, jd) > jd - 20",
  "count(lsst.detections) < 3 and jd > 0",
];

let service: TestService;
let folder: string;
let filterIds: string[];

beforeAll(async () => {
  service = await startTestService({ SKY_INDEX_MB: "0" });
  folder = await mkdtemp(join(tmpdir(), "tocsin-late-"));
  filterIds = [];
  for (const [n, where] of WHERES.entries()) {
    const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
      "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }",
      { input: { name: `late${n}`, survey: "ZTF", where } },
    );
    filterIds.push(createFilter.id);
  }
}, 60_000);
afterAll(async () => {
  await service?.close();
  await rm(folder, { recursive: true, force: true });
});

type Edges = { edges: { node: { candid: string } }[] };

async function backtest(where: string): Promise<string[]> {
  const query = `query ($where: String!) { backtest(survey: ZTF, where: $where, first: 1000, window: { start: "JD ${END - 30}", end: "JD ${END + 1}" }) {
    edges { node { candid } } } }`;
  return (await service.ask<{ backtest: Edges }>(query, { where })).backtest.edges
    .map(({ node }) => node.candid)
    .sort();
}

async function hits(id: string) {
  const query = `query ($id: ID!) { hits(filterIds: [$id], first: 1000) { edges { node { withdrawnBecause alert { candid } } } } }`;
  const { hits } = await service.ask<{
    hits: { edges: { node: { withdrawnBecause: string | null; alert: { candid: string } } }[] };
  }>(query, { id });
  return hits.edges.map(({ node }) => ({ candid: node.alert.candid, because: node.withdrawnBecause }));
}

/** What stands: what was sent and not withdrawn, and what was added. */
async function standing(id: string): Promise<string[]> {
  const query = `query ($where: CorrectionConditionsInput, $after: String) { corrections(where: $where, first: 1000, after: $after) {
    edges { node { candid what source } } } }`;
  const { corrections } = await service.ask<{
    corrections: { edges: { node: { candid: string; what: string; source: string } }[] };
  }>(query, { where: { filterIds: [id] } });
  const stands = new Set((await hits(id)).map(({ candid }) => candid));
  for (const { node } of corrections.edges) {
    expect(node.source).toBe("lsst.detections");
    if (node.what === "HIT_ADDED") stands.add(node.candid);
    else stands.delete(node.candid);
  }
  return [...stands].sort();
}

it("hits of the past are those of a backtest when everything has come", { timeout: 300_000 }, async () => {
  const sky = simulate({
    seed: "late",
    nights: 20,
    endJd: END,
    alerts: new Map([
      ["LSST", ALERTS],
      ["ZTF", ALERTS],
    ]),
  });
  const packet = packetMaker("late");
  const lsst = sky.filter(({ survey }) => survey === "LSST");
  const files = { early: lsst.filter((_, n) => n % 3 === 0), ztf: sky.filter(({ survey }) => survey === "ZTF") };
  const late = lsst.filter((_, n) => n % 3 !== 0);
  for (const [name, alerts] of Object.entries({ ...files, late })) {
    const file = join(folder, `${name}.avro`);
    await writeFile(file, container(alerts[0]!.survey, alerts.map(packet)));
    expect((await service.ingest(file)).stored).toBe(alerts.length);
    if (name === "ztf") {
      for (const [n, where] of WHERES.entries()) expect(await standing(filterIds[n]!)).toEqual(await backtest(where));
    }
  }
  const before = await Promise.all(filterIds.map(async (id) => (await hits(id)).map(({ candid }) => candid).sort()));
  const after = await Promise.all(WHERES.map(backtest));
  expect(after[0]!.length - before[0]!.length).toBeGreaterThan(5);
  expect(before[1]!.length - after[1]!.length).toBeGreaterThan(5);
  for (const [n, id] of filterIds.entries()) {
    await expect.poll(() => standing(id), { timeout: 120_000, interval: 500 }).toEqual(after[n]);
  }
  const withdrawn = (await hits(filterIds[1]!)).filter(({ because }) => because !== null);
  expect(withdrawn.map(({ candid }) => candid).sort()).toEqual(
    before[1]!.filter((candid) => !after[1]!.includes(candid)),
  );
  expect(new Set(withdrawn.map(({ because }) => because))).toEqual(
    new Set(["a packet of an earlier time came late: lsst.detections holds something else"]),
  );
  // People are told of hits alone: the light curves of these objects are the same.
  const { corrections } = await service.ask<{ corrections: Edges }>(
    "{ corrections(where: { survey: ZTF, what: [PHOTOMETRY] }) { edges { node { candid } } } }",
  );
  expect(corrections.edges).toEqual([]);
});
