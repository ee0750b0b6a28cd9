// One record of a segment file: a 24-byte header, then the packet's bytes as they came. Called by segments.ts.
// Header, little-endian: "TPK2", length (4 bytes), schema fingerprint (8), CRC-32 of the packet (4), CRC-32 of all before
// it (4). Another layout would be another magic.
import { crc32 } from "node:zlib";
import { TocsinError } from "../../domain/errors.js";
import type { PacketLocation } from "../packets.store.js";

export const HEADER_BYTES = 24;
/** Far above any survey's packets (Rubin's reach a few MB), and a bound on what one read takes of memory. */
export const MAX_PACKET_BYTES = 64 * 1024 * 1024;

const MAGIC = 0x324b5054;
const PACKET_CRC_AT = 16;
const HEADER_CRC_AT = 20;
const FINGERPRINT = /^[0-9a-f]{16}$/;

/** The header to be written before these bytes, whose CRC-32 the caller may know; BAD_ARGUMENT where they cannot be kept. */
export function recordHeader(bytes: Uint8Array, fingerprint: string, checksum = crc32(bytes)): Buffer {
  if (!FINGERPRINT.test(fingerprint)) {
    throw new TocsinError("BAD_ARGUMENT", `A schema fingerprint must be 16 hex digits, found "${fingerprint}".`);
  }
  if (bytes.length > MAX_PACKET_BYTES) {
    throw new TocsinError("BAD_ARGUMENT", `A packet must be at most ${MAX_PACKET_BYTES} bytes, found ${bytes.length}.`);
  }
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(bytes.length, 4);
  header.write(fingerprint, 8, "hex");
  header.writeUInt32LE(checksum, PACKET_CRC_AT);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return header;
}

/** The packet's bytes of a record as read from disk; DATA_DAMAGED where it is not the one that was written there. */
export function packetOf(record: Buffer, location: PacketLocation): Uint8Array {
  const bytes = record.subarray(HEADER_BYTES);
  const whole =
    bytes.length === location.length &&
    record.readUInt32LE(0) === MAGIC &&
    record.readUInt32LE(4) === location.length &&
    record.toString("hex", 8, 16) === location.schema &&
    record.readUInt32LE(HEADER_CRC_AT) === crc32(record.subarray(0, HEADER_CRC_AT)) &&
    record.readUInt32LE(PACKET_CRC_AT) === crc32(bytes);
  if (!whole) {
    const where = `byte ${location.offset} of packet segment ${location.segment}`;
    throw new TocsinError("DATA_DAMAGED", `The packet at ${where} is not what was written there.`);
  }
  return bytes;
}
