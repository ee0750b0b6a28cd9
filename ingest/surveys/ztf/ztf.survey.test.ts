// ZTF's packets as alerts and light curves: against fastavro's reading of every own field, and the independent merge of
// expected/ztf.json.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { AlertBatch } from "../../../domain/alert.js";
import { COMMON_FIELDS, INTERNAL_FIELDS, PHOTOMETRY_FIELDS } from "../../../domain/alert.js";
import type { Block } from "../../../domain/columns.js";
import type { Packet } from "../../../domain/packet.js";
import type { Viewer } from "../../../domain/viewer.js";
import { SHARED } from "../../../test/shared.js";
import { avscType } from "../../avro/avsc.fixture.js";
import { readContainer } from "../../avro/container.js";
import { type PacketRecord, readRecord } from "../../avro/record.js";
import { parseSchema } from "../../avro/schema.js";
import { avroFiles, fastavroRecords, hasFastavro } from "../../avro/truth.fixture.js";
import { recordEncoder } from "../../avro/write.js";
import { decode } from "../../decode.js";
import { ztf } from "./ztf.survey.js";

const files = avroFiles("ztf");
const packets = files.flatMap((path) => [...readContainer(readFileSync(path), path)]) as Packet[];
const value = (block: Block, name: string, row: number) => {
  const column = block.columns.get(name)!;
  return column.nulls?.[row] === 1 ? null : column.values[row]!;
};
const rowsOf = (block: Block) =>
  Array.from({ length: block.rows }, (_, row) =>
    Object.fromEntries([...block.columns.keys()].map((name) => [name, value(block, name, row)])),
  );
const decoded = (list: readonly Packet[]): AlertBatch => {
  const { batches, deadLetters } = decode(list);
  expect(deadLetters).toEqual([]);
  return batches[0]!;
};

interface Expected {
  alerts: Record<string, unknown>[];
  objects: Record<string, Record<"detections" | "nonDetections" | "forced", Record<string, Record<string, number>>>>;
  counts: Record<string, number>;
}
const expected = JSON.parse(readFileSync(`${SHARED}/data/expected/ztf.json`, "utf8")) as Expected;
const FID: Record<string, number> = { g: 1, r: 2, i: 3 };

