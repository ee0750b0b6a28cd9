// Some rows of a block as a new block, and one row as an alert. Called by the steps of the pipeline.
import type { Alert, AlertBatch } from "../domain/alert.js";
import type { BigColumn, Block, Column, NumberColumn, StringColumn } from "../domain/columns.js";
import { isBig, takeRows } from "../domain/rows.js";

export { takeRows };

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

/** Whose alerts the rows are: of rows with objectId, jd and candid. */
export function objectsOf(rows: Block): { objectId: string; jd: number; candid: bigint }[] {
  const [jd, candid] = [numberColumn(rows, "jd").values, bigColumn(rows, "candid").values];
  return stringColumn(rows, "objectId").values.map((objectId, row) => {
    return { objectId, jd: jd[row]!, candid: candid[row]! };
  });
}
