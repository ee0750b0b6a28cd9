// The example programs against a whole service with real packets, through a restart of it.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCursor } from "../../test/follower.js";
import { pythonHas } from "../../test/python.js";
import { startTestService, type TestService } from "../../test/service.js";
import { SHARED } from "../../test/shared.js";
import { until } from "../../test/until.js";

const python = process.env.TOCSIN_PYTHON ?? "python3";
const hasGql = pythonHas("gql", "websockets", "aiohttp");
const hasTables = pythonHas("gql", "aiohttp", "astropy");
const OBJECT = "ZTF20aadyyvk";
const night = join(SHARED, "data/ztf/20200202");

let dataDir: string;
let service: TestService;
let packets: string[];
let filterId: string;
/** Before the first hit. */
let start: string;
const programs: ChildProcess[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "tocsin-examples-"));
  packets = (await readdir(night)).sort().map((name) => join(night, name));
  service = await startTestService({ DATA_DIR: dataDir });
  const input = { name: "all", survey: "ZTF", where: "magpsf < 99" };
  const made = await service.ask<{ createFilter: { id: string } }>(
    "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }",
    { input },
  );
  filterId = made.createFilter.id;
  start = await startCursor(service.url, [filterId]);
});
afterAll(async () => {
  for (const program of programs) program.kill("SIGKILL");
  await service?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const environment = () => ({ ...process.env, TOCSIN_URL: service.url });
const example = (name: string) => join(import.meta.dirname, name);

/** Starts a program; what it prints, line by line. */
function run(command: string, ...args: string[]): { lines: string[]; errors: string[]; program: ChildProcess } {
  const program = spawn(command, args, { env: environment() });
  programs.push(program);
  const lines: string[] = [];
  const errors: string[] = [];
  createInterface({ input: program.stdout }).on("line", (line) => lines.push(line));
  createInterface({ input: program.stderr }).on("line", (line) => errors.push(line));
  return { lines, errors, program };
}

interface ShownHit {
  readonly cursor: string;
  readonly alert: { readonly candid: string };
}
const parsed = <T>(lines: readonly string[]) => lines.map((line) => JSON.parse(line) as T);

describe("examples", () => {
  it("print live hits, each once and in order, through a restart of the service", async () => {
    const listeners = [run(process.execPath, example("subscribe.mjs"), filterId, start)];
    if (hasGql) listeners.push(run(python, example("subscribe.py"), filterId, start));
    const half = packets.slice(0, packets.length / 2);
    await service.ingest(...half);
    await until("the first half", () => listeners.every(({ lines }) => lines.length === half.length), 30_000);

    const { port } = new URL(service.url);
    await service.close();
    service = await startTestService({ DATA_DIR: dataDir, PORT: port });
    await service.ingest(...packets);
    await until("the rest", () => listeners.every(({ lines }) => lines.length >= packets.length), 30_000);

    const stored = await service.ask<{ hits: { edges: { cursor: string; node: ShownHit }[] } }>(
      "query ($ids: [ID!]!) { hits(filterIds: $ids) { edges { cursor node { cursor alert { candid } } } } }",
      { ids: [filterId] },
    );
    const due = stored.hits.edges.map(({ node }) => [node.cursor, node.alert.candid]);
    expect(due.length).toBe(packets.length);
    for (const { lines, errors } of listeners) {
      expect(parsed<ShownHit>(lines).map(({ cursor, alert }) => [cursor, alert.candid])).toEqual(due);
      expect(errors).toEqual([]);
    }
  });

  it.skipIf(!hasGql)("read a light curve from Python (skipped without gql: TOCSIN_PYTHON)", async () => {
    const { stdout } = await promisify(execFile)(python, [example("query.py"), OBJECT], { env: environment() });
    const shown = JSON.parse(stdout) as { objectId: string; lightCurve: { detections: { candid: string }[] } };
    expect(shown.objectId).toBe(OBJECT);
    expect(shown.lightCurve.detections.length).toBeGreaterThan(10);
    expect(shown.lightCurve.detections.every(({ candid }) => /^\d{15,19}$/.test(candid))).toBe(true);
  });

  it.skipIf(!hasTables)(
    "make tables in Python (skipped without gql and astropy: TOCSIN_PYTHON)",
    { timeout: 180_000 },
    async () => {
      const shown = await service.ask<{
        object: { ra: number; dec: number; features: { peakMag: number; bands: { band: string; count: number }[] } };
        backtest: { edges: { node: { candid: string; jd: number } }[] };
      }>(`{ object(survey: ZTF, objectId: "${OBJECT}") { ra dec features { peakMag bands { band count } } }
      backtest(survey: ZTF, where: "drb > 0.5", window: { start: "2020-01-01", end: "2021-01-01" }) { edges { node { candid jd } } } }`);
      const { ra, dec, features } = shown.object;
      await mkdir(join(dataDir, "catalogs"), { recursive: true });
      await writeFile(join(dataDir, "catalogs/near.csv"), `id,ra,dec,z\nhost,${ra},${dec + 1 / 3600},0.03\n`);
      await service.ask(
        'mutation { addCatalog(input: { name: "near", files: ["near.csv"], radiusArcsec: 3 }) { name } }',
      );
      const near = () =>
        service.ask(`{ object(survey: ZTF, objectId: "${OBJECT}") { crossMatches { catalog } } }`).then(JSON.stringify);
      await expect.poll(near, { timeout: 30_000 }).toContain("near");

      /** Rows of an ECSV table, by the names of its columns. */
      const table = async (...asked: string[]) => {
        const { stdout } = await promisify(execFile)(python, [example("table.py"), ...asked], { env: environment() });
        const [head, ...rows] = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
        const names = head!.split(" ");
        return rows.map((row) => Object.fromEntries(row.split(" ").map((value, n) => [names[n]!, value])));
      };
      const passed = await table("backtest", "drb > 0.5", "2020-01-01", "2021-01-01");
      expect(passed.length).toBeGreaterThan(3);
      expect(passed.map(({ candid, jd }) => [candid, Number(jd)])).toEqual(
        shown.backtest.edges.map(({ node }) => [node.candid, node.jd]),
      );
      const [row, ...others] = await table("features", OBJECT, "ZTF00nosuch");
      expect(others).toEqual([]);
      expect(Number(row!.peakMag)).toBe(features.peakMag);
      for (const { band, count } of features.bands) expect(Number(row![`${band}.count`])).toBe(count);
      const [match] = await table("matches", OBJECT);
      expect(match).toMatchObject({ objectId: OBJECT, catalog: "near", sourceId: "host", "near.z": "0.03" });
      expect(Number(match!.separationArcsec)).toBeCloseTo(1, 4);
    },
  );

  it("read an object and its hits with Apollo Client", async () => {
    const { lines, errors } = run(process.execPath, example("apollo.mjs"), OBJECT, filterId, start);
    await until("the hits", () => lines.length === packets.length + 1 || errors.length > 0, 30_000);
    const [object, ...hits] = parsed<ShownHit & { objectId: string }>(lines);
    expect(object!.objectId).toBe(OBJECT);
    expect(new Set(hits.map(({ alert }) => alert.candid)).size).toBe(packets.length);
  });

  it("say what is wrong and end", async () => {
    const wrong = [run(process.execPath, example("subscribe.mjs"), "nosuch")];
    if (hasGql) wrong.push(run(python, example("subscribe.py"), "nosuch"));
    for (const { program, errors } of wrong) {
      await until("the end", () => program.exitCode !== null, 30_000);
      expect(program.exitCode).toBe(1);
      expect(errors.join("\n")).toContain("nosuch");
    }
  });
});
