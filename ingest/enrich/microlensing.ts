// Step: the microlensing fit of each alert's object as it stood, as score.microlensing.* and rows of `scores`. Only where it
// can become a candidate, and only as many as the batch's time allows. Off unless a setting gives it time. Made by cli/, called
// by enrichment.ts.
import { setImmediate as breathe } from "node:timers/promises";
import type { AlertBatch, Annex } from "../../domain/alert.js";
import type { Block, Column, ListColumn, NumberColumn, StringColumn } from "../../domain/columns.js";
import {
  fitMicrolensing,
  isWorthFitting,
  type Microlensing,
  magnification,
  pointsOfImages,
} from "../../domain/microlensing.js";
import { stepFailed } from "../../domain/missing.js";
import type { OperandSource } from "../../domain/operand.js";
import type { FluxPoint } from "../../domain/shapefit.js";
import { takeRows } from "../rows.js";
import { type Enrichment, withMissing } from "./enrichment.js";

/** As a model that has the name. */
const NAME = "microlensing";
/** Raise it with every change of the fit, its cuts, or of what is fitted. */
const VERSION = "1";
const NO_TIME = "The batch had no more time for fits of microlensing (MICROLENSING_MS).";

interface Output {
  readonly unit: string | null;
  readonly description: string;
  readonly of: (fit: Microlensing, jd: number) => number;
}

const OUTPUTS: Readonly<Record<string, Output>> = {
  candidate: {
    unit: null,
    description: "1 where every cut is passed, else 0",
    of: (fit) => Number(fit.failedCuts.length === 0),
  },
  failedCuts: { unit: null, description: "How many cuts are not passed", of: (fit) => fit.failedCuts.length },
  sinceT0: { unit: "d", description: "From the closest approach to the alert", of: (fit, jd) => jd - fit.t0 },
  tE: { unit: "d", description: "Einstein crossing time", of: (fit) => fit.tE },
  u0: { unit: null, description: "Closest approach, Einstein radii", of: (fit) => fit.u0 },
  magnification: { unit: null, description: "Greatest magnification", of: (fit) => magnification(fit.u0) },
  reducedChi2: { unit: null, description: "Chi2 per degree of freedom", of: (fit) => fit.chi2 / fit.degreesOfFreedom },
};
const NAMES = Object.keys(OUTPUTS);

/** The names that filters may read; none where the step is off. */
export const microlensingOperands = (budgetMs: number): OperandSource => ({
  operands: () => ({
    values: (budgetMs > 0 ? NAMES : []).map((name) => ({
      name: `score.${NAME}.${name}`,
      type: "Float32",
      nullable: true,
      unit: OUTPUTS[name]!.unit,
      description: `${OUTPUTS[name]!.description}, by a point lens (Paczynski 1986) through all points up to the alert; missing where the light curve cannot be an event.`,
    })),
    lists: [],
  }),
  onChange: () => () => undefined,
});

/** `budgetMs`: of the processor for each batch; the last fit that is begun is ended. */
export function createMicrolensing(budgetMs: number): Enrichment {
  return {
    name: NAME,
    version: VERSION,
    async run(batch) {
      try {
        return await scored(batch, budgetMs);
      } catch (error) {
        return withMissing(batch, [stepFailed("scores", NAME, error)]);
      }
    },
  };
}

