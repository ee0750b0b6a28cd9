// Decompression of container blocks within a bound, whatever the bytes claim. Called by container.ts.
import { crc32, inflateRawSync } from "node:zlib";
import { Decompress } from "fzstd";
import { fail } from "./primitives.js";
import { unsnappy } from "./snappy.js";

/** No block may hold more than this, unpacked. */
export const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

/** Unpacks one block. Throws (of any kind) where the bytes are not of this codec or unpack to more than the bound. */
export type Codec = (bytes: Uint8Array) => Uint8Array;

const CODECS: ReadonlyMap<string, Codec> = new Map<string, Codec>([
  ["null", (bytes) => bytes],
  ["deflate", (bytes) => inflateRawSync(bytes, { maxOutputLength: MAX_BLOCK_BYTES })],
  ["snappy", checkedSnappy],
  ["zstandard", boundedZstandard],
]);

export function codecNamed(name: string): Codec | undefined {
  return CODECS.get(name);
}
export const CODEC_NAMES = [...CODECS.keys()];

/** Snappy as Avro has it: the bytes, then big-endian CRC-32 of what they unpack to. */
function checkedSnappy(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 5) fail("a snappy block is cut off");
  const end = bytes.length - 4;
  const unpacked = unsnappy(bytes.subarray(0, end), MAX_BLOCK_BYTES);
  const expected = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0);
  if (crc32(unpacked) !== expected) fail("a snappy block's checksum does not agree");
  return unpacked;
}

/** Zstandard's window is allocated as its header says: look at it first, then count what comes out. */
function boundedZstandard(bytes: Uint8Array): Uint8Array {
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 9 || head.getUint32(0, true) !== 0xfd2fb528) fail("a block is not zstandard");
  if (windowBytes(head) > MAX_BLOCK_BYTES) fail("a zstandard window is larger than 64 MiB");
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new Decompress((chunk) => {
    total += chunk.length;
    if (total > MAX_BLOCK_BYTES) fail("a block unpacks to more than 64 MiB");
    chunks.push(chunk.slice());
  });
  stream.push(bytes, true);
  return Buffer.concat(chunks, total);
}

/** Window size of a frame, RFC 8878 section 3.1.1.1. */
function windowBytes(head: DataView): number {
  const descriptor = head.getUint8(4);
  const single = (descriptor & 0x20) !== 0;
  if (!single) {
    const window = head.getUint8(5);
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  const at = 5 + [0, 1, 2, 4][descriptor & 3]!;
  const sizeFlag = descriptor >> 6;
  if (sizeFlag === 0) return head.getUint8(at);
  if (sizeFlag === 1) return head.getUint16(at, true) + 256;
  return sizeFlag === 2 ? head.getUint32(at, true) : Number(head.getBigUint64(at, true));
}
