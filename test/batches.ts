// Batches of alerts out of a few values per alert and point, for tests of stores: everything not told has a plain default.
import { type AlertBatch, COMMON_FIELDS, INTERNAL_FIELDS, PHOTOMETRY_FIELDS } from "../domain/alert.js";
import type { Block, Column, ElementType } from "../domain/columns.js";
import { nestedPixel } from "../domain/healpix.js";
import type { OwnField, Survey, SurveyDescription } from "../domain/survey.js";
import type { PacketLocation } from "../stores/packets.store.js";

type Value = number | bigint | string | boolean | null;
export type Row = Readonly<Record<string, Value>>;

/** An alert by its own values; healpix follows from ra and dec. */
export interface TestAlert {
  readonly candid: bigint;
  readonly objectId: string;
  readonly jd: number;
  readonly ra: number;
  readonly dec: number;
  readonly programid?: number;
  readonly class?: string;
  readonly solarSystemName?: string | null;
  /** Any other column of the alert table. */
  readonly own?: Row;
  /** Columns of PHOTOMETRY_FIELDS and the survey's own of points, each point beside the alert that tells it. */
  readonly points?: readonly TestPoint[];
}
export interface TestPoint {
  readonly kind: 1 | 2 | 3;
  readonly pointId: bigint;
  readonly jd: number;
  readonly programid?: number;
  readonly values?: Row;
}

const DEFAULTS: Row = { band: "r", class: "unknown", programid: 1, isPositive: true };

export function testBatch(description: SurveyDescription, alerts: readonly TestAlert[]): AlertBatch {
  const told = alerts.flatMap((alert, row) => (alert.points ?? []).map((point) => ({ alert, point, row })));
  return {
    survey: description.id,
    alerts: blockFor(
      [...COMMON_FIELDS, ...INTERNAL_FIELDS, ...description.fields],
      alerts.map(({ own, points: _, ...alert }) => ({
        ...DEFAULTS,
        healpix: nestedPixel(alert.ra, alert.dec),
        ...alert,
        ...own,
      })),
    ),
    photometry: blockFor(
      [...PHOTOMETRY_FIELDS, ...description.pointColumns.map((column) => ({ ...column, nullable: true }))],
      told.map(({ alert, point: { values, ...point } }) => ({
        ...DEFAULTS,
        limitingMagnitude: point.kind === 2 ? 20 : null,
        ...point,
        objectId: alert.objectId,
        toldByJd: alert.jd,
        toldByCandid: alert.candid,
        ...values,
      })),
    ),
    toldBy: Uint32Array.from(told, ({ row }) => row),
    packets: alerts.map(({ candid }) => ({
      bytes: new TextEncoder().encode(String(candid)),
      schema: { fingerprint: "0123456789abcdef", text: "{}" },
      origin: { source: "test", position: String(candid) },
    })),
  };
}

export const testHashes = (alerts: readonly TestAlert[]): BigUint64Array =>
  BigUint64Array.from(alerts, ({ candid }) => BigInt.asUintN(64, candid * 0x9e3779b97f4a7c15n));

export const testLocations = (alerts: readonly TestAlert[]): PacketLocation[] =>
  alerts.map((_, n) => ({ segment: 1, offset: n * 1000, length: 1000, schema: "0123456789abcdef" }));

/** A survey with one own field of each kind, as small as a test needs. */
export function testSurvey(id: Survey, fields: readonly OwnField[] = []): SurveyDescription {
  return {
    id,
    title: id,
    fields,
    bands: ["g", "r"],
    publicProgramids: [1],
    counterpartRadiusArcsec: 2,
    pointColumns: [],
    pointFields: { detections: [], nonDetections: [], forced: [] },
    nightOffsetHours: 0,
  };
}

const ARRAYS: Record<Exclude<ElementType, "String">, (rows: number) => Column["values"]> = {
  Bool: (rows) => new Uint8Array(rows),
  UInt8: (rows) => new Uint8Array(rows),
  Int8: (rows) => new Int8Array(rows),
  Int16: (rows) => new Int16Array(rows),
  Int32: (rows) => new Int32Array(rows),
  UInt32: (rows) => new Uint32Array(rows),
  Int64: (rows) => new BigInt64Array(rows),
  UInt64: (rows) => new BigUint64Array(rows),
  Float32: (rows) => new Float32Array(rows),
  Float64: (rows) => new Float64Array(rows),
};

/** Rows as columns; a value that is not told is missing where the field may be, else 0 or "". */
export function blockFor(
  fields: readonly { name: string; type: ElementType; nullable: boolean }[],
  rows: readonly Row[],
): Block {
  const columns = new Map<string, Column>();
  for (const { name, type, nullable } of fields) {
    const missing = (row: Row) => row[name] === undefined || row[name] === null;
    const nulls = nullable ? Uint8Array.from(rows, (row) => (missing(row) ? 1 : 0)) : null;
    if (type === "String") {
      columns.set(name, { type, values: rows.map((row) => (missing(row) ? "" : String(row[name]))), nulls });
      continue;
    }
    const values = ARRAYS[type](rows.length) as unknown as (number | bigint)[];
    rows.forEach((row, n) => {
      const value = row[name];
      if (!missing(row)) values[n] = typeof value === "boolean" ? Number(value) : (value as number | bigint);
    });
    columns.set(name, { type, values, nulls } as unknown as Column);
  }
  return { rows: rows.length, columns };
}
