// Zstandard decompression within bounds. The library believes a frame's header and moves its whole window with every
// block: so the frame is walked first (RFC 8878, section 3.1.1). Called by codecs.ts.
import { Decompress } from "fzstd";
import { fail } from "./primitives.js";

const MAGIC = 0xfd2fb528;
/** Bytes of window moved, beyond which a frame is an attack: honest blocks are 128 KiB unpacked and some KB packed. */
const WORK_PER_BYTE = 16 * 1024;
const FREE_WORK = 256 * 1024 * 1024;

/** Unpack one frame; fails where it is damaged, holds more than `maxBytes`, or would cost far more than it holds. */
export function unzstandard(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const { window, blocks } = walkFrame(bytes);
  if (window > maxBytes) fail(`a zstandard window is larger than ${maxBytes} bytes`);
  if (window * blocks > FREE_WORK + WORK_PER_BYTE * bytes.length) fail("a zstandard frame has far too many blocks");
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new Decompress((chunk) => {
    total += chunk.length;
    if (total > maxBytes) fail(`a block unpacks to more than ${maxBytes} bytes`);
    chunks.push(chunk.slice());
  });
  stream.push(bytes, true);
  return Buffer.concat(chunks, total);
}

/** Window size and number of blocks of the one frame that `bytes` must be. Reading past the end throws RangeError. */
function walkFrame(bytes: Uint8Array): { window: number; blocks: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC) fail("a block is not zstandard");
  const descriptor = view.getUint8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const dictionaryAt = isSingle ? 5 : 6;
  const sizeAt = dictionaryAt + [0, 1, 2, 4][descriptor & 3]!;
  const window = isSingle ? contentSize(view, sizeAt, sizeFlag) : windowSize(view.getUint8(5));

  let p = sizeAt + (sizeFlag === 0 ? Number(isSingle) : 2 ** sizeFlag);
  let blocks = 0;
  for (let isLast = false; !isLast; blocks += 1) {
    const head = view.getUint16(p, true) | (view.getUint8(p + 2) << 16);
    const type = (head >> 1) & 3;
    isLast = (head & 1) === 1;
    p += 3 + (type === 1 ? 1 : head >> 3);
  }
  if ((descriptor & 4) !== 0) p += 4;
  if (p !== bytes.length) fail("a zstandard frame does not end with its block");
  return { window, blocks };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(view: DataView, at: number, flag: number): number {
  if (flag === 0) return view.getUint8(at);
  if (flag === 1) return view.getUint16(at, true) + 256;
  return flag === 2 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
