// The simulated sky: repeatable, complete, plausible, and readable by others.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Packet } from "../../domain/packet.js";
import { separationArcsec } from "../../domain/sky.js";
import { python, pythonHas } from "../../test/python.js";
import { readContainer } from "../avro/container.js";
import { decode } from "../decode.js";
import { bigColumn, stringColumn } from "../rows.js";
import { surveyModule } from "../surveys/index.js";
import type { SimulatedAlert } from "./sky.js";
import { packetMaker, simulate, writeSimulation } from "./write.js";

const OPTIONS = {
  seed: "test",
  nights: 12,
  endJd: 2_461_000.5,
  alerts: new Map([
    ["ZTF", 400],
    ["LSST", 100],
  ]),
};

describe("a simulated sky", () => {
  const sky = simulate(OPTIONS);
  const of = (survey: string): SimulatedAlert[] => sky.filter((alert) => alert.survey === survey);

  test("has exactly the alerts that were asked for, in the order of time, within the nights", () => {
    expect(of("ZTF")).toHaveLength(400);
    expect(of("LSST")).toHaveLength(100);
    const times = sky.map(({ measurement }) => measurement.visit.jd);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]!).toBeGreaterThan(OPTIONS.endJd - OPTIONS.nights - 1);
    expect(times.at(-1)!).toBeLessThan(OPTIONS.endJd + 1);
  });

  test("is the same for the same seed, and another for another", () => {
    const packet = packetMaker(OPTIONS.seed);
    const again = simulate(OPTIONS);
    const same = packetMaker(OPTIONS.seed);
    for (const i of [0, 17, 333, 499]) expect(same(again[i]!).body).toEqual(packet(sky[i]!).body);
    const other = simulate({ ...OPTIONS, seed: "other" });
    expect(other[0]!.source.ra).not.toBe(sky[0]!.source.ra);
    const objectId = (alert: SimulatedAlert) => surveyModule(alert.survey).simulated.objectId(alert);
    const lasting = (alerts: SimulatedAlert[]) =>
      alerts.filter(({ source }) => source.kind !== "asteroid").map(objectId);
    expect(lasting(sky).filter((id) => lasting(other).includes(id))).toEqual([]);
  });

  test("has every kind of source, detections above 5 sigma only, and history before the alert only", () => {
    expect(new Set(sky.map(({ source }) => source.kind))).toEqual(
      new Set(["supernova", "variable", "agn", "asteroid", "artefact"]),
    );
    for (const { measurement, history } of sky) {
      expect(Math.abs(measurement.flux)).toBeGreaterThan(5 * measurement.fluxError);
      for (const earlier of history) {
        expect(earlier.visit.jd).toBeLessThan(measurement.visit.jd);
        expect(earlier.detected).toBe(Math.abs(earlier.flux) > 5 * earlier.fluxError);
      }
    }
  });

  test("measures what the truth says, within its errors", () => {
    const pulls = sky.map(({ measurement: { visit, flux, fluxError }, source }) => {
      return (flux - source.differenceFlux(visit.jd, visit.band)) / fluxError;
    });
    const mean = pulls.reduce((sum, pull) => sum + pull, 0) / pulls.length;
    const variance = pulls.reduce((sum, pull) => sum + (pull - mean) ** 2, 0) / pulls.length;
    // Selection at the threshold favours upward noise of faint sources a little.
    expect(Math.abs(mean)).toBeLessThan(0.3);
    expect(variance).toBeGreaterThan(0.7);
    expect(variance).toBeLessThan(1.3);
  });

  test("shows lasting sources to both surveys at one place", () => {
    const lasting = (survey: string) => new Map(of(survey).map(({ source }) => [source.name, source]));
    const shared = [...lasting("LSST")].filter(([name]) => lasting("ZTF").has(name));
    expect(shared.length).toBeGreaterThan(3);
    for (const [name, { ra, dec }] of shared) {
      const other = lasting("ZTF").get(name)!;
      expect(separationArcsec(ra, dec, other.ra, other.dec)).toBe(0);
    }
  });
});

describe("its packets", () => {
  const folder = mkdtempSync(join(tmpdir(), "tocsin-sky-"));
  const sky = simulate(OPTIONS);
  let files: string[];
  beforeAll(async () => {
    files = await writeSimulation(folder, sky, OPTIONS.seed);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("are few files, one a survey and night, of packets as large as real ones", () => {
    expect(files.length).toBeLessThanOrEqual(2 * (OPTIONS.nights + 1));
    const ztf = files.filter((path) => path.includes("ZTF_")).map((path) => readFileSync(path).length);
    const perAlert = ztf.reduce((sum, bytes) => sum + bytes, 0) / 400;
    expect(perAlert).toBeGreaterThan(40_000);
    expect(perAlert).toBeLessThan(90_000);
  });

  test("decode without a dead letter to distinct candids and the objects of the truth", () => {
    const truth = readFileSync(join(folder, "truth.jsonl"), "utf8").trim().split("\n");
    const expected = new Map(
      truth.map((line) => {
        const { survey, objectId, alerts } = JSON.parse(line) as { survey: string; objectId: string; alerts: number };
        return [`${survey} ${objectId}`, alerts];
      }),
    );
    const found = new Map<string, number>();
    const candids = new Set<string>();
    for (const path of files) {
      const { batches, deadLetters } = decode(
        [...readContainer(readFileSync(path), path)].filter((item): item is Packet => !("reason" in item)),
      );
      expect(deadLetters).toEqual([]);
      for (const { survey, alerts } of batches) {
        for (const candid of bigColumn(alerts, "candid").values) candids.add(`${survey} ${candid}`);
        for (const id of stringColumn(alerts, "objectId").values) {
          found.set(`${survey} ${id}`, (found.get(`${survey} ${id}`) ?? 0) + 1);
        }
      }
    }
    expect(candids.size).toBe(500);
    expect(found).toEqual(expected);
  });

  test.skipIf(!pythonHas("fastavro", "astropy"))("are read by fastavro and astropy", () => {
    const read = python<{ alerts: number; shapes: number[][]; schemavsn: string[] }>(
      `
import gzip, io
import fastavro
from astropy.io import fits
files = input
alerts, shapes, versions = 0, [], set()
for path in files:
    with open(path, "rb") as f:
        for n, packet in enumerate(fastavro.reader(f)):
            alerts += 1
            if "schemavsn" in packet: versions.add(packet["schemavsn"])
            if n == 0:
                cutout = packet["cutoutScience"]
                data = gzip.decompress(cutout["stampData"]) if isinstance(cutout, dict) else cutout
                shapes.append(list(fits.open(io.BytesIO(data))[0].data.shape))
print(json.dumps({"alerts": alerts, "shapes": shapes, "schemavsn": sorted(versions)}))
`,
      files,
    );
    expect(read.alerts).toBe(500);
    expect(read.schemavsn).toEqual(["4.02"]);
    expect(new Set(read.shapes.map(String))).toEqual(new Set(["63,63", "30,30"]));
  });
});
