// Repeats of a photometry point within one batch, resolved before they are sent. Called by alerts.write.ts.
import type { BigColumn, Block, Column, NumberArray } from "../../domain/columns.js";
import { bigints, numbers, strings } from "./blocks.js";

/**
 * The block with one row per (objectId, kind, pointId): the one with the highest (toldByJd, toldByCandid), and of rows
 * that the same packet told the last.
 */
export function latestTellings(points: Block): Block {
  const winners = winningRows(points);
  if (winners.length === points.rows) return points;
  const columns = new Map([...points.columns].map(([name, column]) => [name, taken(column, winners)]));
  return { rows: winners.length, columns };
}

function winningRows(points: Block): Uint32Array {
  const objectId = strings(points, "objectId");
  const kind = numbers(points, "kind");
  const pointId = bigints(points, "pointId");
  const jd = numbers(points, "toldByJd");
  const candid = bigints(points, "toldByCandid");
  // A table of rows by hash with open addresses: Maps with bigint or text keys take ten times as long.
  const size = 2 ** Math.ceil(Math.log2(Math.max(points.rows, 1) * 2));
  const slots = new Int32Array(size).fill(-1);
  const words = new Int32Array(pointId.buffer, pointId.byteOffset, pointId.length * 2);
  const objects = new Map<string, number>();
  const object = new Int32Array(points.rows);
  for (let row = 0; row < points.rows; row++) {
    const id = objectId[row]!;
    let number = objects.get(id);
    if (number === undefined) {
      number = objects.size;
      objects.set(id, number);
    }
    object[row] = number;
    const low = words[2 * row]!;
    const high = words[2 * row + 1]!;
    let slot = hash(low, high, number, kind[row]!) & (size - 1);
    for (let rival = slots[slot]!; rival >= 0; rival = slots[slot]!) {
      if (
        words[2 * rival] === low &&
        words[2 * rival + 1] === high &&
        object[rival] === number &&
        kind[rival] === kind[row]
      ) {
        const older = jd[row]! < jd[rival]! || (jd[row] === jd[rival] && candid[row]! < candid[rival]!);
        if (!older) slots[slot] = row;
        break;
      }
      slot = (slot + 1) & (size - 1);
    }
    if (slots[slot] === -1) slots[slot] = row;
  }
  return Uint32Array.from(slots.filter((row) => row >= 0)).sort();
}

function hash(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x85ebca6b), 0x9e3779b1) ^ Math.imul(c * 4 + d, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return h ^ (h >>> 13);
}

function taken(column: Column, rows: Uint32Array): Column {
  const nulls = column.nulls && (pickedFrom(column.nulls, rows) as Uint8Array);
  if (column.type === "String") {
    const { values } = column;
    return { type: "String", values: Array.from(rows, (row) => values[row]!), nulls };
  }
  return { type: column.type, values: pickedFrom(column.values, rows), nulls } as Column;
}

function pickedFrom(values: NumberArray | BigColumn["values"], rows: Uint32Array): NumberArray | BigColumn["values"] {
  const picked = new (values.constructor as new (length: number) => Float64Array)(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = (values as Float64Array)[rows[i]!]!;
  return picked;
}
