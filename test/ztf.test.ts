// The real ZTF packets through the whole service, against what fastavro reads in them (shared expected/ztf.json).
import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { fluxFromCounts } from "../domain/flux.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

interface Expected {
  alerts: {
    candid: string;
    objectId: string;
    jd: number;
    fid: number;
    ra: number;
    dec: number;
    magpsf: number;
    sigmapsf: number;
    isdiffpos: boolean;
    rb: number;
    drb: number | null;
    programid: number;
    ssnamenr: string | null;
  }[];
  objects: Record<
    string,
    {
      detections: Record<string, { jd: number; fid: number; magpsf: number; sigmapsf: number }>;
      nonDetections: Record<string, { jd: number; fid: number; diffmaglim: number }>;
      forced: Record<string, { jd: number; fid: number; flux: number; fluxErr: number }>;
      latest: { jd: number; ra: number; dec: number; candid: string };
    }
  >;
  cones: {
    ra: number;
    dec: number;
    radiusArcsec: number;
    objects: { objectId: string; separationArcsec: number }[];
  }[];
}

const expected = JSON.parse(readFileSync(join(SHARED, "data/expected/ztf.json"), "utf8")) as Expected;
const BAND = ["", "g", "r", "i"];
const NIGHTS = ["20200202", "20231012"].map((night) => join(SHARED, "data/ztf", night));

async function packetFiles(): Promise<string[]> {
  const lists = await Promise.all(NIGHTS.map(async (night) => (await readdir(night)).map((name) => join(night, name))));
  return lists.flat().sort();
}

/** Everything in a fixed order that does not depend on the database's. */
async function compare(service: TestService): Promise<void> {
  const ids = Object.keys(expected.objects);
  const { objects } = await service.ask<{ objects: Shown[] }>(
    `query ($ids: [ID!]!) { objects(survey: ZTF, objectIds: $ids) {
      objectId ra dec alertCount firstSeen lastSeen latestAlert { candid }
      alerts { edges { node { candid objectId jd ra dec band magnitude magnitudeError isPositive solarSystemName
        programid fields(names: ["rb", "drb", "jd"]) } } }
      lightCurve {
        detections { candid jd band magnitude magnitudeError }
        nonDetections { jd band limitingMagnitude }
        forced { jd band flux fluxError zeroPoint } } } }`,
    { ids },
  );
  expect(objects.map(({ objectId }) => objectId)).toEqual(ids);

  for (const object of objects) {
    const truth = expected.objects[object.objectId]!;
    const alerts = expected.alerts.filter(({ objectId }) => objectId === object.objectId);
    expect(object.alertCount).toBe(alerts.length);
    expect([object.ra, object.dec, object.latestAlert.candid]).toEqual([
      truth.latest.ra,
      truth.latest.dec,
      truth.latest.candid,
    ]);
    expect(
      sortBy(
        object.alerts.edges.map(({ node }) => node),
        "candid",
      ),
    ).toEqual(
      sortBy(alerts, "candid").map((a) => ({
        candid: a.candid,
        objectId: a.objectId,
        jd: a.jd,
        ra: a.ra,
        dec: a.dec,
        band: BAND[a.fid],
        magnitude: a.magpsf,
        magnitudeError: a.sigmapsf,
        isPositive: a.isdiffpos,
        solarSystemName: a.ssnamenr,
        programid: a.programid,
        fields: { rb: a.rb, drb: a.drb, jd: a.jd },
      })),
    );
    const { detections, nonDetections, forced } = object.lightCurve;
    expect(sortBy(detections, "candid")).toEqual(
      sortBy(
        Object.entries(truth.detections).map(([candid, d]) => ({
          candid,
          jd: d.jd,
          band: BAND[d.fid],
          magnitude: d.magpsf,
          magnitudeError: d.sigmapsf,
        })),
        "candid",
      ),
    );
    expect(detections.map(({ jd }) => jd)).toEqual(detections.map(({ jd }) => jd).toSorted((a, b) => a - b));
    expect(sortBy(nonDetections, "jd")).toEqual(
      sortBy(
        Object.values(truth.nonDetections).map((n) => ({
          jd: n.jd,
          band: BAND[n.fid],
          limitingMagnitude: n.diffmaglim,
        })),
        "jd",
      ),
    );
    compareForced(sortBy(forced, "jd"), sortBy(Object.values(truth.forced), "jd"));
  }
}

