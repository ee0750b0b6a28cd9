// Rows of a file as sources and points to store, in pieces that one insert takes. Called by load.ts.
import { createHash } from "node:crypto";
import type { RejectedRow } from "../../domain/catalog.js";
import type { Block, Column, ListColumn } from "../../domain/columns.js";
import { type ArchivalRows, MOST_POINTS } from "../../stores/archival.store.js";
import { SAMPLED_ROWS } from "../catalogs/rows.js";
import { badCatalog } from "../catalogs/table.js";
import type { ArchivalPlan } from "./plan.js";

/** Points after which a piece ends. */
const PIECE_POINTS = 500_000;

/** Some rows of a file, and what became of them. */
export interface ArchivalPiece {
  readonly rows: ArchivalRows;
  /** Of the file. */
  readonly rowsRead: number;
  readonly pointsRead: number;
  readonly rejected: number;
  readonly pointsRejected: number;
  readonly sample: readonly RejectedRow[];
}

/** `first`: number of the block's first row in the file, from 1. `numbered`: number of its first point in the load. */
export function* archivalPieces(
  plan: ArchivalPlan,
  block: Block,
  file: string,
  first: number,
  numbered: number,
): Generator<ArchivalPiece> {
  const points = plan.layout === "lists" ? pointLists(plan, block, file, first) : pointRows(plan, block);
  const sourceOf = sources(plan, block);
  let number = numbered;
  for (let from = 0; from < block.rows; ) {
    let to = from;
    for (let held = 0; to < block.rows && held < PIECE_POINTS; to++) held += points.count(to);
    const piece = createPiece();
    const [before, sample]: [number, RejectedRow[]] = [number, []];
    let [rejected, pointsRejected] = [0, 0];
    for (let row = from; row < to; row++) {
      const count = points.count(row);
      const found = count > MOST_POINTS ? `it has more than ${MOST_POINTS} points` : sourceOf(row);
      if (typeof found === "string") {
        if (sample.length < SAMPLED_ROWS) sample.push({ file, row: first + row, reason: found });
        rejected++;
        pointsRejected += count;
      } else {
        const place = piece.source(found);
        const end = points.end(row);
        for (let at = end - count; at < end; at++) {
          if (!piece.point(place, BigInt(number + at - (end - count)), points.read(at))) pointsRejected++;
        }
      }
      number += count;
    }
    yield {
      rows: piece.rows(),
      rowsRead: to - from,
      pointsRead: number - before,
      rejected,
      pointsRejected,
      sample,
    };
    from = to;
  }
}

interface Source {
  readonly source: bigint;
  readonly id: string;
  readonly band: string;
  readonly ra: number;
  readonly dec: number;
  readonly fields: string;
}

/** NaN where a value is missing. */
interface Point {
  readonly time: number;
  readonly magnitude: number;
  readonly magnitudeError: number;
  readonly colorCoefficient: number;
  readonly flags: number;
}

/** Or why there is none. */
function sources(plan: ArchivalPlan, block: Block): (row: number) => Source | string {
  const [ra, dec] = [numbersOf(block.columns.get(plan.ra)), numbersOf(block.columns.get(plan.dec))];
  const ids = block.columns.get(plan.id)!;
  const bands = plan.band === null ? null : block.columns.get(plan.band)!;
  const fields = plan.fields.map((name) => [name, block.columns.get(name)!] as const);
  return (row) => {
    const [told, decDeg] = [ra(row), dec(row)];
    if (Number.isNaN(told) || Number.isNaN(decDeg)) return "it has no position";
    if (!(told >= -180 && told <= 360 && Math.abs(decDeg) <= 90)) return `there is no position ${told}, ${decDeg}`;
    if (ids.nulls?.[row] || ids.values[row] === "") return "it has no id";
    const id = String(ids.values[row]);
    const bandValue = bands === null ? "" : bands.nulls?.[row] ? "" : String(bands.values[row]);
    const band = plan.bandOf(bandValue);
    if (band === null) return `there is no band ${JSON.stringify(bandValue)}`;
    const own = fields.map(([name, column]) => [name, column.nulls?.[row] ? null : plain(column.values[row]!)]);
    return {
      source: numberOf(id, ids.type),
      id,
      band,
      ra: told < 0 ? told + 360 : told === 360 ? 0 : told,
      dec: decDeg,
      fields: JSON.stringify(Object.fromEntries(own)),
    };
  };
}

/** 64-bit integers as decimal text, as everywhere in JSON; what is no number as null. */
const plain = (value: string | number | bigint): string | number | null =>
  typeof value === "bigint" ? value.toString() : typeof value === "number" && !Number.isFinite(value) ? null : value;

/** Integers are their own number; of a text 64 bits of its SHA-256: it must differ only from the others of a cell of 3.2". */
function numberOf(id: string, type: Column["type"]): bigint {
  if (type !== "String") return BigInt.asUintN(64, BigInt(id));
  return createHash("sha256").update(id).digest().readBigUInt64BE();
}

