// The bytes of a table file, unpacked where it is gzip, with what was read of it. Called by the readers of this folder.
import { createReadStream, type ReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { TocsinError } from "../../domain/errors.js";
import { badCatalog } from "./table.js";

const CHUNK = 1024 ** 2;

export interface FileBytes {
  readonly chunks: AsyncIterable<Buffer>;
  /** Of the file as it lies on disk. */
  bytesRead(): number;
  close(): void;
}

/** The first bytes of a file: whether it is gzip, and what it holds. */
export async function firstBytes(path: string): Promise<{ isGzip: boolean; head: Buffer }> {
  const raw = await head(path, 4096);
  const isGzip = raw[0] === 0x1f && raw[1] === 0x8b;
  if (!isGzip) return { isGzip, head: raw };
  const file = readBytes(path, true);
  try {
    for await (const chunk of file.chunks) return { isGzip, head: chunk.subarray(0, 4096) };
    return { isGzip, head: Buffer.alloc(0) };
  } finally {
    file.close();
  }
}

async function head(path: string, length: number): Promise<Buffer> {
  const file = await opened(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Throws NOT_FOUND where there is no such file. */
export async function opened(path: string): Promise<FileHandle> {
  try {
    const file = await open(path);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    throw new TocsinError("NOT_FOUND", `The file ${path} cannot be opened.`, {
      remedy: "Give the path of a catalog's file.",
      cause: error,
    });
  }
  throw new TocsinError("NOT_FOUND", `${path} is no file.`, { remedy: "Give the path of a catalog's file." });
}

export function readBytes(path: string, isGzip: boolean): FileBytes {
  const raw = createReadStream(path, { highWaterMark: CHUNK });
  // A file that is closed before it is open may still fail to open.
  raw.on("error", () => {});
  // With a callback, so that the failure of one is not an unhandled one of the other; the reader below sees it.
  const stream: Readable = isGzip ? pipeline(raw, createGunzip({ chunkSize: CHUNK }), () => {}) : raw;
  return {
    chunks: checked(path, stream, raw),
    bytesRead: () => raw.bytesRead,
    close() {
      raw.destroy();
      stream.destroy();
    },
  };
}

async function* checked(path: string, stream: Readable, raw: ReadStream): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw error;
    const why = /unexpected end/i.test(String(error)) ? "it ends in the middle of its compressed data" : String(error);
    throw badCatalog(`${why}, ${raw.bytesRead} bytes in.`, { file: basename(path) }, undefined, error);
  }
}

/** Bytes in pieces of the wanted length. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** What is there, at least `length` bytes of it unless the file ends before. They stay. */
  async peek(length: number): Promise<Buffer> {
    if (this.#held.length - this.#at < length) {
      const parts = [this.#held.subarray(this.#at)];
      let bytes = parts[0]!.length;
      while (bytes < length) {
        const next = await this.#chunks.next();
        if (next.done) break;
        parts.push(next.value);
        bytes += next.value.length;
      }
      this.#held = Buffer.concat(parts);
      this.#at = 0;
    }
    return this.#held.subarray(this.#at);
  }

  /** Exactly `length` bytes; null where the file ends before. */
  async take(length: number): Promise<Buffer | null> {
    const bytes = await this.peek(length);
    if (bytes.length < length) return null;
    this.#at += length;
    return bytes.subarray(0, length);
  }

  /** False where the file ends before. */
  async skip(length: number): Promise<boolean> {
    for (let left = length; left > 0; ) {
      const held = this.#held.length - this.#at;
      if (held === 0 && (await this.peek(1)).length === 0) return false;
      const step = Math.min(left, this.#held.length - this.#at);
      this.#at += step;
      left -= step;
    }
    return true;
  }
}
