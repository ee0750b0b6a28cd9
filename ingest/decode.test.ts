// Packets of several surveys in one call, and values that cannot be an alert's.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Packet } from "../domain/packet.js";
import { avscType } from "./avro/avsc.fixture.js";
import { readContainer } from "./avro/container.js";
import { avroFiles } from "./avro/truth.fixture.js";
import { recordEncoder } from "./avro/write.js";
import { decode } from "./decode.js";

const first = (folder: string) =>
  avroFiles(folder)
    .slice(0, 1)
    .flatMap((path) => [...readContainer(readFileSync(path), path)])[0] as Packet;
const ztf = first("ztf/20231012");

type Ztf = { objectId: string; candid: bigint; candidate: Record<string, unknown> };
function edited(change: (record: Ztf) => void): Packet {
  const record = avscType(ztf.schema.text).fromBuffer(Buffer.from(ztf.bytes)) as Ztf;
  change(record);
  const bytes = recordEncoder(ztf.schema.text)(record as unknown as Record<string, unknown>);
  return { ...ztf, bytes, origin: { source: "edited", position: "record 1" } };
}

test("one batch for each survey, letters for packets of others", () => {
  const others = avroFiles("other").flatMap((path) => [...readContainer(readFileSync(path), path)]) as Packet[];
  const { batches, deadLetters } = decode([
    ztf,
    others[0]!,
    first("lsst/v9_0"),
    ...others.slice(1),
    first("ztf/20200202"),
  ]);
  expect(batches.map(({ survey, alerts, packets }) => [survey, alerts.rows, packets.length])).toEqual([
    ["ZTF", 2, 2],
    ["LSST", 1, 1],
  ]);
  expect(deadLetters.map(({ reason, message, survey }) => [reason, message, survey])).toEqual(
    ["desirt.alert", "pgir.alert", "winter.alert"].map((name) => [
      "UNKNOWN_SURVEY",
      `No survey here has packets of the schema ${name}.`,
      null,
    ]),
  );
  expect(deadLetters[0]!.schemaFingerprint).toBe(others[0]!.schema.fingerprint);
});

test("an unusable schema is a letter", () => {
  const { deadLetters } = decode([{ ...ztf, schema: { fingerprint: "0", text: "{" } }]);
  expect(deadLetters[0]).toMatchObject({
    reason: "UNKNOWN_SCHEMA",
    message: "Unusable schema: the schema is not JSON.",
  });
});

describe("bad values", () => {
  const cases: [string, (record: Ztf) => void, RegExp][] = [
    ["NaN jd", (r) => Object.assign(r.candidate, { jd: Number.NaN }), /jd is NaN/],
    ["infinite ra", (r) => Object.assign(r.candidate, { ra: Number.POSITIVE_INFINITY }), /ra is Infinity/],
    ["dec beyond the pole", (r) => Object.assign(r.candidate, { dec: -90.001 }), /dec is -90.001/],
    ["endless objectId", (r) => Object.assign(r, { objectId: "x".repeat(201) }), /objectId has 201/],
    ["empty objectId", (r) => Object.assign(r, { objectId: " " }), /objectId is empty/],
  ];
  for (const [name, change, message] of cases) {
    test(name, () => {
      const { batches, deadLetters } = decode([ztf, edited(change), ztf]);
      expect(batches[0]!.alerts.rows).toBe(2);
      expect(batches[0]!.packets).toEqual([ztf, ztf]);
      expect(new Set(batches[0]!.toldBy)).toEqual(new Set([0, 1]));
      expect(deadLetters).toHaveLength(1);
      expect(deadLetters[0]).toMatchObject({ reason: "BAD_VALUE", survey: "ZTF", origin: { source: "edited" } });
      expect(deadLetters[0]!.message).toMatch(message);
    });
  }

  test("a required field that the schema does not have", () => {
    const text = JSON.stringify(JSON.parse(ztf.schema.text.replaceAll('"candid"', '"kandid"')));
    const { batches, deadLetters } = decode([{ ...ztf, schema: { fingerprint: "1", text } }]);
    expect(deadLetters[0]!.message).toBe("The field candid is missing.");
    expect(batches[0]!.alerts.rows).toBe(0);
  });
});

