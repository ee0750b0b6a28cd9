// A page of 200 alerts with 30 values each over GraphQL against the bare ClickHouse query over HTTP with its JSON parsed.
// Run by bench/main.

import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { simulate, writeSimulation } from "../ingest/simulator/write.js";
import { type BenchedService, startBenchedService } from "./engine.js";
import { type BenchResult, ratios, spread, type Timing, timed } from "./harness.js";

const PAGE = 200;
const OWN =
  "candid objectId jd ra dec band magnitude magnitudeError flux fluxError isPositive class solarSystemName programid healpix".split(
    " ",
  );
const FURTHER =
  "magpsf sigmapsf magap fwhm rb drb sgscore1 distpsnr1 ssdistnr nbad ndethist jdstarthist elong scorr distnr".split(
    " ",
  );
const SHOWN =
  "survey candid objectId time jd ra dec band magnitude magnitudeError flux fluxError isPositive class solarSystemName".split(
    " ",
  );
const page = (fields: string): string => `query ($where: AlertWhere!, $first: Int!) {
  alerts(where: $where, first: $first) { edges { node { ${fields} } } } }`;
/** 30 fields of the executor; 15 fields, and 15 of the survey's own in one. */
const QUERIES = {
  "GraphQL, 30 fields": page(`${SHOWN.join(" ")} ${SHOWN.map((name) => `again_${name}: ${name}`).join(" ")}`),
  "GraphQL, 15 fields and 15 own": page(`${SHOWN.join(" ")} fields(names: ${JSON.stringify(FURTHER)})`),
};
const BARE = "ClickHouse, JSON parsed";
const START_JD = 2_460_600.5;

export async function run(smoke: boolean): Promise<BenchResult> {
  const sizes = smoke ? { alerts: 250, requests: 2, rounds: 1 } : { alerts: 3_000, requests: 40, rounds: 9 };
  const benched = await startBenchedService(async () => {});
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await ingest(benched, sizes.alerts);
    const sides: Record<string, () => Promise<number>> = { [BARE]: () => bare(benched, agent) };
    for (const [name, query] of Object.entries(QUERIES)) sides[name] = () => shown(benched, query);
    const timings = Object.fromEntries(Object.keys(sides).map((name): [string, Timing[]] => [name, []]));
    for (let round = smoke ? 0 : -2; round < sizes.rounds; round += 1) {
      for (const [name, ask] of Object.entries(sides)) {
        const timing = await timed(async () => {
          for (let n = 0; n < sizes.requests; n += 1) {
            const rows = await ask();
            if (rows !== PAGE) throw new Error(`${name}: ${rows} rows`);
          }
        }, benched.pids);
        // The first rounds warm up what is compiled at run time.
        if (round >= 0) timings[name]!.push(timing);
      }
    }
    return result(timings, sizes);
  } finally {
    agent.destroy();
    await benched.close();
  }
}

async function ingest({ service }: BenchedService, count: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tocsin-bench-"));
  try {
    const alerts = simulate({ seed: "query", nights: 30, endJd: 2_460_700.5, alerts: new Map([["ZTF", count]]) });
    await service.ingest(...(await writeSimulation(folder, alerts, "query")));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function shown({ ask }: BenchedService, query: string): Promise<number> {
  const where = { survey: "ZTF", time: { start: `JD ${START_JD}`, minutes: 300 * 1_440 } };
  const { alerts } = await ask<{ alerts: { edges: unknown[] } }>(query, { where, first: PAGE });
  return alerts.edges.length;
}

/** The same page by the same conditions, straight from the engine. */
function bare({ archive }: BenchedService, agent: Agent): Promise<number> {
  const columns = [...OWN, ...FURTHER].join(", ");
  const sql = `SELECT ${columns} FROM tocsin.alerts_ztf WHERE jd >= ${START_JD} AND jd < ${START_JD + 300}
    AND programid IN (1, 2, 3) ORDER BY jd DESC NULLS FIRST, candid DESC LIMIT 1 BY jd, candid LIMIT ${PAGE}
    SETTINGS read_in_order_use_buffering = 0 FORMAT JSON`;
  const headers = {
    "x-clickhouse-user": archive.user,
    "x-clickhouse-key": archive.password,
    "content-length": Buffer.byteLength(sql),
  };
  const url = `${archive.url}/?output_format_json_quote_64bit_integers=1`;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200) reject(new Error(text.slice(0, 300)));
        else resolve((JSON.parse(text) as { data: unknown[] }).data.length);
      });
    });
    sent.on("error", reject);
    sent.end(sql);
  });
}

function result(
  timings: Readonly<Record<string, readonly Timing[]>>,
  sizes: Readonly<Record<string, number>>,
): BenchResult {
  const cpu = (side: string) => timings[side]!.map(({ cpuSeconds }) => cpuSeconds);
  const against = Object.fromEntries(
    Object.keys(QUERIES).map((side) => [`CPU, ${side} / bare`, ratios(cpu(side), cpu(BARE))]),
  );
  return {
    name: "query",
    sizes: { ...sizes, rows: PAGE, values: OWN.length + FURTHER.length },
    rows: Object.entries(timings).map(([side, rounds]) => {
      const each = spread(rounds.map(({ cpuSeconds }) => (cpuSeconds * 1000) / sizes.requests!));
      const wall = spread(rounds.map(({ wallSeconds }) => (wallSeconds * 1000) / sizes.requests!));
      return { side, "CPU ms": each.median, min: each.min, max: each.max, "wall ms": wall.median };
    }),
    ratios: against,
    goals: Object.entries(against).map(([name, ratio]) => ({
      text: `${name}: at most 3`,
      reached: ratio.median.toFixed(2),
      met: ratio.median <= 3,
    })),
  };
}
