// Enrichment that breaks in every way, through a whole service on real packets: alerts are stored and filtered all the same,
// why their values are missing is told to whoever may know, and goes when the values have been made after all.
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { callService } from "../cli/control.js";
import { createLogger } from "../cli/logger.js";
import { addMissingCommand } from "../cli/missing.js";
import { readSettings } from "../cli/settings.js";
import { FEATURES_VERSION, FeatureCalculator } from "../domain/features/features.js";
import { stepFailed } from "../domain/missing.js";
import { writeTiny } from "../ingest/classifiers/models.fixture.js";
import { bigints, strings } from "../stores/archive/blocks.js";
import type { MissingStore } from "../stores/missing.store.js";
import { startTestArchive, type TestArchive } from "./archive.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const PACKET_FOLDER = join(SHARED, "data/ztf");
const { alerts: PACKETS } = JSON.parse(readFileSync(join(SHARED, "data/expected/ztf.json"), "utf8")) as {
  alerts: { candid: string; ra: number; dec: number }[];
};
const ANYBODY = { "x-forwarded-for": "203.0.113.7" };
const WAITING = { timeout: 30_000 };
/** What must not be told, beside what has an absolute path. */
const SECRET = "postgres://tocsin:swordfish@10.1.2.3:5432/x";

interface Missing {
  readonly step: string;
  readonly part: string | null;
  readonly code: string;
  readonly reason: string;
  readonly since: string;
  readonly filledAt: string | null;
}
interface Lacking {
  readonly candid: string;
  readonly objectId: string;
  readonly ra: number;
  readonly dec: number;
  readonly missing: Missing[];
}
const MISSING = "step part code reason since filledAt";

let archive: TestArchive;
let service: TestService;
let folder: string;
let alerts: Lacking[];
/** Filters by name. */
const filters: Record<string, string> = {};

async function lacking(filled = false, headers: Record<string, string> = {}): Promise<Lacking[]> {
  const { alerts } = await service.ask<{ alerts: { edges: { node: Lacking }[] } }>(
    `{ alerts(first: 100, where: { survey: ZTF }) { edges { node {
      candid objectId ra dec missing(filled: ${filled}) { ${MISSING} } } } } }`,
    {},
    headers,
  );
  return alerts.edges.map(({ node }) => node);
}
const named = (missing: readonly Missing[]) => missing.map(({ step, part }) => `${step} ${part}`).sort();

interface Explained {
  readonly passes: boolean;
  readonly clauses: { values: Record<string, unknown>; missing: (Missing & { operand: string })[] }[];
}
async function explained(where: string, candid = alerts[0]!.candid): Promise<Explained> {
  const { explain } = await service.ask<{ explain: Explained }>(
    `query ($where: String!, $candid: Long!) { explain(survey: ZTF, candid: $candid, where: $where) {
      passes clauses { values missing { operand ${MISSING} } } } }`,
    { where, candid },
  );
  return explain;
}

async function stale(args: string): Promise<{ madeBy: string | null; node: { objectId: string } }[]> {
  const { staleObjects } = await service.ask<{ staleObjects: { edges: never[] } }>(
    `{ staleObjects(survey: ZTF, first: 100, ${args}) { edges { madeBy node { objectId } } } }`,
  );
  return staleObjects.edges;
}

async function addCatalog(name: string, places: readonly { ra: number; dec: number }[]): Promise<void> {
  const rows = places.map(({ ra, dec }, n) => `s${n},${ra},${dec},${10 + n}`);
  await mkdir(join(service.dataDir, "catalogs"), { recursive: true });
  await writeFile(join(service.dataDir, "catalogs", `${name}.csv`), `id,ra,dec,mag\n${rows.join("\n")}\n`);
  await service.ask(`mutation { addCatalog(input: { name: "${name}", files: ["${name}.csv"], radiusArcsec: 5,
    ra: "ra", dec: "dec", id: "id", columns: ["mag"] }) { name } }`);
  await expect
    .poll(
      async () =>
        (await service.ask<{ catalogs: { name: string; state: string }[] }>("{ catalogs { name state } }")).catalogs,
      WAITING,
    )
    .toContainEqual({ name, state: "ACTIVE" });
}

