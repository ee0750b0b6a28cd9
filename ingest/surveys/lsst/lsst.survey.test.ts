// Rubin's packets as alerts and light curves: own fields against fastavro, times against astropy, and the rules for ids,
// signs and designations on packets written for the purpose.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COMMON_FIELDS, INTERNAL_FIELDS, PHOTOMETRY_FIELDS } from "../../../domain/alert.js";
import type { Block } from "../../../domain/columns.js";
import type { Packet } from "../../../domain/packet.js";
import { python, pythonHas } from "../../../test/python.js";
import { SHARED } from "../../../test/shared.js";
import { avscType } from "../../avro/avsc.fixture.js";
import { schemaLookup } from "../../avro/confluent.js";
import { readContainer } from "../../avro/container.js";
import { readRecord } from "../../avro/record.js";
import { parseSchema } from "../../avro/schema.js";
import { schemasInFolder } from "../../avro/schemafolder.js";
import { avroFiles, fastavroRecords, hasFastavro } from "../../avro/truth.fixture.js";
import { recordEncoder } from "../../avro/write.js";
import { decode } from "../../decode.js";
import { recordType } from "../../simulator/schema.js";
import { LSST_FORMER_NAMES } from "./lsst.formernames.js";
import { lsst } from "./lsst.survey.js";

const RUBIN = join(SHARED, "data/lsst/7912941781254298.avro");
const samples = avroFiles("lsst").filter((path) => path !== RUBIN);
const sample = (version: string) => {
  const path = samples.find((name) => name.includes(version))!;
  return [...readContainer(readFileSync(path), path)][0] as Packet;
};
const real = (await schemaLookup(schemasInFolder(join(SHARED, "data/lsst"))).packet(readFileSync(RUBIN), {
  source: RUBIN,
  position: "record 1",
})) as Packet;

const row = (block: Block, index: number): Record<string, unknown> =>
  Object.fromEntries(
    [...block.columns].map(([name, { values, nulls }]) => [name, nulls?.[index] ? null : values[index]]),
  );
const rows = (block: Block) => Array.from({ length: block.rows }, (_, i) => row(block, i));
function decoded(...packets: Packet[]) {
  const { batches, deadLetters } = decode(packets);
  expect(deadLetters).toEqual([]);
  return batches[0]!;
}

type Edit = (record: Record<string, Record<string, unknown> & unknown[]>) => void;
/** The packet with another content. */
function edited(packet: Packet, edit: Edit): Packet {
  const record = avscType(packet.schema.text).fromBuffer(Buffer.from(packet.bytes));
  edit(record);
  return { ...packet, bytes: recordEncoder(packet.schema.text)(record) };
}

