// Packets out of files, folders, .tar and .tar.gz, in order, with progress. Called by ingest/intake.ts.
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable, Transform, type TransformCallback } from "node:stream";
import { createGunzip } from "node:zlib";
import { TocsinError } from "../../domain/errors.js";
import type { DeadLetter, Packet } from "../../domain/packet.js";
import { looksFramed, type SchemaLookup } from "../avro/confluent.js";
import { readContainer } from "../avro/container.js";
import { containerPieces } from "./blocks.js";
import { explain, listPacketFiles, type PacketFile } from "./listing.js";
import { Places, type Slab, type Slabs } from "./slabs.js";
import { type TarMember, TooMuchOutput, tarMembers } from "./tar.js";

export type SourceItem = Packet | DeadLetter;

export interface FileProgress {
  readonly filesTotal: number;
  readonly bytesTotal: number;
  filesDone: number;
  /** Bytes of the files as they lie on disk. */
  bytesDone: number;
}

/** Output of a .gz beyond both of these is a bomb: alert packets hardly compress. */
const MAX_RATIO = 100;
const MIN_SUSPECT_BYTES = 256 * 1024 * 1024;
/** An archive of no members has at most so many zeros. */
const EMPTY_ARCHIVE_BYTES = 1024 * 1024;
/** Larger files are read in pieces. */
const WHOLE_FILE_BYTES = 48 * 1024 * 1024;

export interface FileSource {
  readonly progress: FileProgress;
  /** Throws ENGINE_UNAVAILABLE where the schema registry does not answer; what is wrong with a file is a dead letter. */
  items(): AsyncGenerator<SourceItem>;
}

/** `schemas` finds the writer schema of a framed packet (byte 0, schema id, bare body) near its file. */
export async function openFiles(
  paths: readonly string[],
  schemas: (path: string) => SchemaLookup,
  slabs: Slabs,
): Promise<FileSource> {
  const { files, unreadable } = await listPacketFiles(paths);
  const progress: FileProgress = {
    filesTotal: files.length,
    bytesTotal: files.reduce((sum, file) => sum + file.bytes, 0),
    filesDone: 0,
    bytesDone: 0,
  };
  async function* items(): AsyncGenerator<SourceItem> {
    yield* unreadable;
    const places = new Places(slabs);
    for (const file of files) {
      const before = progress.bytesDone;
      try {
        const memory = { slabs, places };
        yield* fileItems(file, schemas(file.path), memory, (bytes) => {
          progress.bytesDone = Math.min(before + bytes, before + file.bytes);
        });
      } catch (error) {
        // A registry that does not answer: the file is not at fault, and the next one would fare no better.
        if (error instanceof TocsinError) throw error;
        yield {
          reason: "UNREADABLE",
          message: `${file.path} cannot be read: ${explain(error)}.`,
          origin: { source: file.path, position: "file" },
          survey: null,
          bytes: null,
          schemaFingerprint: null,
        };
      }
      progress.bytesDone = before + file.bytes;
      progress.filesDone += 1;
    }
    places.close();
  }
  return { progress, items };
}

/** What packets are read into: pieces of large files, and small files. */
interface Memory {
  readonly slabs: Slabs;
  readonly places: Places;
}

async function* fileItems(
  file: PacketFile,
  schemas: SchemaLookup,
  { slabs, places }: Memory,
  readBytes: (bytes: number) => void,
): AsyncGenerator<SourceItem> {
  const handle = await open(file.path, "r");
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const start = head.subarray(0, bytesRead);
    if (isGzip(start)) {
      yield* zippedItems(file.path, schemas, places, readBytes);
    } else if (isTar(start)) {
      const stream = createReadStream(file.path);
      stream.on("data", () => readBytes(stream.bytesRead));
      yield* tarItems(tarMembers(stream, file.path, places), file.path, schemas);
    } else if (file.bytes <= WHOLE_FILE_BYTES) {
      const { bytes, slab } = places.take((await handle.stat()).size);
      yield* packetItems(await filled(bytes, handle), slab, file.path, schemas);
    } else if (!isContainer(start)) {
      const message = `${file.path} is no archive and no Avro container file, and too large for one packet.`;
      yield {
        reason: "NOT_AVRO",
        message,
        origin: { source: file.path, position: "file" },
        survey: null,
        bytes: start,
        schemaFingerprint: null,
      };
    } else {
      let bytes = 0;
      for await (const piece of containerPieces(handle, slabs)) {
        for (const item of readContainer(piece.bytes, file.path, piece.recordsBefore, piece.bytesBefore)) {
          yield lent(item, piece.slab);
          // Its header is at fault, and that of all pieces with it.
          if (item.origin.position === "file") return;
        }
        bytes += piece.bytes.length;
        readBytes(bytes);
      }
    }
  } finally {
    await handle.close();
  }
}

