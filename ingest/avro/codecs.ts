// Decompression of container blocks within a bound, whatever the bytes claim. Called by container.ts.
import { crc32, inflateRawSync } from "node:zlib";
import { fail } from "./primitives.js";
import { unsnappy } from "./snappy.js";
import { unzstandard } from "./zstandard.js";

/** No block may hold more than this, unpacked. */
export const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

/** Unpacks one block. Throws (of any kind) where the bytes are not of this codec or unpack to more than the bound. */
export type Codec = (bytes: Uint8Array) => Uint8Array;

const CODECS: ReadonlyMap<string, Codec> = new Map<string, Codec>([
  ["null", (bytes) => bytes],
  ["deflate", (bytes) => inflateRawSync(bytes, { maxOutputLength: MAX_BLOCK_BYTES })],
  ["snappy", checkedSnappy],
  ["zstandard", (bytes) => unzstandard(bytes, MAX_BLOCK_BYTES)],
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
