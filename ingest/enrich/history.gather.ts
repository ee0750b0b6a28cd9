// The values of points as columns of lists. Called by history.ts.
import type { AlertBatch } from "../../domain/alert.js";
import type { BigColumn, Block, Column, NumberColumn, StringColumn } from "../../domain/columns.js";
import { fluxFromCounts } from "../../domain/flux.js";
import { type Derived, isDerived } from "../../domain/photometry.js";
import type { PointField } from "../../domain/survey.js";
import type { PointRows, PointsAsTold } from "./history.points.js";

const SOURCES: Readonly<Record<Derived, readonly string[]>> = {
  snr: ["flux", "fluxError"],
  counts: ["flux", "zeroPoint"],
  countsError: ["fluxError", "zeroPoint"],
};
/** Columns of photometry that a column of points is made of. */
export const sourcesOf = (column: string): readonly string[] => (isDerived(column) ? SOURCES[column] : [column]);

const FORMULA: Readonly<Record<Derived, (a: number, b: number) => number>> = {
  snr: (flux, fluxError) => Math.abs(flux) / fluxError,
  counts: (flux, zeroPoint) => flux / fluxFromCounts(1, zeroPoint),
  countsError: (fluxError, zeroPoint) => fluxError / fluxFromCounts(1, zeroPoint),
};
/** In the archive's columns. */
const MISSING = Number.NEGATIVE_INFINITY;
const NEVER_MISSING = ["jd", "pointId", "programid"];

type Floats = Float32Array | Float64Array;

export class Gathering {
  readonly #fixed = new Map<string, Float64Array>();

  /** `fixed`: columns whose value is the highest of all tellings of a point. */
  constructor(
    private readonly archived: Block,
    private readonly batch: AlertBatch,
    private readonly points: PointsAsTold,
    private readonly fixed: ReadonlySet<string>,
  ) {}

  /** The field's values of all points of a kind, in the order of their rows. */
  column(kind: number, field: PointField): Column {
    const list = this.points.lists[kind - 1]!;
    const { column } = field;
    if (isDerived(column)) return this.#derived(list, column, field.type);
    if (this.fixed.has(column)) return this.#fixedValues(list, column, field.type);
    if (field.type === "String") return this.#texts(list, column);
    if (field.type === "Int64" || field.type === "UInt64") return this.#ids(list, column);
    return this.#numbers(list, column, field.type);
  }

  #derived({ rows }: PointRows, column: Derived, type: PointField["type"]): Column {
    const [first, second] = SOURCES[column].map((name) => this.#floats(rows, name)) as [Float64Array, Float64Array];
    const formula = FORMULA[column];
    return ofFloats(type, first, (at) => formula(first[at]!, second[at]!));
  }

  /** NaN where missing. */
  #floats(rows: Int32Array, name: string): Float64Array {
    const { before, own, base } = this.#sides(name);
    const values = new Float64Array(rows.length);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at]!;
      const side = row < base ? before : own;
      const n = row < base ? row : row - base;
      values[at] = side === undefined || side.nulls?.[n] ? Number.NaN : (side.values[n] as number);
      if (values[at] === MISSING) values[at] = Number.NaN;
    }
    return values;
  }

  #numbers({ rows }: PointRows, name: string, type: PointField["type"]): Column {
    const { before, own, base } = this.#sides(name);
    const Class = type === "Float64" ? Float64Array : type === "Float32" ? Float32Array : Int32Array;
    const values = type === "Bool" ? new Uint8Array(rows.length) : new Class(rows.length);
    const nulls = NEVER_MISSING.includes(name) ? null : new Uint8Array(rows.length);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at]!;
      const side = row < base ? before : own;
      const n = row < base ? row : row - base;
      if (side !== undefined && !side.nulls?.[n] && side.values[n] !== MISSING) values[at] = side.values[n] as number;
      else if (nulls !== null) nulls[at] = 1;
    }
    return { type, values, nulls } as NumberColumn;
  }

  #ids({ rows }: PointRows, name: string): BigColumn {
    const { before, own, base } = this.#sides(name);
    // As pairs of 32-bit words: no bigint is made on the way.
    const words = (side: Column | undefined) => {
      const { buffer, byteOffset, length } = (side?.values ?? new BigInt64Array(0)) as BigInt64Array;
      return new Int32Array(buffer, byteOffset, length * 2);
    };
    const [first, second] = [words(before), words(own)];
    const values = new Int32Array(rows.length * 2);
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at]!;
      const side = row < base ? first : second;
      const n = (row < base ? row : row - base) * 2;
      values[2 * at] = side[n]!;
      values[2 * at + 1] = side[n + 1]!;
    }
    return { type: "Int64", values: new BigInt64Array(values.buffer), nulls: null };
  }

  #texts({ rows }: PointRows, name: string): StringColumn {
    const { before, own, base } = this.#sides(name);
    const nulls = name === "band" ? null : new Uint8Array(rows.length);
    const values = Array.from(rows, (row, at) => {
      const side = row < base ? before : own;
      const n = row < base ? row : row - base;
      const text = side === undefined || side.nulls?.[n] ? "" : (side.values[n] as string);
      if (nulls !== null && text === "") nulls[at] = 1;
      return text;
    });
    return { type: "String", values, nulls };
  }

  /** A detection's own packet is the first that can tell them, so that they are known wherever the detection is. */
  #fixedValues({ rows }: PointRows, name: string, type: PointField["type"]): Column {
    const { point } = this.points;
    const values = this.#fixed.get(name) ?? this.#highest(name);
    this.#fixed.set(name, values);
    return ofFloats(type, rows, (at) => values[point[rows[at]!]!]!);
  }

  /** By number of the point; NaN where no packet told it. */
  #highest(name: string): Float64Array {
    const { point, pointCount } = this.points;
    const highest = new Float64Array(pointCount).fill(Number.NaN);
    const { before, own, base } = this.#sides(name);
    for (const [side, from] of [
      [before, 0],
      [own, base],
    ] as const) {
      if (side === undefined) continue;
      const { nulls } = side;
      const values = side.values as Floats;
      for (let n = 0; n < values.length; n++) {
        if (nulls?.[n] || values[n] === MISSING) continue;
        const number = point[from + n]!;
        if (!(highest[number]! >= values[n]!)) highest[number] = values[n]!;
      }
    }
    return highest;
  }

  #sides(name: string) {
    const { archived, batch } = this;
    return {
      before: archived.columns.get(name),
      own: batch.photometry.columns.get(name),
      base: archived.rows,
    };
  }
}

/** NaN and infinities are missing. */
function ofFloats(type: PointField["type"], of: { readonly length: number }, valueAt: (at: number) => number): Column {
  const values = type === "Float32" ? new Float32Array(of.length) : new Float64Array(of.length);
  const nulls = new Uint8Array(of.length);
  for (let at = 0; at < of.length; at++) {
    const value = valueAt(at);
    if (Number.isFinite(value)) values[at] = value;
    else nulls[at] = 1;
  }
  return { type: type === "Float32" ? "Float32" : "Float64", values, nulls };
}