function numbersOf(column: Column | undefined): (row: number) => number {
  if (column === undefined) return () => Number.NaN;
  const { values, nulls } = column;
  return (row) => (nulls?.[row] || values[row] === "" ? Number.NaN : Number(values[row]));
}

interface Points {
  count(row: number): number;
  /** Of the row's points, in the columns that `read` reads: one behind the last. */
  end(row: number): number;
  read(at: number): Point;
}

function pointRows(plan: ArchivalPlan, block: Block): Points {
  return { count: () => 1, end: (row) => row + 1, read: reader(plan, (name) => block.columns.get(name)!) };
}

function pointLists(plan: ArchivalPlan, block: Block, file: string, first: number): Points {
  const lists = new Map<string, ListColumn>(block.lists);
  const { ends } = lists.get(plan.time)!;
  for (const [name, list] of lists) {
    const row = list.ends.findIndex((end, n) => end !== ends[n]);
    if (row < 0) continue;
    const length = (of: Uint32Array) => of[row]! - (row === 0 ? 0 : of[row - 1]!);
    throw badCatalog(
      `the list has ${length(list.ends)} values, but that of ${plan.time} has ${length(ends)}.`,
      { file, row: first + row, column: name },
      "The file is damaged, or was cut wrongly: fetch it again. Nothing that was loaded of it is shown.",
    );
  }
  return {
    count: (row) => ends[row]! - (row === 0 ? 0 : ends[row - 1]!),
    end: (row) => ends[row]!,
    read: reader(plan, (name) => lists.get(name)!.items),
  };
}

function reader(plan: ArchivalPlan, columnOf: (name: string) => Column): (at: number) => Point {
  const of = (name: string | null) => numbersOf(name === null ? undefined : columnOf(name));
  const [time, magnitude, magnitudeError] = [of(plan.time), of(plan.magnitude), of(plan.magnitudeError)];
  const [colorCoefficient, flags] = [of(plan.colorCoefficient), of(plan.flags)];
  return (at) => ({
    time: time(at) + plan.offset,
    magnitude: magnitude(at),
    magnitudeError: magnitudeError(at),
    colorCoefficient: colorCoefficient(at),
    flags: flags(at),
  });
}

function createPiece() {
  const found: Source[] = [];
  const places = new Map<string, number>();
  const [owner, time, numbers]: [number[], number[], bigint[]] = [[], [], []];
  const [magnitude, error, color, flags]: [number[], number[], number[], number[]] = [[], [], [], []];
  return {
    /** The source's place in the piece. The rows of one point each say it again and again. */
    source(source: Source): number {
      const key = `${source.id} ${source.band} ${source.ra} ${source.dec}`;
      const known = places.get(key);
      if (known !== undefined) return known;
      places.set(key, found.length);
      return found.push(source) - 1;
    },
    /** False where it has no time or no magnitude. */
    point(place: number, number: bigint, point: Point): boolean {
      if (!Number.isFinite(point.time) || !Number.isFinite(point.magnitude)) return false;
      owner.push(place);
      numbers.push(number);
      time.push(point.time);
      magnitude.push(point.magnitude);
      error.push(point.magnitudeError);
      color.push(point.colorCoefficient);
      flags.push(point.flags >= 0 ? point.flags : 0);
      return true;
    },
    rows(): ArchivalRows {
      const text = (of: (source: Source) => string): Column => ({ type: "String", values: found.map(of), nulls: null });
      const float64 = (values: readonly number[]): Column => {
        return { type: "Float64", values: Float64Array.from(values), nulls: null };
      };
      const float32 = (values: readonly number[]): Column => {
        return { type: "Float32", values: Float32Array.from(values), nulls: null };
      };
      const uint64 = (values: readonly bigint[]): Column => {
        return { type: "UInt64", values: BigUint64Array.from(values), nulls: null };
      };
      const uint32 = (values: readonly number[]): Column => {
        return { type: "UInt32", values: Uint32Array.from(values), nulls: null };
      };
      return {
        sources: {
          rows: found.length,
          columns: new Map([
            ["source", uint64(found.map(({ source }) => source))],
            ["band", text(({ band }) => band)],
            ["id", text(({ id }) => id)],
            ["ra", float64(found.map(({ ra }) => ra))],
            ["dec", float64(found.map(({ dec }) => dec))],
            ["fields", text(({ fields }) => fields)],
          ]),
        },
        points: {
          rows: owner.length,
          columns: new Map([
            ["row", uint32(owner)],
            ["time", float64(time)],
            ["number", uint64(numbers)],
            ["magnitude", float32(magnitude)],
            ["magnitudeError", float32(error)],
            ["colorCoefficient", float32(color)],
            ["flags", uint32(flags)],
          ]),
        },
      };
    },
  };
}
