// Some rows of a block as a new block, and one row as an alert. Called by the steps of the pipeline.
import type { Alert, AlertBatch } from "../domain/alert.js";
import type { BigColumn, Block, Column, NumberArray, NumberColumn, StringColumn } from "../domain/columns.js";

/** The given rows, in the given order. */
export function takeRows(block: Block, rows: Uint32Array): Block {
  const columns = new Map<string, Column>();
  for (const [name, column] of block.columns) columns.set(name, takeColumn(column, rows));
  return { rows: rows.length, columns };
}

function takeColumn(column: Column, rows: Uint32Array): Column {
  const nulls = column.nulls && takeNumbers(column.nulls, rows);
  if (column.type === "String") {
    const { values } = column;
    return { type: "String", values: Array.from(rows, (row) => values[row]!), nulls };
  }
  if (isBig(column)) {
    // 64-bit values as pairs of 32-bit words: no bigint is made on the way.
    const from = new Uint32Array(column.values.buffer, column.values.byteOffset, column.values.length * 2);
    const to = new Uint32Array(rows.length * 2);
    for (let i = 0; i < rows.length; i += 1) {
      const row = rows[i]! * 2;
      to[i * 2] = from[row]!;
      to[i * 2 + 1] = from[row + 1]!;
    }
    const values = column.type === "Int64" ? new BigInt64Array(to.buffer) : new BigUint64Array(to.buffer);
    return { type: column.type, values, nulls };
  }
  return { type: column.type, values: takeNumbers(column.values, rows), nulls };
}

const isBig = (column: Column): column is BigColumn => column.type === "Int64" || column.type === "UInt64";

function takeNumbers<T extends NumberArray>(values: T, rows: Uint32Array): T {
  const taken = new (values.constructor as new (length: number) => T)(rows.length);
  for (let i = 0; i < rows.length; i += 1) taken[i] = values[rows[i]!]!;
  return taken;
}

/** The given rows of a batch with their packets and photometry. */
export function takeAlerts(batch: AlertBatch, rows: Uint32Array): AlertBatch {
  const newRow = new Int32Array(batch.alerts.rows).fill(-1);
  for (let i = 0; i < rows.length; i += 1) newRow[rows[i]!] = i;
  const points: number[] = [];
  for (let i = 0; i < batch.toldBy.length; i += 1) if (newRow[batch.toldBy[i]!]! >= 0) points.push(i);
  const pointRows = Uint32Array.from(points);
  return {
    survey: batch.survey,
    alerts: takeRows(batch.alerts, rows),
    photometry: takeRows(batch.photometry, pointRows),
    toldBy: Uint32Array.from(pointRows, (point) => newRow[batch.toldBy[point]!]!),
    packets: Array.from(rows, (row) => batch.packets[row]!),
  };
}

export function stringColumn(block: Block, name: string): StringColumn {
  return typed(block, name, (column) => column.type === "String") as StringColumn;
}
export function numberColumn(block: Block, name: string): NumberColumn {
  return typed(block, name, (column) => column.type !== "String" && !isBig(column)) as NumberColumn;
}
export function bigColumn(block: Block, name: string): BigColumn {
  return typed(block, name, isBig) as BigColumn;
}

function typed(block: Block, name: string, fits: (column: Column) => boolean): Column {
  const column = block.columns.get(name);
  if (column === undefined || !fits(column)) throw new Error(`column ${name} is missing or of another type`);
  return column;
}

/** Row of a batch as the alert that the API shows. */
export function alertAt(batch: AlertBatch, row: number): Alert {
  const { alerts, survey } = batch;
  const number = (name: string): number => numberColumn(alerts, name).values[row]!;
  const numberOrNull = (name: string): number | null => {
    const column = numberColumn(alerts, name);
    return column.nulls?.[row] ? null : column.values[row]!;
  };
  const text = (name: string): string => stringColumn(alerts, name).values[row]!;
  const textOrNull = (name: string): string | null => {
    const column = stringColumn(alerts, name);
    return column.nulls?.[row] ? null : column.values[row]!;
  };
  return {
    survey,
    candid: bigColumn(alerts, "candid").values[row]!,
    objectId: text("objectId"),
    jd: number("jd"),
    ra: number("ra"),
    dec: number("dec"),
    band: text("band"),
    magnitude: numberOrNull("magnitude"),
    magnitudeError: numberOrNull("magnitudeError"),
    flux: numberOrNull("flux"),
    fluxError: numberOrNull("fluxError"),
    isPositive: number("isPositive") === 1,
    class: textOrNull("class"),
    solarSystemName: textOrNull("solarSystemName"),
    programid: number("programid"),
  };
}