describe("the 36 real packets", () => {
  const batch = decoded(packets);

  test("columns are those that the tables have, with the promised types", () => {
    const names = [...COMMON_FIELDS, ...INTERNAL_FIELDS, ...ztf.description.fields].map(({ name }) => name);
    expect([...batch.alerts.columns.keys()].sort()).toEqual(names.sort());
    for (const { name, type, nullable } of [...COMMON_FIELDS, ...INTERNAL_FIELDS, ...ztf.description.fields]) {
      const column = batch.alerts.columns.get(name)!;
      expect([name, column.type, column.values.length]).toEqual([name, type, 36]);
      expect([name, column.nulls?.length ?? null]).toEqual([name, nullable ? 36 : null]);
    }
    const pointNames = [...PHOTOMETRY_FIELDS, ...ztf.description.pointColumns].map(({ name }) => name);
    expect([...batch.photometry.columns.keys()].sort()).toEqual(pointNames.sort());
    for (const { name, type, nullable } of PHOTOMETRY_FIELDS) {
      const column = batch.photometry.columns.get(name)!;
      expect([name, column.type, column.values.length]).toEqual([name, type, batch.photometry.rows]);
      expect([name, column.nulls?.length ?? null]).toEqual([name, nullable ? batch.photometry.rows : null]);
    }
  });

  test("alerts equal expected/ztf.json", () => {
    const found = rowsOf(batch.alerts).map((row) => ({
      candid: String(row.candid),
      objectId: row.objectId,
      jd: row.jd,
      fid: row.fid,
      ra: row.ra,
      dec: row.dec,
      magpsf: row.magpsf,
      sigmapsf: row.sigmapsf,
      isdiffpos: row.isPositive === 1,
      rb: row.rb,
      drb: row.drb,
      programid: row.programid,
      ssnamenr: row.solarSystemName,
    }));
    expect(found.sort((a, b) => (a.candid < b.candid ? -1 : 1))).toEqual(expected.alerts);
  });

  test("photometry, merged in the simplest way, equals expected/ztf.json", () => {
    const merged: typeof expected.objects = {};
    for (const [i, point] of rowsOf(batch.photometry).entries()) {
      merged[point.objectId as string] ??= { detections: {}, nonDetections: {}, forced: {} };
      const object = merged[point.objectId as string]!;
      const id = String(point.pointId);
      const common = { jd: point.jd as number, fid: FID[point.band as string]! };
      const counts = (flux: unknown) => Number(flux) / 10 ** ((31.4 - Number(point.zeroPoint)) / 2.5);
      if (point.kind === 1) {
        object.detections[id] = {
          ...common,
          magpsf: point.magnitude as number,
          sigmapsf: point.magnitudeError as number,
        };
      } else if (point.kind === 2) {
        object.nonDetections[id] = { ...common, diffmaglim: point.limitingMagnitude as number };
      } else {
        object.forced[id] = { ...common, flux: counts(point.flux), fluxErr: counts(point.fluxError) };
      }
      expect(point.toldByCandid).toBe(value(batch.alerts, "candid", batch.toldBy[i]!));
      expect(point.objectId).toBe(value(batch.alerts, "objectId", batch.toldBy[i]!));
    }
    for (const [objectId, truth] of Object.entries(expected.objects)) {
      const { forced, ...exact } = merged[objectId]!;
      const { forced: trueForced, ...trueExact } = truth;
      expect(exact).toEqual({ detections: trueExact.detections, nonDetections: trueExact.nonDetections });
      expect(Object.keys(forced).sort()).toEqual(Object.keys(trueForced).sort());
      for (const [pid, point] of Object.entries(trueForced)) {
        for (const name of ["jd", "fid", "flux", "fluxErr"]) {
          const missing = point[name] === -99999;
          if (!missing) expect(forced[pid]![name]).toBeCloseTo(point[name]!, 6);
        }
      }
    }
    expect(Object.keys(merged).length).toBe(expected.counts.objects);
  });

  test("forced points: -99999 and a missing zero point are missing fluxes, whose rights are their own", () => {
    const { schema, bytes, origin } = packets.find(({ origin }) => origin.source.includes("2475433850015010009"))!;
    const record = avscType(schema.text).fromBuffer(Buffer.from(bytes)) as { fp_hists: Record<string, unknown>[] };
    const [point] = record.fp_hists;
    record.fp_hists = [
      { ...point, forcediffimflux: -99999, programid: 2 },
      { ...point, forcediffimfluxunc: -99999, diffmaglim: -99999, fid: 3 },
      { ...point, magzpsci: null, fid: 9 },
      { ...point, forcediffimflux: 100, forcediffimfluxunc: 10, magzpsci: 23.900000000000002 },
      { ...point, jd: Number.NaN },
    ];
    const edited = recordEncoder(schema.text)(record);
    const forced = rowsOf(decoded([{ schema, bytes: edited, origin }]).photometry).filter(({ kind }) => kind === 3);
    expect(forced).toHaveLength(4);
    expect(forced[0]).toMatchObject({ flux: null, programid: 2, isPositive: 0 });
    expect(forced[1]).toMatchObject({ fluxError: null, limitingMagnitude: null, band: "i", programid: 1 });
    expect(forced[2]).toMatchObject({ flux: null, fluxError: null, zeroPoint: null, band: "unknown" });
    // Zero point 23.9: one count is one microjansky.
    expect(forced[3]!.flux).toBeCloseTo(100_000, -1);
    expect(forced[3]!.fluxError).toBeCloseTo(10_000, 0);
  });

  test("-999 and the like are no magnitudes, errors and limits; they stay in the survey's own fields", () => {
    const { schema, bytes, origin } = packets.find(({ origin }) => origin.source.includes("2475433850015010009"))!;
    type Record = { candidate: object; prv_candidates: { candid: bigint | null }[]; fp_hists: object[] };
    const record = avscType(schema.text).fromBuffer(Buffer.from(bytes)) as Record;
    Object.assign(record.candidate, { magpsf: -999, sigmapsf: -999, isdiffpos: "true", ssnamenr: "NULL" });
    const [seen, limit] = [true, false].map(
      (is) => record.prv_candidates.find(({ candid }) => (candid !== null) === is)!,
    );
    record.prv_candidates = [
      { ...seen!, candid: 1n, ...{ magpsf: -99999, diffmaglim: -999, isdiffpos: "T" } },
      { ...seen!, candid: 2n, ...{ magpsf: 18, sigmapsf: -99, isdiffpos: "0" } },
      { ...limit!, ...{ diffmaglim: -999 } },
      { ...limit!, ...{ diffmaglim: Number.NaN } },
      { ...limit!, ...{ diffmaglim: 20.5, pid: 77n } },
    ];
    record.fp_hists = [
      { ...record.fp_hists[0], forcediffimflux: 50, forcediffimfluxunc: -99999, magzpsci: 23.9, diffmaglim: -999 },
      { ...record.fp_hists[0], forcediffimflux: -999, forcediffimfluxunc: 1, magzpsci: -999 },
    ];
    // Whatever a history says of the alert's own detection, the alert has the word.
    const { candid } = record.candidate as { candid: bigint };
    record.prv_candidates.push({ ...seen!, candid, ...{ magpsf: 20 } } as never);
    const batch = decoded([{ schema, bytes: recordEncoder(schema.text)(record as never), origin }]);
    const missing = { magnitude: null, magnitudeError: null, flux: null, fluxError: null };
    expect(rowsOf(batch.alerts)[0]).toMatchObject({
      ...missing,
      snr: null,
      isPositive: 1,
      solarSystemName: null,
      magpsf: -999,
      sigmapsf: -999,
      ssnamenr: "NULL",
    });
    const points = rowsOf(batch.photometry);
    expect(points).toHaveLength(6);
    expect(points[0]).toMatchObject(missing);
    expect(points[1]).toMatchObject({
      ...missing,
      pointId: 1n,
      magnitudeError: expect.any(Number),
      limitingMagnitude: null,
      isPositive: 1,
    });
    expect(points[2]).toMatchObject({
      pointId: 2n,
      magnitude: 18,
      magnitudeError: null,
      fluxError: null,
      isPositive: 0,
    });
    expect(points[3]).toMatchObject({ kind: 2, pointId: 77n, limitingMagnitude: 20.5 });
    expect(points[4]).toMatchObject({ kind: 3, fluxError: null, magnitude: null, limitingMagnitude: null });
    expect(Number(points[4]!.flux)).toBeCloseTo(50_000, -1);
    expect(points[5]).toMatchObject({ kind: 3, flux: null, fluxError: null, zeroPoint: null });
  });

  test("fluxes follow from the definition of AB magnitudes", () => {
    for (const row of rowsOf(batch.alerts)) {
      const sign = row.isdiffpos === "t" || row.isdiffpos === "1" ? 1 : -1;
      // 0 mag is 3631 Jy to 0.01 %.
      expect(Number(row.flux) / (sign * 3631e9 * 10 ** (-0.4 * Number(row.magpsf)))).toBeCloseTo(1, 3);
      expect(Number(row.snr)).toBeCloseTo(2.5 / Math.LN10 / Number(row.sigmapsf), 6);
    }
  });

  test.skipIf(!hasFastavro)("own fields equal fastavro's, sentinels included (needs Python with fastavro)", () => {
    const truth = fastavroRecords(files).flat();
    for (const [row, { candidate }] of truth.entries()) {
      for (const { name } of ztf.description.fields) {
        const found = value(batch.alerts, name, row);
        const wanted = (candidate as Record<string, unknown>)[name] ?? null;
        expect([name, typeof found === "bigint" ? found.toString() : found]).toEqual([name, wanted]);
      }
    }
  });

  test("classes follow the rules", () => {
    const classes = ztf.classify(batch.alerts);
    for (const [row, alert] of rowsOf(batch.alerts).entries()) {
      const mover = Number(alert.ssdistnr) >= 0 && Number(alert.ssdistnr) < 12;
      expect(classes[row] === "solar-system").toBe(mover);
    }
    expect(classes.filter((name) => name === "solar-system").length).toBe(15);
    expect(new Set(classes)).toEqual(new Set(["solar-system", "stellar", "hosted"]));
  });
});

