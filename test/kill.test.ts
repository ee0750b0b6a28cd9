// kill -9 of the service and of its engine at random moments of an ingest: every alert is stored once, every hit made
// once and delivered once, whatever was cut where. Against what avsc reads in the packets and filters by hand.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { sendPaths } from "../cli/control.js";
import type { Viewer } from "../domain/viewer.js";
import { createRandom } from "../ingest/simulator/random.js";
import { openGrafeo } from "../stores/graph/grafeo.js";
import { createGraphStores } from "../stores/graph/stores.js";
import { HIT_FIELDS, HitFollower, type SeenHit, startCursor } from "./follower.js";
import { every } from "./pages.js";
import { isAlive, processesNaming, type ServiceProcess, startCommand, startServiceProcess } from "./process.js";
import { ask } from "./service.js";
import { ANNOTATED, FILTERS, type TrueFilter } from "./truefilters.js";
import { containerOf, sameSources, type TrueAlert, trueAlerts } from "./truth.js";
import { until } from "./until.js";

const ROUNDS = 20;
const SEED = process.env.TOCSIN_KILL_SEED ?? "kill";
/** Alerts of a round. */
const SIZES = { ZTF: 160, LSST: 40 } as const;

let folder: string;
let dataDir: string;
let truth: TrueAlert[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-kill-"));
  dataDir = join(folder, "data");
  const rounds = ROUNDS + 1;
  truth = trueAlerts(
    SEED,
    new Map([
      ["ZTF", SIZES.ZTF * rounds],
      ["LSST", SIZES.LSST * rounds],
    ]),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const badFile = (round: number): string => join(folder, `round-${round}-bad.avro`);

/** The files of a round, one of them no packets: they are sent side by side, so that batches overlap. */
async function filesOf(round: number): Promise<{ paths: string[]; alerts: number }> {
  const part = (survey: "ZTF" | "LSST") =>
    truth.filter((alert) => alert.survey === survey).slice(round * SIZES[survey], (round + 1) * SIZES[survey]);
  const [ztf, lsst] = [part("ZTF"), part("LSST")];
  const parts = [ztf.slice(0, 100), ztf.slice(100), lsst];
  const paths = parts.map((_, n) => join(folder, `round-${round}-${n}.avro`));
  await Promise.all(parts.map((alerts, n) => writeFile(paths[n]!, containerOf(alerts))));
  await writeFile(badFile(round), `Not a packet, number ${round}`);
  return { paths: [...paths, badFile(round)], alerts: ztf.length + lsst.length };
}

const send = (paths: readonly string[]) => Promise.all(paths.map((path) => sendPaths(dataDir, [path], () => {})));
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const count = (service: ServiceProcess, text: string) => service.errors.filter((line) => line.includes(text)).length;

describe.skipIf(process.platform !== "linux")("kill -9 of service and engine at random moments", () => {
  const settings = () => ({ DATA_DIR: dataDir, LOG_LEVEL: "info" });
  let service: ServiceProcess;
  let follower: HitFollower;
  let filters: (TrueFilter & { id: string })[];
  const told = {
    "service kills": 0,
    "engine kills": 0,
    "kills while starting": 0,
    interrupted: 0,
    "alerts recovered": 0,
  };

  afterAll(async () => {
    await follower?.stop();
    await service?.kill();
  });

  async function start(): Promise<void> {
    service = await startServiceProcess(settings());
    told["alerts recovered"] += sum(
      service.errors.map((line) => Number(/"alerts":(\d+),"msg":"finished the batches/.exec(line)?.[1] ?? 0)),
    );
  }

  test(`${ROUNDS} rounds with a live subscriber: every alert stored once, every hit once`, async () => {
    const random = createRandom(`${SEED} moments`);
    await start();
    filters = [];
    for (const filter of FILTERS) {
      const { passes: _, ...input } = filter;
      const mutation = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }";
      const made = await ask<{ createFilter: { id: string } }>(service.url, mutation, { input });
      filters.push({ ...filter, id: made.createFilter.id });
    }
    const ids = filters.map(({ id }) => id);
    follower = new HitFollower(() => service.url, ids, await startCursor(service.url, ids));

    // Undisturbed, for the time that it takes.
    const first = await filesOf(0);
    const startedAt = performance.now();
    await send(first.paths);
    let usual = performance.now() - startedAt;

    for (let round = 1; round <= ROUNDS; round += 1) {
      const { paths, alerts } = await filesOf(round);
      const moment = random.uniform();
      if (random.uniform() < 0.5) {
        told["engine kills"] += 1;
        const lost = count(service, "(tried again)");
        const began = performance.now();
        const sending = send(paths);
        sending.catch(() => {});
        await pause(moment * usual);
        const engine = service.engine();
        if (engine !== null) process.kill(engine, "SIGKILL");
        const counts = await sending;
        expect(sum(counts.map(({ stored }) => stored))).toBe(alerts);
        if (count(service, "(tried again)") > lost) told.interrupted += 1;
        else usual = (usual + performance.now() - began) / 2;
        continue;
      }
      told["service kills"] += 1;
      const sending = Promise.allSettled(paths.map((path) => sendPaths(dataDir, [path], () => {})));
      await pause(moment * usual);
      const engine = service.engine();
      await service.kill();
      const cut = (await sending).filter((result) => result.status === "rejected");
      for (const { reason } of cut) expect(reason).toMatchObject({ code: "ENGINE_UNAVAILABLE" });
      if (cut.length > 0) told.interrupted += 1;
      if (engine !== null) await until("the engine to follow its service", () => !isAlive(engine), 1_000);

      while (random.uniform() < 0.3) {
        told["kills while starting"] += 1;
        const starting = startCommand(["serve"], { PORT: "0", ...settings() });
        await pause(random.uniform() * 2_500);
        await starting.kill();
      }
      await start();
      // The source repeats all that was not acknowledged.
      const counts = await send(paths);
      expect(sum(counts.map(({ stored, duplicates }) => stored + duplicates))).toBe(alerts);
    }
    // The last kill may have come when all was in.
    await vi.waitFor(async () => expect((await fetch(`${service.url}/ready`)).status).toBe(200), { timeout: 60_000 });
    process.stdout.write(`${JSON.stringify({ ...told, "subscriber cut off": follower.cuts })}\n`);
    expect(told.interrupted).toBeGreaterThanOrEqual(ROUNDS / 2);
    expect(told["alerts recovered"]).toBeGreaterThan(0);
  }, 400_000);

  test("every alert is stored once, and what is none is one dead letter", async () => {
    for (const survey of ["ZTF", "LSST"] as const) {
      const stored = await every<{ candid: string }>(service.url, "alerts", `where: { survey: ${survey} }`, "candid");
      const own = truth.filter((alert) => alert.survey === survey).map(({ candid }) => candid);
      expect(stored.map(({ candid }) => candid).toSorted()).toEqual(own.toSorted());
    }
    const letters = await every<{ source: string }>(service.url, "deadLetters", "", "source");
    const bad = Array.from({ length: ROUNDS + 1 }, (_, round) => badFile(round));
    expect(letters.map(({ source }) => source).toSorted()).toEqual(bad.toSorted());
  });

  let hits: SeenHit[];
  test("every hit is made once and delivered once, in the order of the cursors", async () => {
    const ids = filters.map(({ id }) => id);
    hits = await every<SeenHit>(service.url, "hits", "filterIds: $ids", HIT_FIELDS, { ids });
    const due = filters.flatMap((filter) =>
      truth
        .filter((alert) => alert.survey === filter.survey && filter.passes(alert.fields))
        .map((alert) => `${filter.name} ${alert.candid}`),
    );
    const nameOf = new Map(filters.map(({ id, name }) => [id, name]));
    expect(hits.map(({ filterId, alert }) => `${nameOf.get(filterId)} ${alert.candid}`).toSorted()).toEqual(
      due.toSorted(),
    );
    for (const { name } of filters) expect(due.some((hit) => hit.startsWith(name))).toBe(true);

    await until("the last hits", () => follower.seen.length >= hits.length);
    expect(follower.seen).toEqual(hits);

    const fieldsOf = new Map(truth.map((alert) => [`${alert.survey} ${alert.candid}`, alert.fields]));
    for (const { alert, annotations } of hits) {
      const fields = fieldsOf.get(`${alert.survey} ${alert.candid}`)!;
      for (const [name, value] of Object.entries(annotations ?? {})) expect(value).toBe(fields[ANNOTATED[name]!]);
    }
  });

  test("light curves are the merge of all packets", async () => {
    for (const survey of ["ZTF", "LSST"] as const) {
      const own = truth.filter((alert) => alert.survey === survey);
      const objectIds = [...new Set(own.map(({ objectId }) => objectId))].filter((_, n) => n % 5 === 0).slice(0, 50);
      const { objects } = await ask<{
        objects: {
          objectId: string;
          alertCount: number;
          lightCurve: { detections: { candid: string }[]; nonDetections: unknown[]; forced: unknown[] };
        }[];
      }>(
        service.url,
        `query ($ids: [ID!]!) { objects(survey: ${survey}, objectIds: $ids) { objectId alertCount
          lightCurve { detections { candid } nonDetections { jd } forced { jd } } } }`,
        { ids: objectIds },
      );
      for (const { objectId, alertCount, lightCurve } of objects) {
        const alerts = own.filter((alert) => alert.objectId === objectId);
        const distinct = (ids: (alert: TrueAlert) => readonly string[]) => new Set(alerts.flatMap(ids));
        expect(alertCount).toBe(alerts.length);
        expect(lightCurve.detections.map(({ candid }) => candid).toSorted()).toEqual(
          [...distinct(({ detections }) => detections)].toSorted(),
        );
        expect(lightCurve.nonDetections).toHaveLength(distinct(({ nonDetections }) => nonDetections).size);
        expect(lightCurve.forced).toHaveLength(distinct(({ forced }) => forced).size);
      }
    }
  });

  test("no engine is left, and the graph holds what the hits say", async () => {
    await follower.stop();
    await service.kill();
    await until("the engine to end", () => processesNaming(dataDir).length === 0, 1_000);

    const due = new Map<string, { first: string; last: string }>();
    for (const { filterId, alert } of hits) {
      const key = `${filterId} ${alert.survey}:${alert.objectId}`;
      due.set(key, { first: due.get(key)?.first ?? alert.candid, last: alert.candid });
    }
    const graph = openGrafeo(join(dataDir, "graph.grafeo"));
    try {
      const { links } = await createGraphStores(graph);
      const viewer: Viewer = {
        scope: "owner",
        programids: new Map([
          ["ZTF", "all"],
          ["LSST", "all"],
        ]),
        mayChange: false,
      };
      const linked = await links.passedFilters(viewer, truth);
      const found = new Map(
        [...linked].flatMap(([object, passed]) =>
          passed.map(({ filterId, first, last }) => [
            `${filterId} ${object}`,
            { first: String(first.candid), last: String(last.candid) },
          ]),
        ),
      );
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(due));

      const counterparts = [...(await links.counterparts(truth))].flatMap(([object, others]) =>
        others.map(({ survey, objectId }) => `${object} ${survey}:${objectId}`),
      );
      expect(counterparts).not.toEqual([]);
      expect(counterparts.toSorted()).toEqual([...sameSources(truth)].toSorted());
    } finally {
      await graph.close();
    }
  });
});
