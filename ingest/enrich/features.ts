// Step: features of each alert's light curve, from the lists that the history step adds. Made by cli/, called by
// enrichment.ts and by the re-enrichment of archived alerts.
import type { AlertBatch } from "../../domain/alert.js";
import type { Block, Column, ListColumn, NumberColumn, StringColumn } from "../../domain/columns.js";
import {
  FEATURES_STEP,
  FEATURES_VERSION,
  FeatureCalculator,
  featureColumnName,
  type NamedFeature,
  namedFeatures,
} from "../../domain/features/features.js";
import { featureOperandName } from "../../domain/features/operands.js";
import { Limits, Points } from "../../domain/features/points.js";
import { magnitudeErrorFromFlux, magnitudeFromFlux } from "../../domain/flux.js";
import type { Survey, SurveyDescription } from "../../domain/survey.js";
import { numberColumn } from "../rows.js";
import type { Enrichment } from "./enrichment.js";

/** Forced photometry of less is noise that says nothing of a peak: |flux| / fluxError. */
const LEAST_SNR = 3;

/** The lists that the step reads. */
export const FEATURE_INPUTS: readonly string[] = [
  ...["jd", "band", "magnitude", "magnitudeError", "flux", "fluxError"].map((field) => `detections.${field}`),
  ...["jd", "band", "flux", "fluxError"].map((field) => `forced.${field}`),
  ...["jd", "limitingMagnitude"].map((field) => `nonDetections.${field}`),
];

/** Adds a column feature.<path> for each feature, and the annex `features` with a row for each alert. */
export function createFeatureStep(surveys: ReadonlyMap<Survey, SurveyDescription>): Enrichment {
  const makers = new Map<Survey, FeatureColumns>();
  for (const [id, { bands }] of surveys) makers.set(id, new FeatureColumns(bands));
  return {
    name: FEATURES_STEP,
    version: String(FEATURES_VERSION),
    run: async (batch) => makers.get(batch.survey)!.add(batch),
  };
}

class FeatureColumns {
  readonly #features: readonly NamedFeature[];
  readonly #calculator: FeatureCalculator;
  readonly #points = new Points();
  readonly #limits = new Limits();

  constructor(private readonly bands: readonly string[]) {
    this.#features = namedFeatures(bands);
    this.#calculator = new FeatureCalculator(bands);
  }

  add(batch: AlertBatch): AlertBatch {
    const { alerts } = batch;
    const made = this.#columns(alerts);
    const columns = new Map(alerts.columns);
    const kept = new Map<string, Column>();
    for (const name of ["jd", "candid", "objectId", "programid"]) kept.set(name, alerts.columns.get(name)!);
    const versions = new Uint32Array(alerts.rows).fill(FEATURES_VERSION);
    kept.set("version", { type: "UInt32", values: versions, nulls: null });
    this.#features.forEach(({ path }, place) => {
      columns.set(featureOperandName(path), made[place]!);
      kept.set(featureColumnName(path), made[place]!);
    });
    const annex = { table: "features", rows: { rows: alerts.rows, columns: kept } } as const;
    return { ...batch, alerts: { ...alerts, columns }, annexes: [...(batch.annexes ?? []), annex] };
  }

  #columns(alerts: Block): Column[] {
    const { rows } = alerts;
    const width = this.#features.length;
    const jd = numberColumn(alerts, "jd").values;
    const detections = new PointList(alerts, "detections", this.bands);
    const forced = new PointList(alerts, "forced", this.bands);
    const limits = new LimitList(alerts);
    const values = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const used = this.#gather(detections, forced, row, jd[row]!);
      limits.gather(row, jd[row]!, this.#limits);
      values.set(this.#calculator.calculate(this.#points, used, this.#limits, jd[row]!), row * width);
    }
    return this.#features.map((feature, place) => columnOf(feature, values, place, width, rows, this.bands));
  }

  /**
   * The points of a row in order of time: detections, and forced points of 3 sigma. Of one time and band there is one: the
   * detection, if there is one. Returns how many are forced.
   */
  #gather(detections: PointList, forced: PointList, row: number, until: number): number {
    const points = this.#points;
    points.clear();
    let d = detections.from(row);
    let f = forced.from(row);
    let used = 0;
    for (;;) {
      const isDetection = d < detections.to(row) && !(f < forced.to(row) && forced.jd[f]! < detections.jd[d]!);
      if (!isDetection && f >= forced.to(row)) return used;
      const list = isDetection ? detections : forced;
      const at = isDetection ? d++ : f++;
      const flux = list.flux[at]!;
      const error = list.fluxError[at]!;
      const band = list.band[at]!;
      const time = list.jd[at]!;
      if (band === UNKNOWN || !(time <= until) || !Number.isFinite(flux) || !Number.isFinite(error)) continue;
      if (!isDetection && !(error > 0 && Math.abs(flux) >= LEAST_SNR * error)) continue;
      if (taken(points, time, band)) continue;
      const magnitude = isDetection ? list.magnitude[at]! : (magnitudeFromFlux(flux) ?? Number.NaN);
      const magnitudeError = isDetection
        ? list.magnitudeError[at]!
        : (magnitudeErrorFromFlux(flux, error) ?? Number.NaN);
      if (!Number.isFinite(magnitude) || !Number.isFinite(magnitudeError)) continue;
      points.add(time, band, magnitude, magnitudeError, flux, error);
      if (!isDetection) used += 1;
    }
  }
}

