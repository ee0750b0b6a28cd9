// What a batch tells of each point, a row for each distinct telling. Called by alerts.write.ts.
import type { BigColumn, Block, Column, NumberArray } from "../../domain/columns.js";
import { mixed, pointNumbers, textNumbers } from "../../domain/pointnumbers.js";
import { bigints, blockOf, floats, numbers, signed, strings, unsigned } from "./blocks.js";

/** Columns that are no part of what is told. */
const KEYS = ["objectId", "kind", "pointId", "toldByJd", "toldByCandid"];

/**
 * One row for each (objectId, kind, pointId) and distinct values: `valuesHash`, and (firstJd, firstCandid), (lastJd,
 * lastCandid) of the first and the last packet that told them. A packet that tells a point more than once tells its last
 * word. `fixed` columns are no part of the values; of several packets' the highest counts. `toldBy`: AlertBatch.
 */
export function tellingsOf(points: Block, toldBy: Uint32Array, fixed: ReadonlyMap<string, unknown>): Block {
  const told = [...points.columns].filter(([name]) => !KEYS.includes(name) && !fixed.has(name));
  const [low, high] = hashes(points.rows, told);
  const { first, last, merged } = distinctTellings(points, toldBy, low, high);
  const rows = first.length;
  const every = merged.length === 0 && rows === points.rows;
  const jd = numbers(points, "toldByJd") as Float64Array;
  const candid = bigints(points, "toldByCandid") as BigInt64Array;
  const kept = [...points.columns].filter(([name]) => name !== "toldByJd" && name !== "toldByCandid");
  const columns = Object.fromEntries(kept.map(([name, column]) => [name, every ? column : taken(column, first)]));
  const rowOf = new Map(merged.length === 0 ? [] : Array.from(first, (row, n) => [row, n]));
  for (const [into, from] of merged) {
    for (const name of fixed.keys()) raise(columns[name], rowOf.get(into)!, points.columns.get(name), from);
  }
  const hash = new Int32Array(rows * 2);
  for (let n = 0; n < rows; n++) {
    hash[2 * n] = low[first[n]!]!;
    hash[2 * n + 1] = high[first[n]!]!;
  }
  return blockOf(rows, {
    ...columns,
    valuesHash: unsigned(new BigUint64Array(hash.buffer)),
    firstJd: floats(every ? jd : (picked(jd, first) as Float64Array)),
    firstCandid: signed(every ? candid : (picked(candid, first) as BigInt64Array)),
    lastJd: floats(every ? jd : (picked(jd, last) as Float64Array)),
    lastCandid: signed(every ? candid : (picked(candid, last) as BigInt64Array)),
  });
}

/** Rows that stand for the distinct tellings: of their first and their last teller; and pairs of rows that became one. */
function distinctTellings(points: Block, toldBy: Uint32Array, low: Int32Array, high: Int32Array) {
  const { rows } = points;
  const { numbers: objects } = textNumbers(strings(points, "objectId"));
  const kinds = numbers(points, "kind") as Uint8Array;
  const point = pointNumbers(objects, kinds, bigints(points, "pointId") as BigInt64Array);
  const jd = numbers(points, "toldByJd");
  const candid = bigints(points, "toldByCandid");
  const earlier = (a: number, b: number) => jd[a]! < jd[b]! || (jd[a] === jd[b] && candid[a]! < candid[b]!);

  // Chains of each point's distinct tellings; a packet's later word takes the place of its earlier one first of all.
  const words = lastWords(point, toldBy);
  const head = new Int32Array(point.count).fill(-1);
  const next = new Int32Array(rows).fill(-1);
  const first = counted(rows);
  const last = first.slice();
  const merged: [number, number][] = [];
  for (const row of words) {
    const number = point.numbers[row]!;
    let same = head[number]!;
    while (same >= 0 && (low[same] !== low[row] || high[same] !== high[row])) same = next[same]!;
    if (same < 0) {
      next[row] = head[number]!;
      head[number] = row;
      continue;
    }
    merged.push([same, row]);
    if (earlier(row, first[same]!)) first[same] = row;
    if (earlier(last[same]!, row)) last[same] = row;
  }
  if (merged.length === 0) return { first: words, last: words, merged };
  const gone = new Set(merged.map(([, row]) => row));
  const stand = words.filter((row) => !gone.has(row));
  const firsts = stand.map((row) => first[row]!);
  const standsAt = new Map(Array.from(stand, (row, n) => [row, firsts[n]!]));
  return {
    first: firsts,
    last: stand.map((row) => last[row]!),
    // Every other row of a telling gives its fixed values to the row that stands for it.
    merged: merged.flatMap(([into, from]) => {
      const at = standsAt.get(into)!;
      return [into, from].filter((row) => row !== at).map((row) => [at, row] as const);
    }),
  };
}