async function scored(batch: AlertBatch, budgetMs: number): Promise<AlertBatch> {
  const { alerts } = batch;
  const jd = (alerts.columns.get("jd") as NumberColumn).values;
  const [detections, forced] = [pointsIn(alerts, "detections"), pointsIn(alerts, "forced")];
  const said: { readonly row: number; readonly values: readonly number[] | null }[] = [];
  let spentMs = 0;
  for (let row = 0; row < alerts.rows; row++) {
    const points = pointsOfImages(detections(row), forced(row));
    if (!isWorthFitting(points)) continue;
    if (spentMs >= budgetMs) {
      said.push({ row, values: null });
      continue;
    }
    const startedAt = performance.now();
    const fit = fitMicrolensing(points);
    spentMs += performance.now() - startedAt;
    if (fit !== null) said.push({ row, values: NAMES.map((name) => OUTPUTS[name]!.of(fit, jd[row]!)) });
    await breathe();
  }
  const columns = new Map(alerts.columns);
  for (const [k, name] of NAMES.entries()) {
    const values = new Float32Array(alerts.rows);
    const nulls = new Uint8Array(alerts.rows).fill(1);
    for (const { row, values: own } of said) {
      if (own === null || !Number.isFinite(Math.fround(own[k]!))) continue;
      values[row] = own[k]!;
      nulls[row] = 0;
    }
    columns.set(`score.${NAME}.${name}`, { type: "Float32", values, nulls });
  }
  const annexes = [...(batch.annexes ?? []), ...(said.length > 0 ? [annexOf(alerts, said)] : [])];
  return { ...batch, alerts: { ...alerts, columns }, annexes };
}

/** The points of a row of a list, in its order. */
function pointsIn(alerts: Block, list: "detections" | "forced"): (row: number) => FluxPoint[] {
  const of = (field: string): ListColumn => {
    const column = alerts.lists?.get(`${list}.${field}`);
    if (column === undefined) throw new Error(`The alerts have no list ${list}: the step that adds it has failed.`);
    return column;
  };
  const { ends } = of("jd");
  const [jd, flux, fluxError] = ["jd", "flux", "fluxError"].map((field) => of(field).items as NumberColumn);
  const band = (of("band").items as StringColumn).values;
  const at = ({ values, nulls }: NumberColumn, item: number) => (nulls?.[item] ? Number.NaN : values[item]!);
  return (row) => {
    const from = row === 0 ? 0 : ends[row - 1]!;
    return Array.from({ length: ends[row]! - from }, (_, n) => {
      const item = from + n;
      return { jd: at(jd!, item), band: band[item]!, flux: at(flux!, item), fluxError: at(fluxError!, item) };
    });
  };
}

/** stores/archive/migrations/0013-scores.ts. What is no number is left out. */
function annexOf(alerts: Block, said: readonly { row: number; values: readonly number[] | null }[]): Annex {
  const kept = ["jd", "candid", "objectId", "programid"].map((name) => [name, alerts.columns.get(name)!] as const);
  const rows = Uint32Array.from(said, ({ row }) => row);
  const { columns } = takeRows({ rows: alerts.rows, columns: new Map(kept) }, rows);
  const outputs: string[] = [];
  const values: number[] = [];
  const ends = Uint32Array.from(said, ({ values: own }) => {
    for (const [k, value] of (own ?? []).entries()) {
      if (!Number.isFinite(Math.fround(value))) continue;
      outputs.push(NAMES[k]!);
      values.push(value);
    }
    return values.length;
  });
  const constant = (text: string): Column => ({ type: "String", values: said.map(() => text), nulls: null });
  const count = said.length;
  return {
    table: "scores",
    rows: {
      rows: count,
      columns: new Map<string, Column>([
        ...columns,
        ["model", constant(NAME)],
        ["version", constant(VERSION)],
        ["shadow", { type: "Bool", values: new Uint8Array(count), nulls: null }],
        ["inputHash", { type: "UInt64", values: new BigUint64Array(count), nulls: null }],
        ["class", { type: "String", values: said.map(() => ""), nulls: new Uint8Array(count).fill(1) }],
        [
          "reason",
          {
            type: "String",
            values: said.map((one) => (one.values === null ? NO_TIME : "")),
            nulls: Uint8Array.from(said, (one) => Number(one.values !== null)),
          },
        ],
      ]),
      lists: new Map([
        ["outputs", { ends, items: { type: "String", values: outputs, nulls: null } }],
        ["values", { ends, items: { type: "Float32", values: Float32Array.from(values), nulls: null } }],
      ]),
    },
  };
}
