// Large Avro container files in pieces: each piece is the file's header with some whole blocks, a container of its own.
// Called by sources/files.ts, so that a night in one file needs no night of memory.
import type { FileHandle } from "node:fs/promises";
import { MAX_BLOCK_BYTES } from "../avro/codecs.js";
import { MAX_RECORDS } from "../avro/container.js";
import { isHeader } from "../avro/header.js";
import type { Slab, Slabs } from "./slabs.js";

/** Pieces are closed once they are this large. */
const PIECE_BYTES = 32 * 1024 * 1024;
/** A header larger than this is not an alert schema. */
const MAX_HEADER_BYTES = 2 * 1024 * 1024;
/** What is read beyond a piece's end is copied to the next one's room. */
const READ_BYTES = 2 * 1024 * 1024;
const SYNC_BYTES = 16;
const MAGIC_BYTES = 4;
/** Two varints of 64 bits: a block's head is not longer. */
const MAX_HEAD_BYTES = 20;

export interface ContainerPiece {
  /** Header and whole blocks; the last piece also carries whatever follows, torn or not. */
  readonly bytes: Uint8Array;
  /** Number of records in the pieces before this one. */
  readonly recordsBefore: number;
  /** Where the bytes lie: whoever uses them beyond the next piece holds it. */
  readonly slab: Slab;
  /** What must be added to a place among the piece's blocks to have its place in the file. */
  readonly bytesBefore: number;
}

/** A zig-zag varint at `at`: its value and the position behind it; null where the bytes end before it does. */
function varint(bytes: Uint8Array, at: number): { value: number; end: number } | null {
  let value = 0;
  let scale = 1;
  for (let i = at; i < bytes.length && i < at + 10; i += 1) {
    const byte = bytes[i]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, end: i + 1 };
    scale *= 128;
  }
  return null;
}

/** Length of the header (magic, metadata, sync marker), or null where the bytes do not hold a whole one. */
export function headerLength(bytes: Uint8Array): number | null {
  let at = 4;
  for (;;) {
    const count = varint(bytes, at);
    if (count === null) return null;
    at = count.end;
    if (count.value === 0) return at + SYNC_BYTES <= bytes.length ? at + SYNC_BYTES : null;
    if (count.value < 0) {
      const size = varint(bytes, at);
      if (size === null) return null;
      at = size.end;
    }
    for (let pair = 0; pair < 2 * Math.abs(count.value); pair += 1) {
      const length = varint(bytes, at);
      if (length === null || length.value < 0 || length.end + length.value > bytes.length) return null;
      at = length.end + length.value;
    }
  }
}

/**
 * The file in pieces, and after it those of containers that were put behind it as they are. A block whose declared size
 * cannot be right, or that does not end with the file's sync marker, ends the splitting: the rest of what was read goes
 * out as the last piece, where the container reader finds the fault and names it.
 */
export async function* containerPieces(file: FileHandle, slabs: Slabs): AsyncGenerator<ContainerPiece> {
  // A slab holds the header and, behind it, what has been read and not gone out: a piece is the front of its slab, and
  // nothing is copied to make it. Every piece has a slab of its own, because packets live as long as their batch.
  let header: Buffer = Buffer.alloc(0);
  let slab = slabs.take(PIECE_BYTES + READ_BYTES);
  let pending: Buffer = slab.bytes.subarray(0, 0);
  let ended = false;
  const move = (rest: Buffer): void => {
    const next = slabs.take(header.length + Math.max(PIECE_BYTES, 2 * rest.length) + READ_BYTES);
    header.copy(next.bytes);
    rest.copy(next.bytes, header.length);
    slab.release();
    slab = next;
    pending = slab.bytes.subarray(header.length, header.length + rest.length);
  };
  const fill = async (): Promise<void> => {
    if (header.length + pending.length + READ_BYTES > slab.bytes.length) move(pending);
    const end = header.length + pending.length;
    const { bytesRead } = await file.read(slab.bytes, end, READ_BYTES);
    if (bytesRead === 0) ended = true;
    else pending = slab.bytes.subarray(header.length, end + bytesRead);
  };

  /** Of the container that begins with what is pending; false where it does not end. */
  const takeHeader = async (): Promise<boolean> => {
    let headerBytes = pending.length > 0 ? headerLength(pending) : null;
    while (headerBytes === null && !ended && pending.length < MAX_HEADER_BYTES) {
      await fill();
      headerBytes = headerLength(pending);
    }
    if (headerBytes === null) return false;
    header = Buffer.from(pending.subarray(0, headerBytes));
    pending = pending.subarray(headerBytes);
    return true;
  };

  let recordsBefore = 0;
  let bytesBefore = 0;
  let isNext = true;
  for (;;) {
    if (isNext && !(await takeHeader())) {
      yield { bytes: pending, slab, recordsBefore, bytesBefore };
      slab.release();
      return;
    }
    const sync = header.subarray(-SYNC_BYTES);
    let at = 0;
    let records = 0;
    let torn = false;
    isNext = false;
    while (at < PIECE_BYTES) {
      if (!ended && pending.length - at < MAGIC_BYTES) {
        await fill();
        continue;
      }
      if (isHeader(pending, at)) {
        isNext = true;
        break;
      }
      const count = varint(pending, at);
      const size = count && varint(pending, count.end);
      const endless = !size && pending.length - at >= MAX_HEAD_BYTES;
      if (endless || (size && (size.value < 0 || size.value > MAX_BLOCK_BYTES || count.value < 0))) {
        torn = true;
        break;
      }
      const end = size ? size.end + size.value + SYNC_BYTES : Number.POSITIVE_INFINITY;
      if (end <= pending.length && !pending.subarray(end - SYNC_BYTES, end).equals(sync)) {
        torn = true;
        break;
      }
      if (count && end <= pending.length) {
        at = end;
        records += Math.min(count.value, MAX_RECORDS);
      } else if (ended) {
        break;
      } else {
        await fill();
      }
    }
    const last = torn || (ended && at < PIECE_BYTES && !isNext);
    const length = last ? pending.length : at;
    if (length > 0 || recordsBefore === 0) {
      yield { bytes: slab.bytes.subarray(0, header.length + length), slab, recordsBefore, bytesBefore };
    }
    if (last) {
      slab.release();
      return;
    }
    recordsBefore += records;
    bytesBefore += at;
    if (isNext) {
      bytesBefore += header.length;
      header = Buffer.alloc(0);
    }
    move(pending.subarray(at));
  }
}
