// A model's inputs made of a batch's columns and lists. Called by ingest/enrich/scores.ts.
import type { Block, Column, ListColumn } from "../../domain/columns.js";
import type { ListInput, Manifest, ValuesInput } from "./manifest.js";
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
    if (input.kind === "list") return { kind: "tensor", values: listTensor(input, alerts), shape: shapeOf(input) };
    return { kind: "tensor", values: valuesTensor(input, alerts, usable), shape: [input.columns.length] };
  });
  return { inputs, usable };
}

const shapeOf = ({ length, fields }: ListInput): number[] => [length, fields.length];

type Codes = Readonly<Record<string, number>>;

/** Value of an item as a number; NaN where it is missing. */
function reader(column: Column, codes: Codes | undefined): (at: number) => number {
  const { nulls } = column;
  if (column.type === "String") {
    const known = new Map(Object.entries(codes ?? {}));
    return (at) => (nulls?.[at] ? Number.NaN : (known.get(column.values[at]!) ?? Number.NaN));
  }
  return (at) => (nulls?.[at] ? Number.NaN : Number(column.values[at]!));
}

/** [rows, columns] */
function valuesTensor({ columns, codes, missing }: ValuesInput, alerts: Block, usable: Uint8Array): Float32Array {
  const tensor = new Float32Array(alerts.rows * columns.length);
  for (const [k, name] of columns.entries()) {
    const column = alerts.columns.get(name);
    if (column === undefined) throw new Error(`the alerts have no ${name}`);
    const read = reader(column, codes[name]);
    for (let row = 0; row < alerts.rows; row += 1) {
      const value = read(row);
      const isMissing = !Number.isFinite(value);
      if (isMissing && missing === "skip") usable[row] = 0;
      tensor[row * columns.length + k] = isMissing ? (missing === "skip" ? 0 : missing) : value;
    }
  }
  return tensor;
}

interface Sequence {
  readonly list: ListColumn;
  readonly jd: ((at: number) => number) | null;
  readonly fields: readonly ((at: number) => number)[];
}

/** [rows, length, fields] */
function listTensor(input: ListInput, alerts: Block): Float32Array {
  const { length, fields, take, pad } = input;
  const sequences = input.lists.map((name) => sequence(input, alerts, name));
  const alertJd = reader(alerts.columns.get("jd")!, undefined);
  const tensor = new Float32Array(alerts.rows * length * fields.length).fill(pad);
  const age = fields.indexOf("age");
  for (let row = 0; row < alerts.rows; row += 1) {
    const found = elements(sequences, row).map(({ of, at }) =>
      fields.map((_, k) => (k === age ? alertJd(row) - of.jd!(at) : of.fields[k]!(at))),
    );
    const whole = input.missing === "skip" ? found.filter((values) => values.every(Number.isFinite)) : found;
    const taken = take === "last" ? whole.slice(-length) : whole.slice(0, length);
    let at = row * length * fields.length;
    for (const values of taken) {
      for (const value of values) tensor[at++] = Number.isFinite(value) ? value : (input.missing as number);
    }
  }
  return tensor;
}

function sequence({ lists, fields, codes }: ListInput, alerts: Block, name: string): Sequence {
  const find = (field: string): ListColumn => {
    const column = alerts.lists?.get(`${name}.${field}`);
    if (column === undefined) throw new Error(`the alerts have no ${name}.${field}`);
    return column;
  };
  const timed = lists.length > 1 || fields.includes("age");
  const jd = timed ? find("jd") : null;
  const columns = fields.map((field) => (field === "age" ? jd! : find(field)));
  return {
    list: columns[0]!,
    jd: jd && reader(jd.items, undefined),
    fields: columns.map((column, k) => reader(column.items, codes[fields[k]!])),
  };
}

/** Elements of a row: one list in its own order, several by time. */
function elements(sequences: readonly Sequence[], row: number): { of: Sequence; at: number }[] {
  const all = sequences.flatMap((of) => {
    const first = row === 0 ? 0 : of.list.ends[row - 1]!;
    return Array.from({ length: of.list.ends[row]! - first }, (_, n) => ({ of, at: first + n }));
  });
  return sequences.length === 1 ? all : all.sort((a, b) => a.of.jd!(a.at) - b.of.jd!(b.at));
}