describe("real and sample packets", () => {
  const batch = decoded(...samples.map((path) => [...readContainer(readFileSync(path), path)][0] as Packet), real);

  test("columns are those that the tables have, with the promised types", () => {
    const fields = [...COMMON_FIELDS, ...INTERNAL_FIELDS, ...lsst.description.fields];
    expect([...batch.alerts.columns.keys()].sort()).toEqual(fields.map(({ name }) => name).sort());
    for (const { name, type, nullable } of fields) {
      const column = batch.alerts.columns.get(name)!;
      expect([name, column.type, column.values.length, column.nulls !== null]).toEqual([name, type, 5, nullable]);
    }
    const pointNames = [...PHOTOMETRY_FIELDS, ...lsst.description.pointColumns].map(({ name }) => name);
    expect([...batch.photometry.columns.keys()].sort()).toEqual(pointNames.sort());
  });

  test.skipIf(!hasFastavro)("own fields equal fastavro's, of every version (needs Python with fastavro)", () => {
    const truth = fastavroRecords(samples).flat();
    const formerly = new Map([...LSST_FORMER_NAMES].map(([former, today]) => [today, former]));
    for (const [i, record] of truth.entries()) {
      const found = row(batch.alerts, i);
      for (const { name } of lsst.description.fields) {
        const [, outer, inner] = /^(diaObject|ssSource)_(.+)$/.exec(name) ?? [null, "diaSource", name];
        const part = record[outer!] as Record<string, unknown> | null | undefined;
        const wanted = part?.[inner!] ?? part?.[formerly.get(inner!) ?? ""] ?? null;
        const value = found[name];
        const plain = typeof wanted === "boolean" ? value === 1 : typeof value === "bigint" ? `${value}` : value;
        expect([name, plain]).toEqual([name, wanted]);
      }
    }
  });

  test("the real packet", () => {
    const alert = row(batch.alerts, 4);
    expect(alert).toMatchObject({
      candid: 7912941781254298n,
      objectId: "7912941781254298",
      ra: 55.75212760972686,
      dec: -32.26847858422095,
      band: "r",
      isPositive: 0,
      flux: -1230.2757568359375,
      programid: 1,
      solarSystemName: null,
      timeWithdrawnMjdTai: Number.NaN,
    });
    // 5.05 sigma by the survey, 5.00 from the PSF flux.
    expect(alert.snr).toBeCloseTo(5.052, 3);
    expect(alert.magnitude).toBeCloseTo(-2.5 * Math.log10(1230.2757568359375e-9 / 3631), 3);
    expect(alert.magnitudeError).toBeCloseTo((2.5 / Math.LN10) * (245.93679809570312 / 1230.2757568359375), 12);
    expect(lsst.classify(batch.alerts)).toEqual(Array(5).fill("unknown"));
    const fits = lsst.cutout(readRecord(parseSchema(real.schema.text), real.bytes), "template")!;
    expect(fits.length).toBe(69120);
    expect(Buffer.from(fits.subarray(0, 9)).toString()).toBe("SIMPLE  =");
  });

  test.skipIf(!pythonHas("astropy"))("TAI becomes UTC as astropy has it (needs Python with astropy)", () => {
    // Not on 2016-12-31 itself, whose seconds astropy shortens to fit 86,401 of them into a day of JD.
    const mjds = [60961.23309222222, 57752.99, 57754.0005, 57754.5, 60902.993305483615];
    const packets = mjds.map((mjd) => edited(real, (r) => Object.assign(r.diaSource!, { midpointMjdTai: mjd })));
    const found = Array.from(decoded(...packets).alerts.columns.get("jd")!.values as Float64Array);
    const truth = python<number[]>(
      `from astropy.time import Time
print(json.dumps([float(Time(m, format='mjd', scale='tai').utc.jd) for m in input]))`,
      mjds,
    );
    for (const [i, jd] of found.entries()) expect(Math.abs(jd - truth[i]!) * 86400).toBeLessThan(1e-4);
  });
});