function compareForced(forced: Forced[], truth: { jd: number; fid: number; flux: number; fluxErr: number }[]): void {
  expect(forced.map(({ jd, band }) => [jd, band])).toEqual(truth.map(({ jd, fid }) => [jd, BAND[fid]]));
  forced.forEach((point, i) => {
    const { flux, fluxErr } = truth[i]!;
    if (flux <= -99998) {
      expect(point.flux).toBeNull();
    } else {
      expect(point.flux! / fluxFromCounts(1, point.zeroPoint!)).toBeCloseTo(flux, 8);
      expect(point.fluxError! / fluxFromCounts(1, point.zeroPoint!)).toBeCloseTo(fluxErr, 8);
    }
  });
}

async function compareCones(service: TestService): Promise<void> {
  for (const cone of expected.cones) {
    const { coneSearch } = await service.ask<{ coneSearch: { edges: ConeEdge[] } }>(
      `query ($ra: Float!, $dec: Float!, $radius: Float!) {
        coneSearch(ra: $ra, dec: $dec, radiusArcsec: $radius, survey: ZTF) {
          edges { separationArcsec node { objectId } } } }`,
      { ra: cone.ra, dec: cone.dec, radius: cone.radiusArcsec },
    );
    expect(coneSearch.edges.map(({ node }) => node.objectId)).toEqual(cone.objects.map(({ objectId }) => objectId));
    coneSearch.edges.forEach(({ separationArcsec }, i) => {
      expect(separationArcsec).toBeCloseTo(cone.objects[i]!.separationArcsec, 5);
    });
  }
}

type Forced = { jd: number; band: string; flux: number | null; fluxError: number | null; zeroPoint: number | null };
type ConeEdge = { separationArcsec: number; node: { objectId: string } };
interface Shown {
  objectId: string;
  ra: number;
  dec: number;
  alertCount: number;
  latestAlert: { candid: string };
  alerts: { edges: { node: { candid: string } }[] };
  lightCurve: {
    detections: { candid: string; jd: number }[];
    nonDetections: { jd: number }[];
    forced: Forced[];
  };
}
const sortBy = <T>(items: readonly T[], key: keyof T): T[] =>
  items.toSorted((a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0));

/** A fixed shuffle: every order that a test saw can be seen again. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const order = [...items];
  let state = seed;
  for (let i = order.length - 1; i > 0; i -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

describe("the 36 real ZTF packets", () => {
  let service: TestService | null = null;
  afterEach(async () => {
    await service?.close();
    service = null;
  });

  test("in one batch, then once more, are what fastavro reads", async () => {
    service = await startTestService();
    expect(await service.ingest(...NIGHTS)).toMatchObject({ read: 36, stored: 36, duplicates: 0, deadLetters: 0 });
    await compare(service);
    await compareCones(service);
    expect(await service.ingest(...NIGHTS)).toMatchObject({ read: 36, stored: 0, duplicates: 36, deadLetters: 0 });
    await compare(service);
  });

  test.each([1, 2, 3])("one by one in shuffled order (%i) are the same", async (seed) => {
    service = await startTestService();
    for (const path of shuffled(await packetFiles(), seed)) {
      expect(await service.ingest(path)).toMatchObject({ read: 1, stored: 1 });
    }
    await compare(service);
    await compareCones(service);
  });

  test("in shuffled batches with repeats, through a restart, are the same", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tocsin-ztf-"));
    try {
      const files = shuffled(await packetFiles(), 9);
      for (const [part, paths] of [files.slice(0, 20), files.slice(10, 30), files.slice(25)].entries()) {
        await mkdir(join(folder, String(part)));
        for (const path of paths) await copyFile(path, join(folder, String(part), path.split("/").at(-1)!));
        service = await startTestService({ DATA_DIR: join(folder, "data") });
        await service.ingest(join(folder, String(part)));
        if (part < 2) await service.close();
      }
      await compare(service!);
    } finally {
      await service?.close();
      service = null;
      await rm(folder, { recursive: true, force: true });
    }
  });
});
