// Stored packets on demand: all their fields, and their cutouts. Called by resolvers/ and server/ through
// stores/packets.store.ts, made by cli/.
import { LRUCache } from "lru-cache";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { AlertStore } from "../stores/alerts.store.js";
import type { PacketReader, PacketStore } from "../stores/packets.store.js";
import { type PacketRecord, type RecordValue, readRecord } from "./avro/record.js";
import { parseSchema, type RecordNode } from "./avro/schema.js";
import { surveyModule } from "./surveys/index.js";

/** The alert store says whether the viewer may see the alert at all; the survey, which parts of its packet. */
export function createPacketReader(stores: {
  readonly alerts: Pick<AlertStore, "packetLocations">;
  readonly packets: Pick<PacketStore, "read">;
}): PacketReader {
  async function record(viewer: Viewer, survey: Survey, candid: bigint): Promise<PacketRecord | null> {
    const location = (await stores.alerts.packetLocations(viewer, survey, [candid])).get(candid);
    if (location === undefined) return null;
    const { bytes, schema } = await stores.packets.read(location);
    return readRecord(parsed(schema.text), bytes);
  }

  return {
    async fields(viewer, survey, candid) {
      const whole = await record(viewer, survey, candid);
      return whole && (withoutBytes(surveyModule(survey).visiblePacket(whole, viewer)) as Record<string, unknown>);
    },
    async cutout(viewer, survey, candid, kind) {
      const whole = await record(viewer, survey, candid);
      return whole && surveyModule(survey).cutout(whole, kind);
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