/** Rows but for those whose packet tells the same point again below. */
function lastWords(point: { numbers: Int32Array; count: number }, toldBy: Uint32Array): Int32Array {
  const rows = toldBy.length;
  const words = counted(rows);
  const { numbers: pairs, count } = pointNumbers(Int32Array.from(toldBy), new Uint8Array(rows), widened(point.numbers));
  if (count === rows) return words;
  const lastOf = new Int32Array(count);
  for (let row = 0; row < rows; row++) lastOf[pairs[row]!] = row;
  return words.filter((row) => lastOf[pairs[row]!] === row);
}

/** 0, 1, 2, … */
function counted(rows: number): Int32Array {
  const numbers = new Int32Array(rows);
  for (let row = 0; row < rows; row++) numbers[row] = row;
  return numbers;
}

/** 64-bit numbers without making bigints. */
function widened(numbers: Int32Array): BigInt64Array {
  const words = new Int32Array(numbers.length * 2);
  for (let i = 0; i < numbers.length; i++) words[2 * i] = numbers[i]!;
  return new BigInt64Array(words.buffer);
}

/** Two words of each row's values. Missing ones count for nothing, so that a column more changes no old row's. */
function hashes(rows: number, columns: readonly (readonly [string, Column])[]): [Int32Array, Int32Array] {
  const low = new Int32Array(rows);
  const high = new Int32Array(rows);
  for (const [name, { type, values, nulls }] of columns) {
    const words = wordsOf(type === "String" ? textWords(values as readonly string[]) : (values as NumberArray));
    const add = words.length === rows ? addNarrow : addWide;
    add(low, high, words, nulls ?? new Uint8Array(rows), textHash(name));
  }
  return [low, high];
}

function addNarrow(low: Int32Array, high: Int32Array, words: Int32Array, nulls: Uint8Array, seed: number): void {
  for (let row = 0; row < low.length; row++) {
    if (nulls[row] === 1) continue;
    const word = words[row]!;
    low[row]! += mixed(word, 0, seed);
    high[row]! += mixed(seed, word, ~seed);
  }
}

function addWide(low: Int32Array, high: Int32Array, words: Int32Array, nulls: Uint8Array, seed: number): void {
  for (let row = 0; row < low.length; row++) {
    if (nulls[row] === 1) continue;
    const first = words[2 * row]!;
    const second = words[2 * row + 1]!;
    low[row]! += mixed(first, second, seed);
    high[row]! += mixed(second ^ seed, first, ~seed);
  }
}

function wordsOf(values: NumberArray | BigColumn["values"]): Int32Array {
  if (values.BYTES_PER_ELEMENT < 4) return Int32Array.from(values as Uint8Array);
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength / 4);
}

function textWords(texts: readonly string[]): Int32Array {
  const { numbers: number, distinct } = textNumbers(texts);
  const words = distinct.map(textHash);
  return number.map((n) => words[n]!);
}

/** FNV-1a over the text's units. */
function textHash(text: string): number {
  let h = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}

/** The higher of two values that may be missing. */
function raise(into: Column | undefined, row: number, from: Column | undefined, source: number): void {
  if (into === undefined || from === undefined || from.nulls?.[source]) return;
  const [values, given] = [into.values as NumberArray, from.values as NumberArray];
  if (!into.nulls?.[row] && values[row]! >= given[source]!) return;
  values[row] = given[source]!;
  if (into.nulls) into.nulls[row] = 0;
}

function taken(column: Column, rows: Int32Array): Column {
  const nulls = column.nulls && (picked(column.nulls, rows) as Uint8Array);
  if (column.type === "String") {
    const { values } = column;
    return { type: "String", values: Array.from(rows, (row) => values[row]!), nulls };
  }
  return { type: column.type, values: picked(column.values, rows), nulls } as Column;
}

function picked(values: NumberArray | BigColumn["values"], rows: Int32Array): NumberArray | BigColumn["values"] {
  const chosen = new (values.constructor as new (length: number) => Float64Array)(rows.length);
  for (let i = 0; i < rows.length; i++) chosen[i] = (values as Float64Array)[rows[i]!]!;
  return chosen;
}