describe("rules", () => {
  const ids = (diaObjectId: bigint | null, ssObjectId: bigint | null, objectRecord: boolean) =>
    edited(real, (record) => {
      Object.assign(record.diaSource!, { diaObjectId, ssObjectId });
      if (!objectRecord) Object.assign(record, { diaObject: null });
    });

  test("objectId: object, solar-system object, source; 0 and null are none; negative ids keep their sign", () => {
    const batch = decoded(
      ids(77n, 5n, true),
      ids(0n, 5n, true),
      ids(null, 5n, false),
      ids(0n, 0n, false),
      ids(-(2n ** 63n), null, false),
    );
    expect(batch.alerts.columns.get("objectId")!.values).toEqual([
      "77",
      "7912941781254298",
      "sso5",
      "dia7912941781254298",
      "-9223372036854775808",
    ]);
    expect(lsst.classify(batch.alerts)).toEqual([...Array(3).fill("solar-system"), "unknown", "unknown"]);
  });

  test("history: forced points by visit and detector, earlier sources by their id, NaN missing", () => {
    const packet = edited(real, (record) => {
      const source = {
        ...record.diaSource!,
        diaSourceId: 11n,
        psfFlux: Number.NaN,
        isNegative: null,
        midpointMjdTai: 60960,
      };
      Object.assign(record, { prvDiaSources: [source, { ...source, diaSourceId: 12n, psfFlux: 3631, band: "g" }] });
      const forced = {
        diaForcedSourceId: 1n,
        diaObjectId: 2n,
        ra: 1,
        dec: 1,
        visit: 2025051500123n,
        detector: 7,
        psfFlux: -50,
        psfFluxErr: Number.NaN,
        scienceFlux: null,
        scienceFluxErr: null,
        midpointMjdTai: 60950,
        timeProcessedMjdTai: 60950,
        timeWithdrawnMjdTai: null,
        band: "y",
      };
      Object.assign(record, { prvDiaForcedSources: [forced, { ...forced, midpointMjdTai: Number.NaN }] });
    });
    const [own, first, second, forced, ...rest] = rows(decoded(packet).photometry);
    expect(rest).toEqual([]);
    expect(own).toMatchObject({ kind: 1, pointId: 7912941781254298n, isPositive: 0 });
    expect(first).toMatchObject({ kind: 1, pointId: 11n, flux: null, magnitude: null, isPositive: 0 });
    expect(second).toMatchObject({
      kind: 1,
      pointId: 12n,
      band: "g",
      isPositive: 1,
      toldByCandid: own!.candid ?? own!.pointId,
    });
    expect(second!.magnitude).toBeCloseTo(22.5, 3);
    expect(forced).toMatchObject({
      kind: 3,
      pointId: 2025051500123007n,
      flux: -50,
      fluxError: null,
      band: "y",
      isPositive: 0,
    });
  });

  test("names of earlier versions, 2.1 and 4.0: everything by its name of today, images by ccdVisitId", () => {
    const versions = [
      // Covariances were records of their own, as cutouts were.
      {
        namespace: "lsst",
        root: "alert",
        more: [{ name: "ra_decl_Cov", type: recordType("covariance", "raSigma float, declSigma float") }],
        values: { ra_decl_Cov: { raSigma: 1, declSigma: 2 } },
        cutout: recordType("cutout", "fileName string, stampData bytes"),
        stamp: { fileName: "a.fits", stampData: Buffer.from("SIMPLE  =") },
      },
      {
        namespace: "lsst.v4_0",
        root: "alert",
        more: [],
        values: { ra_decl_Cov: 0.25 },
        cutout: "bytes",
        stamp: Buffer.from("SIMPLE  ="),
      },
    ];
    for (const { namespace, root, more, values, cutout, stamp } of versions) {
      const image = "ccdVisitId long, midPointTai double, filterName string, psFlux float, psFluxErr float";
      const source = recordType(
        `${namespace}.alert.diaSource`,
        `diaSourceId long, diaObjectId [long], ssObjectId [long], ${image}, ra double, decl double, declErr [float],
         snr float, totFlux [float], dipMeanFlux [float], programId int${more.length > 0 ? "" : ", ra_decl_Cov [float]"}`,
      );
      source.fields.push(...(more as unknown as typeof source.fields));
      const list = (items: unknown) => ["null", { type: "array", items }];
      const text = JSON.stringify({
        type: "record",
        name: root,
        namespace,
        fields: [
          { name: "alertId", type: "long" },
          { name: "diaSource", type: source },
          { name: "prvDiaSources", type: list(source.name) },
          {
            name: "prvDiaForcedSources",
            type: list(recordType(`${namespace}.forced`, `diaForcedSourceId long, ${image}`)),
          },
          {
            name: "prvDiaNondetectionLimits",
            type: list(
              recordType(
                `${namespace}.limit`,
                "ccdVisitId long, midPointTai double, filterName string, diaNoise float",
              ),
            ),
          },
          {
            name: "diaObject",
            type: ["null", recordType(`${namespace}.object`, "diaObjectId long, yPSFluxMean [float]")],
          },
          { name: "cutoutDifference", type: ["null", cutout] },
        ],
      });
      const at = { midPointTai: 59_000.25, filterName: "y", psFlux: 3631, psFluxErr: 363.1 };
      const first = { ...at, ...values, diaSourceId: 5n, ccdVisitId: 7n, ra: 10, decl: -20, snr: 10, programId: 1 };
      const own = { ...first, diaObjectId: 2n ** 60n + 1n, declErr: 0.5, totFlux: 2.5, dipMeanFlux: 1.5 };
      const bytes = recordEncoder(text)({
        alertId: 5n,
        diaSource: own,
        prvDiaSources: [{ ...first, diaSourceId: 4n, filterName: "u", psFlux: -3631 }],
        prvDiaForcedSources: [1n, 2n].map((n) => ({ ...at, diaForcedSourceId: n, ccdVisitId: 100n + n })),
        prvDiaNondetectionLimits: [{ ...at, ccdVisitId: 9n, diaNoise: 726.2 }],
        diaObject: { diaObjectId: 2n ** 60n + 1n, yPSFluxMean: 4.5 },
        cutoutDifference: stamp,
      });
      const batch = decoded({ bytes, schema: { fingerprint: text, text }, origin: { source: "old", position: "1" } });
      expect(row(batch.alerts, 0)).toMatchObject({
        candid: 5n,
        objectId: "1152921504606846977",
        ra: 10,
        dec: -20,
        band: "y",
        flux: 3631,
        snr: 10,
        psfFlux: 3631,
        decErr: 0.5,
        scienceFlux: 2.5,
        dipoleMeanFlux: 1.5,
        midpointMjdTai: 59_000.25,
        ra_dec_Cov: more.length > 0 ? null : 0.25,
        diaObject_y_psfFluxMean: 4.5,
        visit: null,
      });
      expect(row(batch.alerts, 0).magnitude).toBeCloseTo(22.5, 3);
      expect(rows(batch.photometry).map(({ kind, pointId, band, flux }) => [kind, pointId, band, flux])).toEqual([
        [1, 5n, "y", 3631],
        [1, 4n, "u", -3631],
        [3, 101n, "y", 3631],
        [3, 102n, "y", 3631],
        [2, 9n, "y", null],
      ]);
      const fits = lsst.cutout(readRecord(parseSchema(text), bytes), "difference")!;
      expect(Buffer.from(fits).toString()).toBe("SIMPLE  =");
      expect(lsst.cutout(readRecord(parseSchema(text), bytes), "science")).toBeNull();
    }
  });

  test("schema 9.0: distances and predicted magnitude of ssSource; 11.1: fields that it added", () => {
    const given = { heliocentricDist: 2.5, topocentricDist: 1.5, predictedVMagnitude: 20.25, phaseAngle: 3 };
    const mover = edited(real, (record) => Object.assign(record, { ssSource: given }));
    const later = JSON.parse(sample("v11_0").schema.text.replaceAll("v11_0", "v11_1")) as {
      fields: { name: string; type: { fields: { name: string; type: string[] }[] } }[];
    };
    const added = { exposureTime: 29.5, trailAlgorithm: 2, trail_flag: true, reliabilityVersion: "v7" };
    const types = ["float", "int", "boolean", "string"];
    const more = Object.keys(added).map((name, i) => ({ name, type: ["null", types[i]!] }));
    later.fields.find(({ name }) => name === "diaSource")!.type.fields.unshift(...more);
    const text = JSON.stringify(later);
    const record = avscType(sample("v11_0").schema.text).fromBuffer(Buffer.from(sample("v11_0").bytes));
    Object.assign(record.diaSource, added);
    const batch = decoded(mover, {
      ...sample("v11_0"),
      schema: { fingerprint: "11.1", text },
      bytes: recordEncoder(text)(record),
    });
    expect(row(batch.alerts, 0)).toMatchObject({
      ssSource_helioRange: 2.5,
      ssSource_topoRange: 1.5,
      ssSource_ephVmag: 20.25,
      ssSource_phaseAngle: 3,
      exposureTime: null,
    });
    expect(row(batch.alerts, 1)).toMatchObject({ ...added, trail_flag: 1 });
  });

  test("schema 7.4: is_negative and limits of 5 sigma", () => {
    const packet = edited(sample("v7_4"), (record) => {
      Object.assign(record.diaSource!, { is_negative: true });
      const limit = { ccdVisitId: 9n, midpointMjdTai: 60000, band: "i", diaNoise: 726.2 };
      Object.assign(record, { prvDiaNondetectionLimits: [limit, { ...limit, diaNoise: 0 }] });
    });
    const batch = decoded(packet);
    expect(row(batch.alerts, 0).isPositive).toBe(0);
    const limits = rows(batch.photometry).filter(({ kind }) => kind === 2);
    expect(limits.length).toBe(1);
    // 5 x 726.2 nJy = 3631 nJy = 22.5 mag.
    expect(limits[0]!.limitingMagnitude).toBeCloseTo(22.5, 3);
    expect(limits[0]!.pointId).toBe(9n);
  });

  test("designations of moving objects", () => {
    const orbit = {
      mpcDesignation: " 2021 AB12 ",
      ssObjectId: 5n,
      mpcH: null,
      epoch: null,
      M: null,
      peri: null,
      node: null,
    };
    const rest = { incl: null, e: null, a: null, q: null, t_p: null };
    const packet = edited(real, (record) => Object.assign(record, { MPCORB: { ...orbit, ...rest } }));
    expect(row(decoded(packet).alerts, 0).solarSystemName).toBe("2021 AB12");
  });
});
