// A model's inputs made of a batch's columns and lists. Called by ingest/enrich/scores.ts.
import type { Block, Column } from "../../domain/columns.js";
import type { CutoutsInput, ListInput, Manifest, ValuesInput } from "./manifest.js";
import type { PreparedInput } from "./protocol.js";

export interface PreparedInputs {
  readonly inputs: readonly PreparedInput[];
  /** 0 where a row lacks what it must have. */
  readonly usable: Uint8Array;
}

/** Throws where the alerts have no such column or list at all: then nothing of this model can be made. */
export function prepareInputs(manifest: Manifest, alerts: Block): PreparedInputs {
  const usable = new Uint8Array(alerts.rows).fill(1);
  const inputs = manifest.inputs.map((input): PreparedInput => {
    if (input.kind === "cutouts") return { kind: "cutouts" };
    const values = input.kind === "list" ? listTensor(input, alerts) : valuesTensor(input, alerts, usable);
    return { kind: "tensor", values, shape: shapeOf(input) };
  });
  return { inputs, usable };
}

/** Of one alert's tensor. */
export function shapeOf(input: ValuesInput | ListInput | CutoutsInput): number[] {
  if (input.kind === "values") return [input.columns.length];
  if (input.kind === "list") return [input.length, input.fields.length];
  const { size, cutouts, layout } = input;
  return layout === "channelsFirst" ? [cutouts.length, size, size] : [size, size, cutouts.length];
}

type Codes = Readonly<Record<string, number>>;

/** Values as numbers; NaN where they are missing. */
function numbersOf(column: Column, codes: Codes | undefined): Float64Array {
  const { values, nulls } = column;
  const numbers = new Float64Array(values.length);
  if (column.type === "String") {
    const known = new Map(Object.entries(codes ?? {}));
    for (let i = 0; i < numbers.length; i += 1) numbers[i] = known.get(column.values[i]!) ?? Number.NaN;
  } else {
    for (let i = 0; i < numbers.length; i += 1) numbers[i] = Number(values[i]);
  }
  if (nulls !== null) for (let i = 0; i < numbers.length; i += 1) if (nulls[i] === 1) numbers[i] = Number.NaN;
  return numbers;
}

/** [rows, columns] */
function valuesTensor({ columns, codes, missing }: ValuesInput, alerts: Block, usable: Uint8Array): Float32Array {
  const tensor = new Float32Array(alerts.rows * columns.length);
  for (const [k, name] of columns.entries()) {
    const column = alerts.columns.get(name);
    if (column === undefined) throw new Error(`the alerts have no ${name}`);
    const values = numbersOf(column, codes[name]);
    for (let row = 0; row < alerts.rows; row += 1) {
      const isMissing = !Number.isFinite(values[row]);
      if (isMissing && missing === "skip") usable[row] = 0;
      tensor[row * columns.length + k] = isMissing ? (missing === "skip" ? 0 : missing) : values[row]!;
    }
  }
  return tensor;
}

/** [rows, length, fields] */
function listTensor(input: ListInput, alerts: Block): Float32Array {
  const { length, fields, missing } = input;
  const sequences = input.lists.map((name) => sequence(input, alerts, name));
  const alertJd = alerts.columns.get("jd")!.values as Float64Array;
  const age = fields.indexOf("age");
  const tensor = new Float32Array(alerts.rows * length * fields.length).fill(input.pad);
  const element = new Float64Array(fields.length);
  for (let row = 0; row < alerts.rows; row += 1) {
    const order = inOrder(sequences, row);
    // From the end that is kept; the other one is cut where the tensor's rows are used up.
    const kept: number[] = [];
    for (let n = 0; n < order.length && kept.length < length * fields.length; n += 1) {
      const { of, at } = order[input.take === "last" ? order.length - 1 - n : n]!;
      for (let k = 0; k < fields.length; k += 1) element[k] = of.fields[k]![at]!;
      if (age >= 0) element[age] = alertJd[row]! - element[age]!;
      if (missing === "skip" && !element.every(Number.isFinite)) continue;
      for (const value of element) kept.push(Number.isFinite(value) ? value : (missing as number));
    }
    const start = row * length * fields.length;
    for (let n = 0; n < kept.length; n += fields.length) {
      const to = input.take === "last" ? kept.length - fields.length - n : n;
      for (let k = 0; k < fields.length; k += 1) tensor[start + to + k] = kept[n + k]!;
    }
  }
  return tensor;
}

interface Sequence {
  readonly ends: Uint32Array;
  /** null where nobody asks for the time. */
  readonly jd: Float64Array | null;
  /** An age is still a jd. */
  readonly fields: readonly Float64Array[];
}

/** Fields of a list's elements that an input reads, its order in time among them. */
export function elementFields({ lists, fields }: ListInput): string[] {
  const timed = lists.length > 1 || fields.includes("age");
  return [...new Set([...(timed ? ["jd"] : []), ...fields.filter((field) => field !== "age")])];
}

function sequence(input: ListInput, alerts: Block, name: string): Sequence {
  const columns = new Map(
    elementFields(input).map((field) => {
      const column = alerts.lists?.get(`${name}.${field}`);
      if (column === undefined) throw new Error(`the alerts have no ${name}.${field}`);
      return [field, { ends: column.ends, numbers: numbersOf(column.items, input.codes[field]) }] as const;
    }),
  );
  const of = (field: string): Float64Array => columns.get(field === "age" ? "jd" : field)!.numbers;
  const [first] = columns.values();
  return { ends: first!.ends, jd: columns.get("jd")?.numbers ?? null, fields: input.fields.map(of) };
}

interface Element {
  readonly of: Sequence;
  readonly at: number;
}

/** Elements of a row: one list in its own order, several, each of which is in the order of time, merged by it. */
function inOrder(sequences: readonly Sequence[], row: number): Element[] {
  let merged: Element[] = [];
  for (const of of sequences) {
    const own: Element[] = [];
    for (let at = row === 0 ? 0 : of.ends[row - 1]!; at < of.ends[row]!; at += 1) own.push({ of, at });
    merged = merged.length === 0 ? own : mergedByTime(merged, own);
  }
  return merged;
}

function mergedByTime(a: readonly Element[], b: readonly Element[]): Element[] {
  const all: Element[] = [];
  let n = 0;
  for (const element of a) {
    while (n < b.length && timeOf(b[n]!) < timeOf(element)) all.push(b[n++]!);
    all.push(element);
  }
  for (; n < b.length; n += 1) all.push(b[n]!);
  return all;
}

const timeOf = ({ of, at }: Element): number => of.jd![at]!;