/** The item, which holds the slab until its packet is released. */
function lent(item: SourceItem, slab: Slab): SourceItem {
  if ("reason" in item) return item;
  slab.hold();
  return { ...item, release: slab.release };
}

/** The file's bytes, as many as fit or are there. */
async function filled(room: Buffer, file: FileHandle): Promise<Buffer> {
  let at = 0;
  while (at < room.length) {
    const { bytesRead } = await file.read(room, at, room.length - at, at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return room.subarray(0, at);
}

async function* tarItems(
  members: AsyncIterable<TarMember | DeadLetter>,
  path: string,
  schemas: SchemaLookup,
): AsyncGenerator<SourceItem> {
  for await (const member of members) {
    if ("reason" in member) yield member;
    else yield* packetItems(member.bytes, member.slab, `${path}!${member.name}`, schemas);
  }
}

/** One container or one framed packet. */
async function* packetItems(
  bytes: Uint8Array,
  slab: Slab,
  source: string,
  schemas: SchemaLookup,
): AsyncGenerator<SourceItem> {
  if (isZeros(bytes)) yield nothingIn(source);
  else if (looksFramed(bytes)) yield lent(await schemas.packet(bytes, { source, position: "record 1" }), slab);
  else for (const item of readContainer(bytes, source, 0)) yield lent(item, slab);
}

/** ZTF's archive of a night without alerts is a tar of no members, which is zeros. They are no frame of a schema 0. */
const nothingIn = (source: string): DeadLetter => ({
  reason: "EMPTY",
  message: `${source} holds nothing but zeros, as an archive without members does.`,
  origin: { source, position: "file" },
  survey: null,
  bytes: null,
  schemaFingerprint: null,
});

/** A .tar.gz, or one zipped packet file; which of them shows in its first bytes. */
async function* zippedItems(
  path: string,
  schemas: SchemaLookup,
  places: Places,
  readBytes: (bytes: number) => void,
): AsyncGenerator<SourceItem> {
  const zipped = createReadStream(path);
  const guard = new OutputGuard(() => zipped.bytesRead);
  const gunzip = createGunzip();
  zipped.on("data", () => readBytes(zipped.bytesRead));
  zipped.on("error", (error) => guard.destroy(error));
  gunzip.on("error", (error) => guard.destroy(error));
  zipped.pipe(gunzip).pipe(guard);
  try {
    const chunks = guard[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const start = await gather(chunks, 512);
    if (isTar(start)) {
      yield* tarItems(tarMembers(Readable.from(rejoin(start, chunks)), path, places), path, schemas);
    } else {
      const whole = await gather(rejoin(start, chunks), MIN_SUSPECT_BYTES);
      if (whole.length >= MIN_SUSPECT_BYTES) throw new TooMuchOutput(`it unpacks to over ${MIN_SUSPECT_BYTES} bytes`);
      const { bytes, slab } = places.take(whole.length);
      whole.copy(bytes);
      yield* packetItems(bytes, slab, path, schemas);
    }
  } catch (error) {
    if (error instanceof TocsinError) throw error;
    yield {
      reason: error instanceof TooMuchOutput ? "TOO_LARGE" : "TRUNCATED",
      message: `${path} cannot be unpacked: ${(error as Error).message}.`,
      origin: { source: path, position: "file" },
      survey: null,
      bytes: null,
      schemaFingerprint: null,
    };
  } finally {
    zipped.destroy();
    gunzip.destroy();
    guard.destroy();
  }
}

/** Passes bytes on and fails once they are implausibly many for the bytes that went in. */
class OutputGuard extends Transform {
  #out = 0;
  readonly #bytesIn: () => number;

  constructor(bytesIn: () => number) {
    super();
    this.#bytesIn = bytesIn;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#out += chunk.length;
    const ratio = this.#out / Math.max(1, this.#bytesIn());
    if (this.#out > MIN_SUSPECT_BYTES && ratio > MAX_RATIO) {
      done(new TooMuchOutput(`it unpacks to more than ${MAX_RATIO} times its size`));
    } else {
      done(null, chunk);
    }
  }
}

/** Chunks up to at least `bytes`, or to the end. */
async function gather(chunks: AsyncIterator<Buffer>, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let total = 0; total < bytes; ) {
    const next = await chunks.next();
    if (next.done) break;
    parts.push(next.value);
    total += next.value.length;
  }
  return Buffer.concat(parts);
}

async function* rejoin(start: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield start;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;
const isZeros = (bytes: Uint8Array): boolean =>
  bytes.length > 0 && bytes.length <= EMPTY_ARCHIVE_BYTES && bytes.every((byte) => byte === 0);
const isContainer = (head: Uint8Array): boolean => head[0] === 0x4f && head[1] === 0x62 && head[2] === 0x6a;
const isTar = (head: Uint8Array): boolean =>
  head.length >= 262 && Buffer.from(head.subarray(257, 262)).toString("latin1") === "ustar";