async function createFilter(name: string, where: string): Promise<void> {
  const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
    `mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }`,
    { input: { name, survey: "ZTF", where } },
  );
  filters[name] = createFilter.id;
}

async function hitsOf(name: string): Promise<string[]> {
  const { hits } = await service.ask<{ hits: { edges: { node: { alert: { candid: string } } }[] } }>(
    `query ($ids: [ID!]!) { hits(filterIds: $ids, first: 100) { edges { node { alert { candid } } } } }`,
    { ids: [filters[name]] },
  );
  return hits.edges.map(({ node }) => node.alert.candid).sort();
}

/** The catalog's own table. */
async function catalogTable(): Promise<string> {
  const tables = await archive.client.query(
    "SELECT name FROM system.tables WHERE database = 'tocsin' AND match(name, '^catalog_.*stars')",
  );
  expect(tables.rows).toBe(1);
  return strings(tables, "name")[0]!;
}

let table: string;
beforeAll(async () => {
  archive = await startTestArchive();
  service = await startTestService({
    ...{ CLICKHOUSE_URL: archive.url, CLICKHOUSE_USER: archive.user, CLICKHOUSE_PASSWORD: archive.password },
    // The archive is asked for every catalog.
    ...{ CATALOG_MEMORY_MB: "0", LOG_LEVEL: "silent" },
  });
  folder = await mkdtemp(join(tmpdir(), "tocsin-missing-"));
  const inputs = [{ tensor: "x", kind: "values" as const, columns: ["magpsf", "rb"], missing: 0 }];
  const negative = [
    {
      tensor: "x",
      kind: "values" as const,
      columns: ["band", "magpsf"],
      codes: { band: { g: -1, r: -1, i: -1 } },
      missing: 0,
    },
  ];
  const outputs = [{ tensor: "z", names: ["y"] }];
  const models = [
    ["good", "sum", { inputs }],
    ["throwing", "sum", { inputs, outputs }],
    ["slow", "endless", { inputs }],
    ["nan", "logOfFirst", { inputs: negative }],
  ] as const;
  const home = join(service.dataDir, "models");
  await mkdir(home, { recursive: true });
  for (const [name, of, told] of models) {
    // The command that adds models would try them, and refuse one of these.
    await rename(await writeTiny(folder, name, of, told), join(home, name));
    await service.ask(`mutation { setModelState(name: "${name}", version: "1", state: ACTIVE) { state } }`);
  }
}, 120_000);
afterAll(async () => {
  vi.restoreAllMocks();
  await service?.close();
  await archive?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

it("stores and filters alerts whose features, matches and scores could not be made, and tells why", async () => {
  await addCatalog("stars", PACKETS);
  table = await catalogTable();
  await createFilter("all", "magpsf > 0 or feature.count > 1000000");
  await createFilter("counted", "feature.count >= 1");

  await archive.client.command(`ALTER TABLE ${table} RENAME COLUMN mag TO gone`);
  vi.spyOn(FeatureCalculator.prototype, "calculate").mockImplementation(() => {
    throw new Error(`no light curve in /var/lib/tocsin/features.ts: ${SECRET}\n    at secret (/var/lib/x.ts:1:1)`);
  });
  await service.ingest(PACKET_FOLDER);

  alerts = await lacking();
  expect(alerts.map(({ candid }) => candid).sort()).toEqual(PACKETS.map(({ candid }) => candid).sort());
  expect(await hitsOf("all")).toEqual(alerts.map(({ candid }) => candid).sort());
  expect(await hitsOf("counted")).toEqual([]);
  // After three batches, which a slow machine makes of these packets, a model is let be.
  const failed = (why: string) => ({
    code: expect.stringMatching(/^MODEL_(FAILED|SUSPENDED)$/),
    reason: expect.stringMatching(new RegExp(`^(suspended: )?${why}$`)),
  });
  for (const { missing } of alerts) {
    expect(named(missing)).toEqual([
      ...["crossmatch stars", "features null", "scores nan", "scores slow", "scores throwing"],
    ]);
    const of = (step: string, part: string | null) => missing.find((one) => one.step === step && one.part === part)!;
    expect(of("features", null)).toMatchObject({
      code: "STEP_FAILED",
      reason: "no light curve in …: …",
      filledAt: null,
    });
    expect(of("crossmatch", "stars")).toMatchObject({
      code: "STEP_FAILED",
      reason: "The archive could not carry out a statement (engine code 47).",
    });
    expect(of("scores", "throwing")).toMatchObject(failed("it has no output z"));
    expect(of("scores", "slow")).toMatchObject(failed("it took more than 10 s"));
    expect(of("scores", "nan")).toMatchObject({
      code: "NO_ANSWER",
      reason: "the model's answer is no finite number",
    });
    for (const { reason, since } of missing) {
      expect(reason).not.toMatch(/swordfish|10\.1\.2\.3|\/\w+\/|\n|\.ts:/);
      expect(Math.abs(Date.now() - Date.parse(since))).toBeLessThan(300_000);
    }
  }
}, 180_000);

it("counts what is missing for the owner, by query and by command", async () => {
  const query = "{ missingValues { survey step part code reason batches alerts first last } }";
  type Count = Record<"survey" | "step" | "part" | "code" | "reason" | "batches" | "alerts" | "first" | "last", string>;
  const { missingValues } = await service.ask<{ missingValues: Count[] }>(query);
  await expect(service.ask(query, {}, ANYBODY)).rejects.toThrow("NOT_ALLOWED");
  const of = (step: string, part: string | null) =>
    missingValues.filter((one) => one.step === step && one.part === part);
  const all = { survey: "ZTF", code: "STEP_FAILED", alerts: String(PACKETS.length) };
  expect(of("features", null)).toMatchObject([{ ...all, reason: "no light curve in …: …" }]);
  expect(of("crossmatch", "stars")).toMatchObject([{ ...all, reason: alerts[0]!.missing[0]!.reason }]);
  for (const { first, last } of missingValues) expect(Date.parse(first)).toBeLessThanOrEqual(Date.parse(last));

  const printed = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const program = new Command();
  addMissingCommand(program, () => readSettings({ DATA_DIR: service.dataDir }), createLogger);
  await program.parseAsync(["missing"], { from: "user" });
  const [head, ...lines] = printed.mock.calls.join("").trimEnd().split("\n");
  printed.mockRestore();
  expect(head!.split(/ {2,}/)).toEqual(["survey", "step", "of", "batches", "alerts", "first", "last", "reason"]);
  expect(lines.map((line) => line.split(/ {2,}/)).sort()).toEqual(
    missingValues
      .map(({ survey, step, part, batches, alerts: missed, first, last, reason }) => {
        return [survey, step, part ?? "all", batches, missed, first, last, reason];
      })
      .sort(),
  );
});

it("says in an explanation what was missing and why", async () => {
  const where = "feature.g.peakMag < 30 and count(match.stars, mag < 30) > 0 and score.slow.y > 0 and magpsf > 0";
  const { passes, clauses } = await explained(where);
  expect(passes).toBe(false);
  expect(clauses.map(({ missing }) => missing.map(({ operand, step, code }) => [operand, step, code]))).toEqual([
    [["feature.g.peakMag", "features", "STEP_FAILED"]],
    [["match.stars", "crossmatch", "STEP_FAILED"]],
    [["score.slow.y", "scores", expect.stringMatching(/^MODEL_/)]],
    [],
  ]);
  expect(clauses[0]!.values).toEqual({ "feature.g.peakMag": null });
  expect(clauses[0]!.missing[0]!.reason).toContain("no light curve");
  expect((await explained("score.nan.y > 0 or score.good.y > 0")).clauses[0]!.missing).toMatchObject([
    { operand: "score.nan.y", code: "NO_ANSWER" },
  ]);
});

it("counts objects whose values are missing among those whose values are old", async () => {
  const ids = [...new Set(alerts.map(({ objectId }) => objectId))].sort();
  for (const args of [
    "step: FEATURES, beforeVersion: 1",
    'step: MATCHES, name: "stars"',
    'step: SCORES, name: "slow"',
  ]) {
    const found = await stale(args);
    expect(found.map(({ node }) => node.objectId)).toEqual(expect.arrayContaining(ids));
    expect(new Set(found.filter(({ node }) => ids.includes(node.objectId)).map(({ madeBy }) => madeBy))).toEqual(
      new Set([null]),
    );
  }
});

it("tells nobody of marks that they may not see", async () => {
  const circle = (
    name: string,
    isShared: boolean,
  ) => `mutation { putArea(input: { name: "${name}", isShared: ${isShared},
    circle: { ra: 10, dec: 10, radiusDeg: 1 } }) { name } }`;
  await service.ask(circle("secret", false));
  await service.ask(circle("open", true));
  const one = alerts[0]!;
  const batch = await archive.client.query(
    "SELECT max(batch) AS batch FROM alert_index WHERE candid = {candid:Int64}",
    {
      candid: BigInt(one.candid),
    },
  );
  const { missing } = service.services.stores as unknown as { missing: MissingStore };
  const broken = ["area.secret", "area.open", "area.gone"].map((part) =>
    stepFailed("marks", part, new Error("broken")),
  );
  // Of more alerts than there are: so nobody makes up for it meanwhile.
  await missing.add(bigints(batch, "batch")[0]!, "ZTF", 1_000, broken);
  const marksOf = async (headers: Record<string, string>) => {
    const found = (await lacking(false, headers)).find(({ candid }) => candid === one.candid)!;
    return named(found.missing.filter(({ step }) => step === "marks"));
  };
  expect(await marksOf({})).toEqual(["marks area.open", "marks area.secret"]);
  expect(await marksOf(ANYBODY)).toEqual(["marks area.open"]);
});

it("tells of it no more when the values have been made: features by command, matches by themselves", async () => {
  vi.restoreAllMocks();
  await callService(service.dataDir, "reenrich", ["ZTF", FEATURES_VERSION, null]);
  expect((await lacking()).filter(({ missing }) => missing.some(({ step }) => step === "features"))).toEqual([]);
  const filled = (await lacking(true)).find(({ candid }) => candid === alerts[0]!.candid)!;
  const features = filled.missing.find(({ step }) => step === "features")!;
  expect(Date.parse(features.filledAt!)).toBeGreaterThan(Date.parse(features.since));
  expect(await stale("step: FEATURES, beforeVersion: 1")).toEqual([]);
  const { clauses } = await explained("feature.count >= 1");
  expect(clauses[0]!.values["feature.count"]).toBeGreaterThanOrEqual(1);
  expect(clauses[0]!.missing).toMatchObject([{ operand: "feature.count", filledAt: features.filledAt }]);

  await archive.client.command(`ALTER TABLE ${table} RENAME COLUMN gone TO mag`);
  // Whatever comes lets the matching begin at once: by itself it looks every half minute.
  await addCatalog("others", [alerts[0]!]);
  await expect
    .poll(
      async () =>
        (await lacking()).flatMap(({ missing }) =>
          named(missing.filter(({ step }) => !["scores", "marks"].includes(step))),
        ),
      WAITING,
    )
    .toEqual([]);
  const { alert } = await service.ask<{ alert: { crossMatches: { catalog: string }[]; missing: Missing[] } }>(
    `query ($candid: Long!) { alert(survey: ZTF, candid: $candid) { crossMatches { catalog } missing { step part } } }`,
    { candid: alerts[0]!.candid },
  );
  expect(alert.crossMatches.map(({ catalog }) => catalog)).toEqual(expect.arrayContaining(["stars", "others"]));
  expect(await stale('step: MATCHES, name: "stars"')).toEqual([]);
  const scores = (await lacking())[0]!.missing;
  expect(named(scores.filter(({ step }) => step !== "marks"))).toEqual([
    "scores nan",
    "scores slow",
    "scores throwing",
  ]);
}, 90_000);
