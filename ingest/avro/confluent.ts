// Packets in Confluent framing: byte 0, 4-byte big-endian schema id, bare Avro body. Called by ingest/sources.
import type { DeadLetter, Origin, Packet, WriterSchema } from "../../domain/packet.js";
import { keptBytes } from "./container.js";

/** The writer schema with this id; null where nobody knows it. Throws where the one who may know cannot be asked. */
export type SchemaById = (id: number) => Promise<WriterSchema | null>;

export interface SchemaLookup {
  /** Take a framed packet out of its frame. */
  packet(bytes: Uint8Array, origin: Origin): Promise<Packet | DeadLetter>;
}

const FRAME_BYTES = 5;

export const looksFramed = (bytes: Uint8Array): boolean => bytes.length >= FRAME_BYTES && bytes[0] === 0;

export function schemaLookup(byId: SchemaById): SchemaLookup {
  return {
    async packet(bytes, origin) {
      const letter = (reason: DeadLetter["reason"], message: string): DeadLetter => ({
        reason,
        message,
        origin,
        survey: null,
        bytes: bytes.length === 0 ? null : keptBytes(bytes),
        schemaFingerprint: null,
      });
      if (bytes.length === 0) return letter("EMPTY", `${origin.source} is empty.`);
      if (!looksFramed(bytes)) return letter("NOT_AVRO", `${origin.source} does not begin with a schema id.`);
      const id = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(1);
      const schema = await byId(id);
      if (schema === null) return letter("UNKNOWN_SCHEMA", `No schema is known for the id ${id}.`);
      return { bytes: bytes.subarray(FRAME_BYTES), schema, origin };
    },
  };
}
