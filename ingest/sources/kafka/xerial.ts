// Snappy as Java's clients frame it (snappy-java's SnappyOutputStream, "xerial"): a header, then blocks with their lengths;
// librdkafka sends raw snappy. Called by codecs.ts.
import { fail } from "../../avro/primitives.js";
import { unsnappy } from "../../avro/snappy.js";

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
/** Magic, version and least compatible version. */
const HEADER_BYTES = 16;

/** Unpack either form; fails where it is damaged or holds more than `maxBytes`. */
export function unpackSnappy(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length < HEADER_BYTES || Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0) {
    return unsnappy(bytes, maxBytes);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks: Uint8Array[] = [];
  let total = 0;
  for (let p = HEADER_BYTES; p < bytes.length; ) {
    if (bytes.length - p < 4) fail("a snappy stream is cut off");
    const size = view.getUint32(p);
    p += 4;
    if (size > bytes.length - p) fail("a snappy stream is cut off");
    const block = unsnappy(bytes.subarray(p, p + size), maxBytes - total);
    total += block.length;
    blocks.push(block);
    p += size;
  }
  return Buffer.concat(blocks, total);
}
