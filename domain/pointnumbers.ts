// The points that many rows of photometry tell of, numbered. Called where tellings are merged: ingest/enrich/history.ts and
// stores/archive/photometry.tellings.ts.

/** Number of each text in the order of its first appearance. */
export function textNumbers(texts: readonly string[]): { numbers: Int32Array; distinct: readonly string[] } {
  const known = new Map<string, number>();
  const numbers = new Int32Array(texts.length);
  let last = -1;
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row]!;
    if (row > 0 && text === texts[row - 1]) {
      numbers[row] = last;
      continue;
    }
    let number = known.get(text);
    if (number === undefined) {
      number = known.size;
      known.set(text, number);
    }
    last = number;
    numbers[row] = number;
  }
  return { numbers, distinct: [...known.keys()] };
}

/**
 * Number of the point of each row, in the order of its first appearance: a point is its object, its kind and its pointId.
 * A table with open addresses, since Maps with bigint keys take ten times as long.
 */
export function pointNumbers(
  objects: Int32Array,
  kinds: Uint8Array,
  pointIds: BigInt64Array,
): { numbers: Int32Array; count: number } {
  const rows = objects.length;
  const size = 2 ** Math.ceil(Math.log2(Math.max(rows, 1) * 2));
  const slots = new Int32Array(size).fill(-1);
  const words = new Int32Array(pointIds.buffer, pointIds.byteOffset, rows * 2);
  const numbers = new Int32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const low = words[2 * row]!;
    const high = words[2 * row + 1]!;
    let slot = mixed(low, high, objects[row]! * 4 + kinds[row]!) & (size - 1);
    let rival = slots[slot]!;
    while (
      rival >= 0 &&
      (words[2 * rival] !== low ||
        words[2 * rival + 1] !== high ||
        objects[rival] !== objects[row] ||
        kinds[rival] !== kinds[row])
    ) {
      slot = (slot + 1) & (size - 1);
      rival = slots[slot]!;
    }
    if (rival < 0) {
      slots[slot] = row;
      numbers[row] = count;
      count += 1;
    } else numbers[row] = numbers[rival]!;
  }
  return { numbers, count };
}

/** 32 bits out of three numbers of 32 bits, each of which moves all of them (the finisher of MurmurHash3). */
export function mixed(a: number, b: number, c: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x85ebca6b), 0x9e3779b1) ^ Math.imul(c, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}
