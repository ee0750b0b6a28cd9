// The photometry block of a batch while it is being filled: PHOTOMETRY_FIELDS of domain/alert.ts and the survey's own columns
// of points. Called by the surveys' normalise.
import type { Block, Column } from "../../domain/columns.js";
import { magnitudeErrorFromFlux, magnitudeFromFlux } from "../../domain/flux.js";
import { FORCED_MAGNITUDE_SNR } from "../../domain/photometry.js";
import type { PointColumn } from "../../domain/survey.js";
import { bools, nullableFloats, nullableTexts, texts } from "./columns.js";

/** Alerts that told the points, in step with the rows given to `add`. */
export interface Tellers {
  readonly objectId: readonly string[];
  readonly jd: Float64Array;
  readonly candid: BigInt64Array;
}

export class Points {
  rows = 0;
  readonly isPositive: Uint8Array;
  /** NaN where missing. */
  readonly magnitude: Float64Array;
  readonly magnitudeError: Float64Array;
  readonly flux: Float64Array;
  readonly fluxError: Float64Array;
  readonly limitingMagnitude: Float64Array;
  readonly zeroPoint: Float64Array;
  readonly #jd: Float64Array;
  readonly #programid: Int32Array;
  readonly #band: string[] = [];
  readonly #kind: Uint8Array;
  readonly #pointId: BigInt64Array;
  readonly #toldBy: Uint32Array;
  readonly #own = new Map<string, Float32Array | Float64Array | string[]>();

  constructor(capacity: number, own: readonly PointColumn[]) {
    const missing = () => new Float64Array(capacity).fill(Number.NaN);
    this.#jd = new Float64Array(capacity);
    this.#programid = new Int32Array(capacity);
    this.isPositive = new Uint8Array(capacity);
    this.magnitude = missing();
    this.magnitudeError = missing();
    this.flux = missing();
    this.fluxError = missing();
    this.limitingMagnitude = missing();
    this.zeroPoint = missing();
    this.#kind = new Uint8Array(capacity);
    this.#pointId = new BigInt64Array(capacity);
    this.#toldBy = new Uint32Array(capacity);
    for (const { name, type } of own) {
      const Numbers = type === "Float32" ? Float32Array : Float64Array;
      this.#own.set(name, type === "String" ? [] : new Numbers(capacity).fill(Number.NaN));
    }
  }

  /** The survey's own column of numbers, NaN where missing. */
  numbers(name: string): Float32Array | Float64Array {
    return this.#own.get(name) as Float32Array | Float64Array;
  }
  /** The survey's own column of texts, filled by row; none where missing. */
  texts(name: string): string[] {
    return this.#own.get(name) as string[];
  }

  /** A new point's row, with ids[index] for its pointId; the caller fills what it knows of it in the columns above. */
  add(kind: number, ids: BigInt64Array, index: number, jd: number, band: string, programid: number, teller: number) {
    const row = this.rows;
    this.rows = row + 1;
    this.#kind[row] = kind;
    this.#pointId[row] = ids[index]!;
    this.#jd[row] = jd;
    this.#band[row] = band;
    this.#programid[row] = programid;
    this.#toldBy[row] = teller;
    return row;
  }

  /** A measured flux (nJy) with its magnitude; NaN where missing. */
  measure(row: number, flux: number, fluxError: number, magnitude: number, magnitudeError: number, positive: number) {
    this.flux[row] = flux;
    this.fluxError[row] = fluxError;
    this.magnitude[row] = magnitude;
    this.magnitudeError[row] = magnitudeError;
    this.isPositive[row] = positive;
  }

  /** A forced flux (nJy), with a magnitude where it is significant. */
  force(row: number, flux: number, fluxError: number) {
    const magnitude = Math.abs(flux) / fluxError >= FORCED_MAGNITUDE_SNR ? magnitudeFromFlux(flux) : null;
    const error = magnitude === null ? null : magnitudeErrorFromFlux(flux, fluxError);
    this.measure(row, flux, fluxError, magnitude ?? Number.NaN, error ?? Number.NaN, flux >= 0 ? 1 : 0);
  }

  finish(tellers: Tellers): { photometry: Block; toldBy: Uint32Array } {
    const { rows } = this;
    const toldBy = this.#toldBy.subarray(0, rows);
    const objectId = new Array<string>(rows);
    const toldByJd = new Float64Array(rows);
    const toldByCandid = new BigInt64Array(rows);
    for (let i = 0; i < rows; i += 1) {
      const teller = toldBy[i]!;
      objectId[i] = tellers.objectId[teller]!;
      toldByJd[i] = tellers.jd[teller]!;
      toldByCandid[i] = tellers.candid[teller]!;
    }
    const floats = (values: Float64Array): Column => nullableFloats(values.subarray(0, rows));
    const columns = new Map<string, Column>([
      ["objectId", texts(objectId)],
      ["kind", { type: "UInt8", values: this.#kind.subarray(0, rows), nulls: null }],
      ["pointId", { type: "Int64", values: this.#pointId.subarray(0, rows), nulls: null }],
      ["jd", { type: "Float64", values: this.#jd.subarray(0, rows), nulls: null }],
      ["band", texts(this.#band)],
      ["magnitude", floats(this.magnitude)],
      ["magnitudeError", floats(this.magnitudeError)],
      ["flux", floats(this.flux)],
      ["fluxError", floats(this.fluxError)],
      ["limitingMagnitude", floats(this.limitingMagnitude)],
      ["zeroPoint", floats(this.zeroPoint)],
      ["isPositive", bools(this.isPositive.subarray(0, rows))],
      ["programid", { type: "Int32", values: this.#programid.subarray(0, rows), nulls: null }],
      ["toldByJd", { type: "Float64", values: toldByJd, nulls: null }],
      ["toldByCandid", { type: "Int64", values: toldByCandid, nulls: null }],
    ]);
    for (const [name, values] of this.#own) {
      columns.set(name, Array.isArray(values) ? nullableTexts(filled(values, rows)) : own(values.subarray(0, rows)));
    }
    return { photometry: { rows, columns }, toldBy };
  }
}

/** NaN is a missing value, as infinities are. */
function own(values: Float32Array | Float64Array): Column {
  if (values instanceof Float64Array) return nullableFloats(values);
  const nulls = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    if (Number.isFinite(values[i])) continue;
    nulls[i] = 1;
    values[i] = 0;
  }
  return { type: "Float32", values, nulls };
}

const filled = (values: readonly string[], rows: number): string[] =>
  Array.from({ length: rows }, (_, row) => values[row] ?? "");