function taken({ count, jd, band }: Points, time: number, of: number): boolean {
  for (let i = count - 1; i >= 0 && jd[i] === time; i--) if (band[i] === of) return true;
  return false;
}

/** Index of a band that the survey does not name. */
const UNKNOWN = 255;

/** One of the lists of points, with NaN for what is missing. */
class PointList {
  readonly jd: Float64Array;
  readonly band: Uint8Array;
  readonly flux: Float64Array;
  readonly fluxError: Float64Array;
  /** Of detections only: forced photometry has fluxes. */
  readonly magnitude: Float64Array;
  readonly magnitudeError: Float64Array;
  readonly #ends: Uint32Array;

  constructor(alerts: Block, list: "detections" | "forced", bands: readonly string[]) {
    this.#ends = listColumn(alerts, `${list}.jd`).ends;
    this.jd = numbersOf(alerts, `${list}.jd`);
    this.band = bandsOf((listColumn(alerts, `${list}.band`).items as StringColumn).values, bands);
    this.flux = numbersOf(alerts, `${list}.flux`);
    this.fluxError = numbersOf(alerts, `${list}.fluxError`);
    const isDetections = list === "detections";
    this.magnitude = isDetections ? numbersOf(alerts, "detections.magnitude") : this.flux;
    this.magnitudeError = isDetections ? numbersOf(alerts, "detections.magnitudeError") : this.flux;
  }

  from(row: number): number {
    return row === 0 ? 0 : this.#ends[row - 1]!;
  }
  to(row: number): number {
    return this.#ends[row]!;
  }
}

class LimitList {
  readonly #ends: Uint32Array;
  readonly #jd: Float64Array;
  readonly #limit: Float64Array;

  constructor(alerts: Block) {
    this.#ends = listColumn(alerts, "nonDetections.jd").ends;
    this.#jd = numbersOf(alerts, "nonDetections.jd");
    this.#limit = numbersOf(alerts, "nonDetections.limitingMagnitude");
  }

  gather(row: number, until: number, limits: Limits): void {
    limits.clear();
    for (let i = row === 0 ? 0 : this.#ends[row - 1]!; i < this.#ends[row]!; i++) {
      if (this.#jd[i]! <= until && Number.isFinite(this.#limit[i]!)) limits.add(this.#jd[i]!, this.#limit[i]!);
    }
  }
}

function listColumn(alerts: Block, name: string): ListColumn {
  const column = alerts.lists?.get(name);
  if (column === undefined) throw new Error(`The alerts have no list ${name}: the step that adds it has failed.`);
  return column;
}

function numbersOf(alerts: Block, name: string): Float64Array {
  const { values, nulls } = listColumn(alerts, name).items as NumberColumn;
  const present = nulls === null || !nulls.includes(1);
  if (present && values instanceof Float64Array) return values;
  const numbers = new Float64Array(values);
  if (!present) for (let i = 0; i < numbers.length; i++) if (nulls[i]) numbers[i] = Number.NaN;
  return numbers;
}

function bandsOf(names: readonly string[], bands: readonly string[]): Uint8Array {
  const indices = new Uint8Array(names.length);
  for (let i = 0; i < names.length; i++) indices[i] = bands.indexOf(names[i]!);
  return indices;
}

const ARRAYS = { Float32: Float32Array, Float64: Float64Array, Int32: Int32Array, Bool: Uint8Array };

function columnOf(
  { feature: { type } }: NamedFeature,
  matrix: Float64Array,
  place: number,
  width: number,
  rows: number,
  bands: readonly string[],
): Column {
  const nulls = new Uint8Array(rows);
  const own = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const value = matrix[row * width + place]!;
    // What a Float32 cannot hold is missing too.
    if (Number.isFinite(type === "Float32" ? Math.fround(value) : value)) own[row] = value;
    else nulls[row] = 1;
  }
  if (type !== "String") return { type, values: type === "Float64" ? own : ARRAYS[type].from(own), nulls };
  return { type, values: Array.from(own, (band, row) => (nulls[row] ? "" : bands[band]!)), nulls };
}
