// Snappy decompression (raw format, google/snappy format_description.txt), with every length checked before it is used.
// Called by codecs.ts. Own code: the usual package follows a negative literal length backwards for ever.
import { fail } from "./primitives.js";

/** Unpack; fails where the stream is damaged or declares more than `maxBytes`. */
export function unsnappy(bytes: Uint8Array, maxBytes: number): Uint8Array {
  let p = 0;
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    if (p >= bytes.length || p >= 5) fail("a snappy block has no length");
    const byte = bytes[p++]!;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  // No stream unpacks to more than 64 bytes for each 3 of its own: do not allocate for a claim that cannot be true.
  if (length > maxBytes || length > 22 * bytes.length) fail(`a snappy block declares ${length} bytes`);
  const out = new Uint8Array(length);
  let to = 0;

  const number = (size: number): number => {
    if (p + size > bytes.length) fail("a snappy block is cut off");
    let value = 0;
    for (let i = size - 1; i >= 0; i -= 1) value = value * 256 + bytes[p + i]!;
    p += size;
    return value;
  };

  while (p < bytes.length) {
    const tag = bytes[p++]!;
    if ((tag & 3) === 0) {
      const short = tag >> 2;
      const size = (short < 60 ? short : number(short - 59)) + 1;
      if (size > bytes.length - p || size > length - to) fail("a snappy literal is longer than its block");
      out.set(bytes.subarray(p, p + size), to);
      p += size;
      to += size;
      continue;
    }
    const kind = tag & 3;
    const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = kind === 1 ? ((tag >> 5) << 8) | number(1) : number(kind === 2 ? 2 : 4);
    if (offset === 0 || offset > to || size > length - to) fail("a snappy copy lies outside its block");
    if (offset >= size) out.copyWithin(to, to - offset, to - offset + size);
    else for (let i = 0; i < size; i += 1) out[to + i] = out[to - offset + i]!;
    to += size;
  }
  if (to !== length) fail("a snappy block is cut off");
  return out;
}