describe("what a viewer sees of a packet", () => {
  const packet = packets.find(({ origin }) => origin.source.includes("2475433850015010009"))!;
  const record = readRecord(parseSchema(packet.schema.text), packet.bytes);
  const viewer = (programids: "all" | number[]): Viewer => ({
    scope: "test",
    programids: new Map([["ZTF", programids]]),
    mayChange: false,
  });

  test("no cutouts, and only the history points of its programmes", () => {
    const history = (record.prv_candidates as PacketRecord[]).map((point, i) => ({ ...point, programid: 1 + (i % 3) }));
    const seen = (programids: "all" | number[]) =>
      ztf.visiblePacket({ ...record, prv_candidates: history }, viewer(programids));
    expect(seen("all").prv_candidates).toEqual(history);
    expect(seen([1]).prv_candidates).toEqual(history.filter(({ programid }) => programid === 1));
    expect(seen([1, 2]).prv_candidates).toEqual(history.filter(({ programid }) => programid !== 3));
    expect(seen([2]).fp_hists).toEqual([]);
    expect(seen([1]).fp_hists).toEqual(record.fp_hists);
    const asText = (points: readonly PacketRecord[]) =>
      points.map((point) => ({ ...point, programid: `${point.programid}` }));
    const wide = ztf.visiblePacket({ ...record, prv_candidates: asText(history) }, viewer([1]));
    expect(wide.prv_candidates).toEqual(asText(history.filter(({ programid }) => programid === 1)));
    const own = { ...(record.candidate as PacketRecord), programid: "2" };
    const without = history.map(({ programid, ...point }) => point);
    const partnership = { ...record, candidate: own, prv_candidates: without } as PacketRecord;
    expect(
      [[1], [2]].map((ids) => (ztf.visiblePacket(partnership, viewer(ids)).prv_candidates as unknown[]).length),
    ).toEqual([0, history.length]);
    expect(Object.keys(seen("all"))).toEqual(Object.keys(record).filter((name) => !name.startsWith("cutout")));
  });

  test("cutouts come unzipped", () => {
    const stamp = (record.cutoutTemplate as PacketRecord).stampData as Uint8Array;
    const fits = ztf.cutout(record, "template")!;
    expect(Buffer.from(fits).equals(gunzipSync(stamp))).toBe(true);
    expect(Buffer.from(fits.subarray(0, 9)).toString()).toBe("SIMPLE  =");
    expect(ztf.cutout({ ...record, cutoutScience: null }, "science")).toBeNull();
    const cut = stamp.subarray(0, 500);
    expect(Buffer.from(ztf.cutout({ cutoutScience: { stampData: cut } }, "science")!).equals(cut)).toBe(true);
  });
});
