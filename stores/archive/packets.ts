// PacketStore on ClickHouse, for archives that several processes share: any of them reads what any has put in. Called by
// cli/ in place of stores/packets.
import { randomInt } from "node:crypto";
import { crc32 } from "node:zlib";
import { TocsinError } from "../../domain/errors.js";
import type { WriterSchema } from "../../domain/packet.js";
import type { KeptPacket, PacketLocation, PacketStore } from "../packets.store.js";
import { bigints, blockOf, counts, numbers, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { PacketSchemas } from "./packets.schemas.js";
import { type Ages, wasDropped } from "./storage.js";

/** As stores/packets has it. */
const MAX_PACKET_BYTES = 64 * 1024 ** 2;
/** Bytes of packets in one insert, and in one answer. */
const TOGETHER_BYTES = 16 * 1024 ** 2;
/** Packets of one insert: their numbers within a millisecond. */
const TOGETHER = 4096;

/** The archive must have been migrated. `ages` tells which packets may be gone. */
export function openArchivePackets(client: ArchiveClient, ages: Ages = {}): PacketStore {
  return new ArchivePackets(client, ages);
}

interface Asked {
  readonly location: PacketLocation;
  readonly resolve: (found: Found | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Found {
  readonly bytes: Uint8Array;
  readonly checksum: number;
  readonly schema: string;
}

class ArchivePackets implements PacketStore {
  readonly #schemas: PacketSchemas;
  /** Reads of this turn of the event loop: one query for many. */
  #asked: Asked[] = [];
  #closed = false;

  constructor(
    private readonly client: ArchiveClient,
    private readonly ages: Ages,
  ) {
    this.#schemas = new PacketSchemas(client);
  }

  async append(packets: readonly KeptPacket[]): Promise<PacketLocation[]> {
    this.#refuseClosed();
    for (const { bytes } of packets) {
      if (bytes.length <= MAX_PACKET_BYTES) continue;
      const message = `A packet must be at most ${MAX_PACKET_BYTES} bytes, found ${bytes.length}.`;
      throw new TocsinError("BAD_ARGUMENT", message);
    }
    await this.#schemas.keep(packets.map(({ schema }) => schema));
    const locations: PacketLocation[] = [];
    for (const part of parts(packets, ({ bytes }) => bytes.length)) locations.push(...(await this.#insert(part)));
    return locations;
  }

  async #insert(packets: readonly KeptPacket[]): Promise<PacketLocation[]> {
    const segment = randomInt(2 ** 32);
    const first = Date.now() * TOGETHER;
    await this.client.insert("packets", {
      ...blockOf(packets.length, {
        offset: unsigned(BigUint64Array.from(packets, (_, n) => BigInt(first + n))),
        segment: counts(new Uint32Array(packets.length).fill(segment)),
        schema: texts(packets.map(({ schema }) => schema.fingerprint)),
        checksum: counts(Uint32Array.from(packets, ({ bytes, checksum }) => checksum ?? crc32(bytes))),
      }),
      bytes: new Map([["bytes", { values: packets.map(({ bytes }) => bytes) }]]),
    });
    return packets.map(({ bytes, schema }, n) => {
      return { segment, offset: first + n, length: bytes.length, schema: schema.fingerprint };
    });
  }

  async read(location: PacketLocation): Promise<{ bytes: Uint8Array; schema: WriterSchema }> {
    this.#refuseClosed();
    if (!(location.length <= MAX_PACKET_BYTES) || !Number.isSafeInteger(location.offset) || location.offset < 0) {
      throw new TocsinError("BAD_ARGUMENT", "This is not the location of a packet.", { details: { ...location } });
    }
    const found = await this.#find(location);
    if (found === undefined) throw await this.#missing(location);
    const { bytes, checksum, schema } = found;
    if (bytes.length !== location.length || schema !== location.schema || crc32(bytes) !== checksum) {
      throw new TocsinError("DATA_DAMAGED", `The packet at ${keyOf(location)} is not what was put there.`);
    }
    return { bytes, schema: await this.#schemas.get(schema) };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #refuseClosed(): void {
    if (this.#closed) throw new TocsinError("INTERNAL", "The packet store is closed.");
  }

  #find(location: PacketLocation): Promise<Found | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) setImmediate(() => this.#findAll());
      this.#asked.push({ location, resolve, reject });
    });
  }

  #findAll(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (const part of parts(asked, ({ location }) => location.length)) {
      this.#query(part.map(({ location }) => location)).then(
        (found) => part.forEach(({ location, resolve }) => void resolve(found.get(keyOf(location)))),
        (error) => part.forEach(({ reject }) => void reject(error)),
      );
    }
  }

  async #query(locations: readonly PacketLocation[]): Promise<Map<string, Found>> {
    const asked = blockOf(locations.length, {
      offset: unsigned(BigUint64Array.from(locations, ({ offset }) => BigInt(offset))),
      segment: counts(Uint32Array.from(locations, ({ segment }) => segment)),
    });
    const block = await this.client.query(
      `SELECT offset, segment, schema, checksum, bytes FROM packets
      WHERE (offset, segment) IN (SELECT offset, segment FROM asked) SETTINGS max_block_size = 32`,
      {},
      { external: [{ name: "asked", block: asked }], bytes: ["bytes"] },
    );
    const segments = numbers(block, "segment");
    const schemas = strings(block, "schema");
    const checksums = numbers(block, "checksum");
    const bytes = block.bytes?.get("bytes")?.values ?? [];
    return new Map(
      Array.from(bigints(block, "offset"), (offset, row) => [
        keyOf({ offset: Number(offset), segment: segments[row]! }),
        { bytes: bytes[row]!, checksum: checksums[row]!, schema: schemas[row]! },
      ]),
    );
  }

  async #missing(location: PacketLocation): Promise<TocsinError> {
    const keptAt = Math.floor(location.offset / TOGETHER);
    if (!(await wasDropped(this.client, keptAt, location.offset, this.ages))) {
      return new TocsinError("DATA_DAMAGED", `There is no packet at ${keyOf(location)}.`);
    }
    const day = new Date(keptAt).toISOString().slice(0, 10);
    return new TocsinError("PACKET_EXPIRED", `The packet was put in on ${day} and has been dropped since.`);
  }
}

const keyOf = ({ offset, segment }: Pick<PacketLocation, "offset" | "segment">): string => `${offset}:${segment}`;

/** In order, as many together as make an insert or an answer of bounded size. */
function* parts<T>(all: readonly T[], bytesOf: (each: T) => number): Generator<T[]> {
  let part: T[] = [];
  let bytes = 0;
  for (const each of all) {
    if (part.length > 0 && (part.length === TOGETHER || bytes + bytesOf(each) > TOGETHER_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(each);
    bytes += bytesOf(each);
  }
  if (part.length > 0) yield part;
}
