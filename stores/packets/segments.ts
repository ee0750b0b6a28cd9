// Packets kept whole in append-only segment files: DIR/00000001.seg, … Opened by cli/, used through PacketStore.
// Nothing that was written is ever changed: a process begins a new segment, so the torn end that a crash may have left
// in an older one is simply never pointed at.
import { mkdir, open } from "node:fs/promises";
import { TocsinError } from "../../domain/errors.js";
import type { WriterSchema } from "../../domain/packet.js";
import type { KeptPacket, PacketLocation, PacketStore } from "../packets.store.js";
import { ReadHandles } from "./handles.js";
import { HEADER_BYTES, MAX_PACKET_BYTES, packetOf, recordHeader } from "./record.js";
import { segmentNumbers, segmentPath, wasDropped } from "./retention.js";
import { SchemaFiles } from "./schemas.js";
import { alignedHalves, SegmentFile } from "./segmentfile.js";

const SEGMENT_BYTES = 256 * 1024 * 1024;
const OPEN_FILES = 64;

export interface PacketStoreOptions {
  readonly dir: string;
  /** A segment that a batch would take beyond this is closed before it. Default 256 MiB. */
  readonly segmentBytes?: number;
}

/** DISK_FULL where there is no room to begin. One process at a time: the caller holds the lock of DATA_DIR. */
export async function openPacketStore(options: PacketStoreOptions): Promise<PacketStore> {
  await saying(() => mkdir(options.dir, { recursive: true }));
  const numbers = await segmentNumbers(options.dir);
  return new SegmentFiles(options.dir, options.segmentBytes ?? SEGMENT_BYTES, Math.max(0, ...numbers));
}

interface Segment {
  readonly number: number;
  readonly file: SegmentFile;
  /** Where the next batch begins. */
  size: number;
}

class SegmentFiles implements PacketStore {
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #schemas: SchemaFiles;
  readonly #handles: ReadHandles;
  /** Number of the newest segment file, of this process or an earlier one. */
  #newest: number;
  #current: Segment | null = null;
  #closed = false;
  readonly #halves = alignedHalves();
  /** Batches are written one after the other, in the order of the calls. */
  #lastWrite: Promise<unknown> = Promise.resolve();
  readonly #reads = new Set<Promise<unknown>>();

  constructor(dir: string, segmentBytes: number, newest: number) {
    this.#dir = dir;
    this.#segmentBytes = segmentBytes;
    this.#newest = newest;
    this.#schemas = new SchemaFiles(dir);
    this.#handles = new ReadHandles((segment) => this.#path(segment), OPEN_FILES);
  }

  append(packets: readonly KeptPacket[]): Promise<PacketLocation[]> {
    if (this.#closed) return Promise.reject(closed());
    const write = this.#lastWrite.then(() => saying(() => this.#write(packets)));
    this.#lastWrite = write.catch(() => undefined);
    return write;
  }

  async #write(packets: readonly KeptPacket[]): Promise<PacketLocation[]> {
    if (packets.length === 0) return [];
    const parts = packets.flatMap(({ bytes, schema, checksum }) => [
      recordHeader(bytes, schema.fingerprint, checksum),
      bytes,
    ]);
    for (const packet of packets) await this.#schemas.keep(packet.schema);
    const segment = await this.#segmentFor(parts.reduce((sum, part) => sum + part.length, 0));
    let offset = segment.size;
    const locations = packets.map((packet): PacketLocation => {
      const first = offset + HEADER_BYTES;
      offset = first + packet.bytes.length;
      return { segment: segment.number, offset: first, length: packet.bytes.length, schema: packet.schema.fingerprint };
    });
    try {
      segment.size = await segment.file.write(parts, segment.size, this.#halves);
    } catch (error) {
      // Give the room back. Where even that fails, the torn end stays and the next batch begins a new segment.
      await segment.file.truncate(segment.size).catch(() => this.#finish());
      throw error;
    }
    return locations;
  }

  async #segmentFor(bytes: number): Promise<Segment> {
    if (this.#current && this.#current.size > 0 && this.#current.size + bytes > this.#segmentBytes)
      await this.#finish();
    if (!this.#current) {
      const number = this.#newest + 1;
      this.#current = { number, file: await SegmentFile.create(this.#path(number)), size: 0 };
      this.#newest = number;
    }
    return this.#current;
  }

  /** A finished segment is on the disk, its name too, power loss or not. */
  async #finish(): Promise<void> {
    const segment = this.#current;
    this.#current = null;
    if (!segment) return;
    try {
      await segment.file.datasync();
    } finally {
      await segment.file.close();
    }
    const dir = await open(this.#dir, "r");
    await dir.sync().finally(() => dir.close());
  }

  read(location: PacketLocation): Promise<{ bytes: Uint8Array; schema: WriterSchema }> {
    if (this.#closed) return Promise.reject(closed());
    const read = this.#read(location);
    this.#reads.add(read);
    const forget = () => this.#reads.delete(read);
    read.then(forget, forget);
    return read;
  }

  async #read(location: PacketLocation): Promise<{ bytes: Uint8Array; schema: WriterSchema }> {
    if (!(location.length <= MAX_PACKET_BYTES) || !(location.offset >= HEADER_BYTES)) {
      throw new TocsinError("BAD_ARGUMENT", "This is not the location of a packet.", { details: { ...location } });
    }
    const record = Buffer.allocUnsafeSlow(HEADER_BYTES + location.length);
    const got = await this.#handles
      .use(location.segment, (file) => file.read(record, 0, record.length, location.offset - HEADER_BYTES))
      .catch(async (cause: unknown) => {
        const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
        if (missing && (await wasDropped(this.#dir, location.segment))) {
          throw new TocsinError("PACKET_EXPIRED", `Packet segment ${location.segment} has been dropped.`);
        }
        throw new TocsinError("DATA_DAMAGED", `Packet segment ${location.segment} cannot be read.`, { cause });
      });
    if (got.bytesRead < record.length) {
      throw new TocsinError("DATA_DAMAGED", `Packet segment ${location.segment} is shorter than it was.`);
    }
    return { bytes: packetOf(record, location), schema: await this.#schemas.get(location.schema) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#lastWrite;
    await Promise.allSettled(this.#reads);
    await this.#handles.close();
    await this.#finish();
  }

  #path(segment: number): string {
    return segmentPath(this.#dir, segment);
  }
}

const closed = () => new TocsinError("INTERNAL", "The packet store is closed.");

/** Turns the system's word for a full disk into ours. */
async function saying<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOSPC" || code === "EDQUOT") {
      throw new TocsinError("DISK_FULL", "The disk of the packet store is full; the batch was not written.", { cause });
    }
    throw cause;
  }
}
