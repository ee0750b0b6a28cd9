// LZ4 decompression (frame format 1.6.x and block format of lz4.org), with every length checked before it is used.
// Called by codecs.ts. Own code: the usual package trusts every length. Checksums are not verified: Kafka's batches have one.
import { fail } from "../../avro/primitives.js";

const MAGIC = 0x184d2204;
const UNCOMPRESSED = 0x8000_0000;
const MIN_MATCH = 4;

/** Unpack one frame; fails where it is damaged or holds more than `maxBytes`. Reading past the end throws RangeError. */
export function unlz4(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC) fail("an LZ4 frame does not begin as one");
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1) fail(`LZ4 frames of version ${flags >> 6} are not known`);
  const blockCode = (view.getUint8(5) >> 4) & 7;
  if (blockCode < 4) fail("an LZ4 frame declares no block size");
  const blockBytes = 2 ** (8 + 2 * blockCode);
  const hasBlockChecksums = (flags & 0x10) !== 0;
  let p = 6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1;

  const out = new Output(maxBytes);
  for (;;) {
    const head = view.getUint32(p, true);
    p += 4;
    if (head === 0) return out.done();
    const size = head & ~UNCOMPRESSED;
    if (size > bytes.length - p) fail("an LZ4 frame is cut off");
    const block = bytes.subarray(p, p + size);
    if (head >= UNCOMPRESSED) out.literal(block);
    else unpackBlock(block, out, blockBytes);
    p += size + (hasBlockChecksums ? 4 : 0);
  }
}

function unpackBlock(block: Uint8Array, out: Output, maxBlockBytes: number): void {
  const end = out.length + maxBlockBytes;
  let p = 0;
  const extended = (short: number): number => {
    let length = short;
    for (let byte = 255; short === 15 && byte === 255; length += byte) {
      if (p >= block.length) fail("an LZ4 length is cut off");
      byte = block[p++]!;
    }
    return length;
  };
  while (p < block.length) {
    const token = block[p++]!;
    const literal = extended(token >> 4);
    if (literal > block.length - p || literal > end - out.length) fail("an LZ4 literal is longer than its block");
    out.literal(block.subarray(p, p + literal));
    p += literal;
    // The last sequence has no match.
    if (p === block.length) return;
    if (block.length - p < 2) fail("an LZ4 offset is cut off");
    const offset = block[p]! | (block[p + 1]! << 8);
    p += 2;
    const match = extended(token & 15) + MIN_MATCH;
    if (match > end - out.length) fail("an LZ4 match is longer than its block");
    out.match(offset, match);
  }
}

/** Bytes unpacked so far; grows as they come, since a frame need not say how many there are. */
class Output {
  #bytes = new Uint8Array(64 * 1024);
  length = 0;

  constructor(readonly maxBytes: number) {}

  literal(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  match(offset: number, size: number): void {
    if (offset === 0 || offset > this.length) fail("an LZ4 match lies before its frame");
    this.#reserve(size);
    const bytes = this.#bytes;
    const to = this.length;
    if (offset >= size) bytes.copyWithin(to, to - offset, to - offset + size);
    else for (let i = 0; i < size; i += 1) bytes[to + i] = bytes[to - offset + i]!;
    this.length += size;
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.maxBytes) fail(`a batch unpacks to more than ${this.maxBytes} bytes`);
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(this.maxBytes, Math.max(needed, this.#bytes.length * 2)));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
  }
}