describe("schemas of other versions", () => {
  type Field = { name: string; type: unknown };
  const altered = (change: (fields: Field[]) => Field[]) => {
    const schema = JSON.parse(ztf.schema.text) as { fields: Field[] };
    schema.fields = change(schema.fields);
    const text = JSON.stringify(schema);
    const record = avscType(ztf.schema.text).fromBuffer(Buffer.from(ztf.bytes)) as Record<string, unknown>;
    Object.assign(record, { extra: 3, later: [{ deep: "x" }] });
    return decode([ztf, { ...ztf, schema: { fingerprint: "2", text }, bytes: recordEncoder(text)(record) }]);
  };
  const candidate = (fields: Field[]) => fields.find(({ name }) => name === "candidate")!.type as { fields: Field[] };

  test("without schemavsn, history and fields that came later: missing values", () => {
    const { batches, deadLetters } = altered((fields) => {
      const part = candidate(fields);
      part.fields = part.fields.filter(({ name }) => !["drb", "drbversion", "sgscore1", "rfid"].includes(name));
      return fields.filter(({ name }) => !["schemavsn", "prv_candidates", "fp_hists"].includes(name));
    });
    expect(deadLetters).toEqual([]);
    const { alerts, toldBy } = batches[0]!;
    for (const name of ["drb", "drbversion", "sgscore1", "rfid"]) {
      expect(Array.from(alerts.columns.get(name)!.nulls!)).toEqual([0, 1]);
    }
    for (const name of ["rb", "candid", "exptime", "distpsnr3"]) {
      const { values } = alerts.columns.get(name)!;
      expect(values[1]).toBe(values[0]);
    }
    expect(Array.from(toldBy).filter((row) => row === 1)).toHaveLength(1);
  });

  test("numbers and truth values where text was", () => {
    const schema = JSON.parse(ztf.schema.text) as { fields: Field[] };
    schema.fields.find(({ name }) => name === "objectId")!.type = "long";
    const part = candidate(schema.fields);
    for (const field of part.fields) {
      if (field.name === "isdiffpos") field.type = "boolean";
      if (field.name === "rbversion") field.type = ["null", "int"];
    }
    const text = JSON.stringify(schema);
    const record = avscType(ztf.schema.text).fromBuffer(Buffer.from(ztf.bytes)) as Ztf;
    Object.assign(record, { objectId: 2n ** 53n + 1n });
    const [is, isNot] = [true, false].map((isdiffpos): Packet => {
      Object.assign(record.candidate, { isdiffpos, rbversion: -17 });
      const bytes = recordEncoder(text)(record as unknown as Record<string, unknown>);
      return { ...ztf, schema: { fingerprint: "3", text }, bytes };
    });
    const { batches, deadLetters } = decode([is!, isNot!]);
    expect(deadLetters).toEqual([]);
    const column = (name: string) => Array.from(batches[0]!.alerts.columns.get(name)!.values as ArrayLike<unknown>);
    expect(column("objectId")).toEqual(["9007199254740993", "9007199254740993"]);
    expect(column("isdiffpos")).toEqual(["true", "false"]);
    expect(column("isPositive")).toEqual([1, 0]);
    expect(column("rbversion")).toEqual(["-17", "-17"]);
  });

  test("with fields that nobody knows yet, and wider types", () => {
    const item = { type: "record", name: "later", fields: [{ name: "deep", type: "string" }] };
    const { batches, deadLetters } = altered((fields) => {
      const part = candidate(fields);
      for (const field of part.fields) {
        if (field.name === "rb") field.type = ["null", "double"];
        if (field.name === "nid") field.type = "long";
        if (field.name === "fid") field.type = ["string", "int", "null"];
      }
      const more = { name: "later", type: ["null", { type: "array", items: item }] };
      return [{ name: "extra", type: "int" }, ...fields, more];
    });
    expect(deadLetters).toEqual([]);
    for (const name of ["rb", "nid", "fid", "band", "drbversion", "magnitude"]) {
      const { values } = batches[0]!.alerts.columns.get(name)!;
      expect(values[1]).toBe(values[0]);
    }
  });
});

test("right ascension is wrapped, the poles and negative ids are taken as they are", () => {
  const at = (ra: number, dec: number, candid: bigint) =>
    edited((r) => Object.assign(r, { candid, candidate: { ...r.candidate, ra, dec, candid } }));
  const extremes = [2n ** 63n - 1n, -(2n ** 63n), -1n, 0n];
  const { batches, deadLetters } = decode([
    at(-0.5, 90, extremes[0]!),
    at(360, -90, extremes[1]!),
    at(725.25, 0, extremes[2]!),
    at(-1e-20, 0, extremes[3]!),
  ]);
  expect(deadLetters).toEqual([]);
  const column = (name: string) => Array.from(batches[0]!.alerts.columns.get(name)!.values as ArrayLike<unknown>);
  expect(column("ra")).toEqual([359.5, 0, 5.25, 0]);
  expect(column("dec")).toEqual([90, -90, 0, 0]);
  expect(column("candid")).toEqual(extremes);
  expect((column("healpix") as bigint[]).every((pixel) => pixel < 12n * 4n ** 29n)).toBe(true);
});
