// A filter over the other survey's detections through the whole service, on a simulated sky that both surveys see: what passes
// on the stream passes in a backtest, in a condition of a query and where it is explained.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { container, packetMaker, simulate } from "../ingest/simulator/write.js";
import { startTestService, type TestService } from "./service.js";

const SURVEYS = ["LSST", "ZTF"];
const END = 2460300.5;
const WHERE = "count(lsst.detections, snr > 5) >= 4 and last(lsst.detections, jd) > jd - 20";
const ALERTS = 1200;

let service: TestService;
let folder: string;
let filterId: string;

beforeAll(async () => {
  service = await startTestService({ SKY_INDEX_MB: "0" });
  folder = await mkdtemp(join(tmpdir(), "tocsin-counterparts-"));
  const made = await service.ask<{ createFilter: { id: string } }>(
    `mutation ($where: String!) { createFilter(input: { name: "both", survey: ZTF, where: $where }) { id } }`,
    { where: WHERE },
  );
  filterId = made.createFilter.id;
  const alerts = new Map(SURVEYS.map((survey) => [survey, ALERTS]));
  const sky = simulate({ seed: "both", nights: 20, endJd: END, alerts });
  const packet = packetMaker("both");
  // One survey's packets after the other's: none of them comes late.
  for (const survey of SURVEYS) {
    const file = join(folder, `${survey}.avro`);
    await writeFile(file, container(survey, sky.filter((alert) => alert.survey === survey).map(packet)));
    expect((await service.ingest(file)).stored).toBe(ALERTS);
  }
});
afterAll(async () => {
  await service?.close();
  await rm(folder, { recursive: true, force: true });
});

type Edges = { edges: { node: { candid: string } }[] };
const candids = ({ edges }: Edges) => edges.map(({ node }) => node.candid).sort();

it("passes the same alerts on the stream, in a backtest and in a query", async () => {
  const { hits } = await service.ask<{ hits: { edges: { node: { alert: { candid: string } } }[] } }>(
    `query ($id: ID!) { hits(filterIds: [$id], first: 1000) { edges { node { alert { candid } } } } }`,
    { id: filterId },
  );
  const passed = hits.edges.map(({ node }) => node.alert.candid).sort();
  expect(passed.length).toBeGreaterThan(20);
  expect(passed.length).toBeLessThan(0.8 * ALERTS);
  const { backtest, alerts } = await service.ask<{ backtest: Edges; alerts: Edges }>(
    `query ($where: String!) {
      backtest(survey: ZTF, where: $where, first: 1000, window: { start: "JD ${END - 30}", end: "JD ${END + 1}" }) {
        edges { node { candid } } }
      alerts(first: 1000, where: { survey: ZTF, matches: $where }) { edges { node { candid } } } }`,
    { where: WHERE },
  );
  expect(candids(backtest)).toEqual(passed);
  expect(candids(alerts)).toEqual(passed);
  const { explain } = await service.ask<{ explain: { passes: boolean; clauses: { values: object }[] } }>(
    `query ($candid: Long!, $where: String!) { explain(survey: ZTF, candid: $candid, where: $where) {
      passes clauses { values } } }`,
    { candid: passed[0], where: WHERE },
  );
  expect(explain.passes).toBe(true);
});
