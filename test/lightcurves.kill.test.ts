// kill -9 in the middle of loads of light curves, and the same command again: every point is there once. `npm run build`
// comes first.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lightCurvesOf } from "../cli/control.js";
import { describedArchive } from "../ingest/archival/definition.js";
import { type ServiceProcess, startServiceProcess } from "./process.js";
import { ask } from "./service.js";
import { until } from "./until.js";

const SOURCES = 4_000;
const POINTS = 100;
const ROUNDS = 3;

const definition = describedArchive("mine", {
  definition: {
    ...{ id: ["id"], ra: ["ra"], dec: ["dec"], oneBand: "g", magnitude: ["mag"] },
    time: { column: ["mjd"], kind: "mjd" },
  },
});

let folder: string;
let path: string;
let service: ServiceProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-lightcurvekill-"));
  path = join(folder, "points.csv");
  const rows: string[] = [];
  // A source's points lie all over the file.
  for (let point = 0; point < POINTS; point++) {
    for (let n = 0; n < SOURCES; n++) rows.push(`${n},${placeOf(n).ra},${placeOf(n).dec},${60_000 + point},${n % 20}`);
  }
  await writeFile(path, `id,ra,dec,mjd,mag\n${rows.join("\n")}\n`);
});
afterAll(async () => {
  await service?.kill();
  await rm(folder, { recursive: true, force: true });
});

const placeOf = (n: number) => ({ ra: 10 + (n % 80) / 80, dec: 20 + Math.floor(n / 80) / 50 });

describe.skipIf(process.platform !== "linux")("kill -9 in the middle of a load of light curves", () => {
  test("the same again goes on, and every point is there once", async () => {
    const dataDir = join(folder, "data");
    const [resumed, request] = [new Set<number>(), { definition, paths: [path] }];
    service = await startServiceProcess({ DATA_DIR: dataDir });
    const add = (onPoints: (points: number) => void = () => {}) =>
      lightCurvesOf(dataDir).add(request, ({ points }) => onPoints(points), new AbortController().signal);
    for (let round = 1; round <= ROUNDS; round++) {
      let read = 0;
      const broken = add((points) => {
        read = points;
      }).catch(() => null);
      await until("a part of it to be read", () => read >= round * 100_000, 120_000);
      await service.kill();
      expect(await broken).toBe(null);
      service = await startServiceProcess({ DATA_DIR: dataDir });
      const [begun] = await lightCurvesOf(dataDir).list();
      expect(begun).toMatchObject({ state: "loading", revision: 1 });
      resumed.add(begun!.progress.pointsRead);
    }
    expect(resumed.size).toBeGreaterThan(1);
    const { archive, resumedAt } = await add();
    expect(resumedAt).toBeGreaterThan(0);
    expect(archive).toMatchObject({ state: "active", revision: 1, sources: SOURCES, points: SOURCES * POINTS });
    for (const n of [0, 1, 777, SOURCES - 1]) {
      const { ra, dec } = placeOf(n);
      const { archivalLightCurves } = await ask<{
        archivalLightCurves: { edges: { node: { sourceId: string; points: { edges: object[] } } }[] };
      }>(
        service.url,
        `{ archivalLightCurves(ra: ${ra}, dec: ${dec}, radiusArcsec: 1) {
          edges { node { sourceId points { edges { node { mjd magnitude } } } } } } }`,
      );
      expect(archivalLightCurves.edges.map(({ node }) => node.sourceId)).toEqual([`${n}`]);
      const points = Array.from({ length: POINTS }, (_, k) => ({ node: { mjd: 60_000 + k, magnitude: n % 20 } }));
      expect(archivalLightCurves.edges[0]!.node.points.edges).toEqual(points);
    }
  }, 400_000);
});
