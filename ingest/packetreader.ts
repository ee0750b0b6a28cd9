// Stored packets on demand: all their fields, and their cutouts. Called by resolvers/ and server/ through
// stores/packets.store.ts, made by cli/.
import { LRUCache } from "lru-cache";
import pLimit from "p-limit";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { AlertStore } from "../stores/alerts.store.js";
import type { PacketLocation, PacketReader, PacketStore } from "../stores/packets.store.js";
import { type PacketRecord, type RecordValue, readRecord } from "./avro/record.js";
import { parseSchema, type RecordNode } from "./avro/schema.js";
import { surveyModule } from "./surveys/index.js";

/** Packets in memory at the same time; each is about 70 KB, its decoding takes a millisecond. */
const READS_AT_ONCE = 16;

/** The alert store says whether the viewer may see the alert at all; the survey, which parts of its packet. */
export function createPacketReader(stores: {
  readonly alerts: Pick<AlertStore, "packetLocations">;
  readonly packets: Pick<PacketStore, "read">;
}): PacketReader {
  async function record(location: PacketLocation): Promise<PacketRecord> {
    const { bytes, schema } = await stores.packets.read(location);
    return readRecord(parsed(schema.text), bytes);
  }
  async function fieldsByCandid(viewer: Viewer, survey: Survey, candids: readonly bigint[]) {
    const locations = await stores.alerts.packetLocations(viewer, survey, candids);
    const limit = pLimit(READS_AT_ONCE);
    const found = [...locations].map(([candid, location]) =>
      limit(async () => {
        const visible = surveyModule(survey).visiblePacket(await record(location), viewer);
        return [candid, withoutBytes(visible) as Record<string, unknown>] as const;
      }),
    );
    return new Map(await Promise.all(found));
  }

  return {
    fieldsByCandid,
    async fields(viewer, survey, candid) {
      return (await fieldsByCandid(viewer, survey, [candid])).get(candid) ?? null;
    },
    async cutout(viewer, survey, candid, kind) {
      const location = (await stores.alerts.packetLocations(viewer, survey, [candid])).get(candid);
      return location === undefined ? null : surveyModule(survey).cutout(await record(location), kind);
    },
  };
}

const schemas = new LRUCache<string, RecordNode>({ max: 64 });

function parsed(text: string): RecordNode {
  const known = schemas.get(text);
  if (known !== undefined) return known;
  const schema = parseSchema(text);
  schemas.set(text, schema);
  return schema;
}

/** Bytes that are no cutout become base64 text, as JSON has no bytes. */
function withoutBytes(value: RecordValue): RecordValue {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(withoutBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutBytes(part)]));
}
