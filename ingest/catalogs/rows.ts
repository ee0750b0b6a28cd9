// Rows of a file as rows of a catalog: positions in degrees ICRS at the catalog's epoch, ids, kept columns. Called by load.ts.
import { parsePosition } from "../../domain/angles.js";
import type { RejectedRow } from "../../domain/catalog.js";
import type { Block, Column, StringColumn } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { moved } from "../../domain/motion.js";
import { castColumn } from "./cast.js";
import type { Plan } from "./plan.js";
import { badCatalog } from "./table.js";

export interface CatalogRows {
  readonly rows: Block;
  readonly rejected: number;
  /** The first 20. */
  readonly sample: readonly RejectedRow[];
  /** Of the given right ascensions, as numbers; null where none is one. */
  readonly raRange: readonly [number, number] | null;
}

export const SAMPLED_ROWS = 20;

/** `first`: number of the block's first row in the file, from 1. `numbered`: id of the first row where rows are numbered. */
export function catalogRows(plan: Plan, block: Block, file: string, first: number, numbered: number): CatalogRows {
  const sample: RejectedRow[] = [];
  const ra = new Float64Array(block.rows);
  const dec = new Float64Array(block.rows);
  const kept = new Uint32Array(block.rows);
  const idColumn = plan.id === null ? null : block.columns.get(plan.id)!;
  const hasNoId = (row: number): boolean =>
    idColumn !== null &&
    (idColumn.nulls?.[row] === 1 || (idColumn.type === "String" && idColumn.values[row]!.trim() === ""));
  const given = givenPositions(plan, block);
  const motion = plan.motion === null ? null : motionColumns(plan.motion, block);
  let [count, least, most] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < block.rows; row++) {
    const found = given(row);
    if (typeof found === "string" || hasNoId(row)) {
      const reason = typeof found === "string" ? found : "it has no id";
      if (sample.length < SAMPLED_ROWS) sample.push({ file, row: first + row, reason });
      continue;
    }
    least = Math.min(least, found.told);
    most = Math.max(most, found.told);
    const place = motion === null ? found : motion(row, found.ra, found.dec);
    ra[count] = place.ra;
    dec[count] = place.dec;
    kept[count++] = row;
  }
  const rowsKept = kept.subarray(0, count);
  const pick = (column: Column): Column => (count === block.rows ? column : picked(column, rowsKept));
  const columns = new Map<string, Column>([
    ["id", idColumn === null ? numberedIds(rowsKept, numbered) : ids(plan, pick(idColumn), file)],
    ["ra", { type: "Float64", values: ra.slice(0, count), nulls: null }],
    ["dec", { type: "Float64", values: dec.slice(0, count), nulls: null }],
  ]);
  for (const { from, to, missing } of plan.columns) {
    const fault = { file, column: from };
    columns.set(
      to.name,
      castColumn(pick(block.columns.get(from)!), to.type, missing, fault, (row) => first + rowsKept[row]!),
    );
  }
  return {
    rows: { rows: count, columns },
    rejected: block.rows - count,
    sample,
    raRange: count === 0 ? null : [least, most],
  };
}

/** In degrees, `told` as the file writes right ascension; or why there is no position. */
type Given = (row: number) => { ra: number; dec: number; told: number } | string;

function givenPositions(plan: Plan, block: Block): Given {
  const [raColumn, decColumn] = [block.columns.get(plan.ra)!, block.columns.get(plan.dec)!];
  if (raColumn.type === "String") return textPositions(raColumn, decColumn);
  const raOf = numbersOf(raColumn);
  const decOf = numbersOf(decColumn);
  const factor = plan.raUnit === "hours" ? 15 : plan.raUnit === "rad" ? 180 / Math.PI : 1;
  const decFactor = plan.decUnit === "rad" ? 180 / Math.PI : 1;
  return (row) => {
    const told = raOf(row);
    const ra = told * factor;
    const dec = decOf(row) * decFactor;
    // Some catalogs count right ascension from -180 to 180.
    if (ra >= -180 && ra <= 360 && dec >= -90 && dec <= 90)
      return { ra: ra < 0 ? ra + 360 : ra === 360 ? 0 : ra, dec, told };
    return Number.isNaN(ra) || Number.isNaN(dec) ? "it has no position" : `there is no position ${told}, ${decOf(row)}`;
  };
}

/** NaN where the value is missing. */
function numbersOf(column: Column): (row: number) => number {
  const { values, nulls } = column;
  if (column.type === "String") return (row) => (nulls?.[row] ? Number.NaN : Number(values[row]));
  return (row) => (nulls?.[row] ? Number.NaN : Number(values[row]));
}

function textPositions(ra: StringColumn, dec: Column): Given {
  return (row) => {
    if (ra.nulls?.[row] || dec.nulls?.[row]) return "it has no position";
    try {
      return {
        ...parsePosition(`${ra.values[row]!.trim()} ${signed(String(dec.values[row]).trim())}`),
        told: Number.NaN,
      };
    } catch (error) {
      if (error instanceof TocsinError) return error.message;
      throw error;
    }
  };
}

/** So that degrees and sexagesimal parts that are blanks apart have a border. */
const signed = (text: string): string => (/^[+\-\u2212]/.test(text) ? text : `+${text}`);

function motionColumns({ pmRa, pmDec, masRa, masDec, years }: NonNullable<Plan["motion"]>, block: Block) {
  const [east, north] = [numbersOf(block.columns.get(pmRa)!), numbersOf(block.columns.get(pmDec)!)];
  return (row: number, ra: number, dec: number) => {
    const [pmEast, pmNorth] = [east(row) * masRa, north(row) * masDec];
    // Without a measured motion a source stays.
    return Number.isFinite(pmEast) && Number.isFinite(pmNorth) ? moved(ra, dec, pmEast, pmNorth, years) : { ra, dec };
  };
}

function picked(column: Column, rows: Uint32Array): Column {
  const { values, nulls, type } = column;
  const pickedNulls = nulls === null ? null : Uint8Array.from(rows, (row) => nulls[row]!);
  if (type === "String") return { type, values: Array.from(rows, (row) => values[row] as string), nulls: pickedNulls };
  const made = new (values.constructor as new (length: number) => Float64Array)(rows.length);
  for (let n = 0; n < rows.length; n++) made[n] = values[rows[n]!] as number;
  return { type, values: made, nulls: pickedNulls } as Column;
}

const numberedIds = (rows: Uint32Array, numbered: number): Column => ({
  type: "UInt64",
  values: BigUint64Array.from(rows, (row) => BigInt(numbered + row)),
  nulls: null,
});

function ids(plan: Plan, column: Column, file: string): Column {
  const { idType } = plan.description;
  const fault = { file, column: plan.id! };
  if (column.type === "Float64" && idType !== "String") {
    const lossy = (column.values as Float64Array).find((value) => !Number.isSafeInteger(value));
    if (lossy !== undefined) {
      throw badCatalog(
        `the id ${lossy} is no whole number, or one whose digits are lost.`,
        fault,
        "Take another column: --id COLUMN.",
      );
    }
  }
  return { ...castColumn(column, idType, [], fault), nulls: null } as Column;
}
