// Whole packets as they came, and what is read out of them on demand: all fields, and cutouts.
// PacketStore is implemented by stores/packets (segment files); PacketReader by ingest/, which knows the surveys' formats.
import type { WriterSchema } from "../domain/packet.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

/** Where a packet's bytes lie. */
export interface PacketLocation {
  /** Number of the segment file. */
  readonly segment: number;
  /** First byte. */
  readonly offset: number;
  readonly length: number;
  /** WriterSchema.fingerprint. */
  readonly schema: string;
}

/** What is kept of a packet. */
export interface KeptPacket {
  readonly bytes: Uint8Array;
  readonly schema: WriterSchema;
  /** CRC-32 of the bytes where the caller knows it; it is computed otherwise. */
  readonly checksum?: number;
}

export interface PacketStore {
  /** Append the bytes; resolved once they survive the death of this process (power loss: see docs). */
  append(packets: readonly KeptPacket[]): Promise<PacketLocation[]>;
  read(location: PacketLocation): Promise<{ bytes: Uint8Array; schema: WriterSchema }>;
  close(): Promise<void>;
}

export type CutoutKind = "science" | "template" | "difference";

export interface PacketReader {
  /** The packet's fields unchanged, without cutouts; history points that the viewer may not see are left out. */
  fields(viewer: Viewer, survey: Survey, candid: bigint): Promise<Record<string, unknown> | null>;
  /** The same for many alerts by one query; what is missing or may not be seen is absent. */
  fieldsByCandid(
    viewer: Viewer,
    survey: Survey,
    candids: readonly bigint[],
  ): Promise<Map<bigint, Record<string, unknown>>>;
  /** The cutout as plain (not gzipped) FITS bytes; null where the alert has none or the viewer may not see it. */
  cutout(viewer: Viewer, survey: Survey, candid: bigint, kind: CutoutKind): Promise<Uint8Array | null>;
}
