// Reading Avro's variable-length values out of bytes that may be hostile. Called by the generated readers (generate.ts)
// and by record.ts; every function moves forward only, so that no input can make a reader loop.

/** The bytes are not what their schema says; the message says how. */
export class MalformedError extends Error {}

/** Where the value read last ends: the second result of the functions below that return a value. */
export const at = { end: 0 };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function fail(message: string): never {
  throw new MalformedError(message);
}

/** Zig-zag varint of at most 64 bits as two 32-bit halves, low half first, into `words[index]`; returns its end. */
export function readLong(bytes: Uint8Array, from: number, words: Int32Array, index: number): number {
  let p = from;
  let low = 0;
  let high = 0;
  let byte = bytes[p++]!;
  for (let shift = 0; ; shift += 7, byte = bytes[p++]!) {
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high = bits >> 4;
    } else high |= bits << (shift - 32);
    if (byte < 0x80) break;
    // The tenth byte holds the last bit. Past the end `byte` is undefined, which is not below 0x80 either.
    if (shift === 63 || p > bytes.length) fail("a number is longer than 64 bits or cut off");
  }
  if (p > bytes.length) fail("a number is cut off");
  const sign = -(low & 1);
  words[index] = ((low >>> 1) | (high << 31)) ^ sign;
  words[index + 1] = (high >>> 1) ^ sign;
  return p;
}

const scratch = new Int32Array(2);

/** The same as a number, rounded beyond 2^53; ends at `at.end`. */
export function readNumber(bytes: Uint8Array, from: number): number {
  const first = bytes[from]!;
  if (first < 0x80) {
    at.end = from + 1;
    return (first >>> 1) ^ -(first & 1);
  }
  at.end = readLong(bytes, from, scratch, 0);
  return scratch[1]! * 4294967296 + (scratch[0]! >>> 0);
}

/** The same, refused where it does not fit 32 bits. */
export function readInt(bytes: Uint8Array, from: number): number {
  const value = readNumber(bytes, from);
  if ((value | 0) !== value) fail(`the number ${value} is longer than 32 bits`);
  return value;
}

export function readBigInt(bytes: Uint8Array, from: number): bigint {
  at.end = readLong(bytes, from, scratch, 0);
  return (BigInt(scratch[1]!) << 32n) | BigInt(scratch[0]! >>> 0);
}

/** Length of a string or bytes: what follows `at.end` is really that long. */
export function readLength(bytes: Uint8Array, from: number): number {
  const length = readNumber(bytes, from);
  if (!(length >= 0 && length <= bytes.length - at.end)) {
    fail(`a value of ${length} bytes does not fit into the ${bytes.length - at.end} that are left`);
  }
  return length;
}

export function skipBytes(bytes: Uint8Array, from: number): number {
  const length = readLength(bytes, from);
  return at.end + length;
}

/**
 * Number of items in the next block of an array or map, each of at least `least` bytes; ends at `at.end`. With `least` 0
 * the number is whatever the bytes claim: such items hold nothing, so callers pass over them without a loop.
 */
export function readCount(bytes: Uint8Array, from: number, least: number): number {
  let count = readNumber(bytes, from);
  if (count === 0) return 0;
  if (count < 0) {
    count = -count;
    const size = readNumber(bytes, at.end);
    if (!(size >= 0 && size <= bytes.length - at.end)) fail(`a block of ${size} bytes does not fit`);
  }
  if (count * least > bytes.length - at.end) fail(`${count} items do not fit into the bytes that are left`);
  return count;
}

/** Text; the same string object as `last` where the bytes spell it, which saves most columns their allocations. */
export function readString(bytes: Uint8Array, from: number, last: string): string {
  const length = readLength(bytes, from);
  const start = at.end;
  const end = start + length;
  at.end = end;
  if (length === last.length) {
    let i = 0;
    while (i < length && last.charCodeAt(i) === bytes[start + i] && bytes[start + i]! < 0x80) i += 1;
    if (i === length) return last;
  }
  if (length < 24) {
    let text = "";
    let p = start;
    for (; p < end; p += 1) {
      const byte = bytes[p]!;
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (p === end) return text;
  }
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch {
    return fail("a string is not UTF-8");
  }
}
