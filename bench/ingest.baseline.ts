// What a service in Node would do without ours: avsc with a cached type, rows of JSON, cutouts as base64 in a table.
// Fills the same tables, without duplicates, positions, dead letters or filters. Used by ingest.bench.ts.
import { type ClickHouseClient, createClient } from "@clickhouse/client";
import type { Packet } from "../domain/packet.js";
import { avscType } from "../ingest/avro/avsc.fixture.js";
import type { TestArchive } from "../test/archive.js";

const BATCH = 1_000;
const BANDS = ["unknown", "g", "r", "i"];

type Fields = Record<string, number | bigint | string | null>;
interface Cutout {
  readonly stampData: Buffer;
}
interface ZtfPacket {
  readonly objectId: string;
  readonly candid: bigint;
  readonly candidate: Fields;
  readonly prv_candidates: readonly Fields[] | null;
  readonly fp_hists: readonly Fields[] | null;
  readonly cutoutScience: Cutout | null;
  readonly cutoutTemplate: Cutout | null;
  readonly cutoutDifference: Cutout | null;
}

export interface Baseline {
  take(packets: AsyncIterable<Packet>): Promise<number>;
  close(): Promise<void>;
}

export async function openBaseline({ url, user, password, client }: TestArchive): Promise<Baseline> {
  await client.command(
    "CREATE TABLE cutouts (candid Int64, science String, template String, difference String) ENGINE = MergeTree ORDER BY candid",
  );
  const http = createClient({
    url,
    username: user,
    password,
    database: "tocsin",
    clickhouse_settings: { input_format_skip_unknown_fields: 1 },
  });
  const types = new Map<string, ReturnType<typeof avscType>>();
  return {
    async take(packets) {
      let taken = 0;
      let batch: ZtfPacket[] = [];
      for await (const { bytes, schema } of packets) {
        let type = types.get(schema.text);
        if (type === undefined) {
          type = avscType(schema.text);
          types.set(schema.text, type);
        }
        batch.push(type.fromBuffer(bytes as Buffer) as ZtfPacket);
        taken += 1;
        if (batch.length < BATCH) continue;
        await insert(http, batch);
        batch = [];
      }
      if (batch.length > 0) await insert(http, batch);
      return taken;
    },
    close: () => http.close(),
  };
}

async function insert(http: ClickHouseClient, packets: readonly ZtfPacket[]): Promise<void> {
  const tables = {
    alerts_ztf: packets.map(alertRow),
    tellings: packets.flatMap(photometryRows),
    object_alerts: packets.map(({ objectId, candid, candidate: { jd, ra, dec, programid } }) => ({
      survey: "ZTF",
      objectId,
      candid: String(candid),
      jd,
      ra,
      dec,
      programid,
    })),
    cutouts: packets.map((packet) => ({
      candid: String(packet.candid),
      science: packet.cutoutScience?.stampData.toString("base64"),
      template: packet.cutoutTemplate?.stampData.toString("base64"),
      difference: packet.cutoutDifference?.stampData.toString("base64"),
    })),
  };
  await Promise.all(
    Object.entries(tables).map(([table, values]) => http.insert({ table, values, format: "JSONEachRow" })),
  );
}

const texts = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === "bigint" ? String(value) : value]),
  );
const isPositive = (fields: Fields): boolean => fields.isdiffpos === "t" || fields.isdiffpos === "1";
const fluxOf = (magnitude: unknown, sign: number): number | null =>
  typeof magnitude === "number" ? sign * 10 ** (0.4 * (31.4 - magnitude)) : null;

function alertRow({ objectId, candidate }: ZtfPacket): object {
  const { magpsf, sigmapsf, fid } = candidate;
  const flux = fluxOf(magpsf, isPositive(candidate) ? 1 : -1);
  return {
    ...texts(candidate),
    objectId,
    band: BANDS[fid as number],
    magnitude: magpsf,
    magnitudeError: sigmapsf,
    flux,
    fluxError: (Math.abs(flux ?? 0) * (sigmapsf as number)) / 1.0857,
    isPositive: isPositive(candidate),
    class: "unknown",
    batch: "1",
  };
}

function photometryRows({ objectId, candid, candidate, prv_candidates, fp_hists }: ZtfPacket): object[] {
  const told = { survey: "ZTF", objectId, valuesHash: "0", firstTold: String(candid), lastTold: String(candid) };
  const at = (fields: Fields) => ({
    ...told,
    jd: fields.jd,
    band: BANDS[fields.fid as number],
    programid: fields.programid,
  });
  const points = [candidate, ...(prv_candidates ?? [])].map((fields) => {
    if (fields.candid === null) {
      return { ...at(fields), kind: 2, pointId: String(fields.pid), limitingMagnitude: fields.diffmaglim };
    }
    const flux = fluxOf(fields.magpsf, isPositive(fields) ? 1 : -1);
    return {
      ...at(fields),
      kind: 1,
      pointId: String(fields.candid),
      magnitude: fields.magpsf,
      magnitudeError: fields.sigmapsf,
      flux,
      fluxError: (Math.abs(flux ?? 0) * (fields.sigmapsf as number)) / 1.0857,
      limitingMagnitude: fields.diffmaglim,
      isPositive: isPositive(fields),
    };
  });
  const forced = (fp_hists ?? []).map((fields) => {
    const scale = 10 ** (0.4 * (31.4 - (fields.magzpsci as number)));
    return {
      ...at(fields),
      kind: 3,
      pointId: String(fields.pid),
      flux: (fields.forcediffimflux as number) * scale,
      fluxError: (fields.forcediffimfluxunc as number) * scale,
      zeroPoint: fields.magzpsci,
    };
  });
  return [...points, ...forced];
}
