// Step: what the models say of each alert. Adds score.<model>.<output> and class.<model> of active models, and the annex
// `scores` of all that run. Made by cli/, called by enrichment.ts.
import type { AlertBatch, Annex } from "../../domain/alert.js";
import type { Column, NumberArray } from "../../domain/columns.js";
import { type MissingCode, type MissingStep, reasonOf } from "../../domain/missing.js";
import { prepareInputs } from "../classifiers/inputs.js";
import { outputNames, wantsCutouts } from "../classifiers/manifest.js";
import type { Job, ModelWork, Provider, Scored } from "../classifiers/protocol.js";
import type { ModelRegistry, RunningModel } from "../classifiers/registry.js";
import type { Outcome, Scorer } from "../classifiers/scorer.js";
import { bigColumn, numberColumn, stringColumn } from "../rows.js";
import { type Enrichment, withMissing } from "./enrichment.js";

export interface ScoresParts {
  readonly registry: Pick<ModelRegistry, "running" | "suspended" | "failed" | "succeeded">;
  readonly scorer: Pick<Scorer, "score">;
  readonly provider: Provider;
  /** Takes a line for each model that failed with a batch. */
  readonly log: (line: string) => void;
}

const STEP = "scores";
/** Of what a model that runs no more did not say. */
const SUSPENDED = "suspended: ";

/** Never throws: what a model did not say is missing, with the reason in the annex. */
export function scoresEnrichment({ registry, scorer, provider, log }: ScoresParts): Enrichment {
  /** What a model said of the batch, or why it said nothing. */
  async function outcomesOf(batch: AlertBatch, models: readonly RunningModel[]): Promise<Map<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    const work: ModelWork[] = [];
    for (const { key, file, manifest } of models) {
      const suspended = registry.suspended(key);
      if (suspended !== null) {
        outcomes.set(key, { fault: `${SUSPENDED}${suspended}` });
        continue;
      }
      try {
        work.push({ key, file, manifest, ...prepareInputs(manifest, batch.alerts) });
      } catch (error) {
        outcomes.set(key, { fault: reasonOf(error) });
      }
    }
    if (work.length === 0) return outcomes;
    for (const [key, outcome] of await scorer.score(jobOf(batch, work, provider))) {
      if ("scored" in outcome) {
        outcomes.set(key, outcome);
        registry.succeeded(key, { ms: outcome.scored.ms, rows: batch.alerts.rows });
        continue;
      }
      log(`The model ${key} gave no scores for ${batch.alerts.rows} alerts: ${outcome.fault}.`);
      // Others see this one.
      const fault = reasonOf(outcome.fault);
      outcomes.set(key, { fault });
      registry.failed(key, fault);
    }
    return outcomes;
  }

  return {
    name: STEP,
    version: "1",
    async run(batch) {
      const models = registry.running(batch.survey);
      if (models.length === 0) return batch;
      const outcomes = await outcomesOf(batch, models);
      const columns = new Map(batch.alerts.columns);
      const annexes = models.map((model) => {
        const said = answersOf(model, batch.alerts.rows, outcomes.get(model.key)!);
        if (!model.shadow) for (const [name, column] of columnsOf(model, said)) columns.set(name, column);
        return annexOf(model, batch, said);
      });
      const scored = {
        ...batch,
        alerts: { ...batch.alerts, columns },
        annexes: [...(batch.annexes ?? []), ...annexes],
      };
      return withMissing(scored, missingOf(models, outcomes));
    },
  };
}

/** What a shadow did not say is nobody's loss. */
function missingOf(models: readonly RunningModel[], outcomes: ReadonlyMap<string, Outcome>): MissingStep[] {
  return models.flatMap(({ key, shadow, manifest }) => {
    const outcome = outcomes.get(key)!;
    if (shadow || "scored" in outcome) return [];
    const code: MissingCode = outcome.fault.startsWith(SUSPENDED) ? "MODEL_SUSPENDED" : "MODEL_FAILED";
    return [{ step: STEP, part: manifest.name, code, reason: outcome.fault }];
  });
}

function jobOf({ survey, alerts, packets }: AlertBatch, models: readonly ModelWork[], provider: Provider): Job {
  const withCutouts = models.some(({ manifest }) => wantsCutouts(manifest));
  const schemas = withCutouts ? [...new Set(packets.map(({ schema }) => schema.text))] : [];
  return {
    kind: "job",
    provider,
    survey,
    rows: alerts.rows,
    schemas,
    packets: withCutouts ? packets.map(({ bytes, schema }) => ({ bytes, schema: schemas.indexOf(schema.text) })) : [],
    models,
  };
}

interface Answers extends Omit<Scored, "oneByOne" | "ms"> {
  readonly classes: readonly (string | null)[];
}

function answersOf({ manifest }: RunningModel, rows: number, outcome: Outcome): Answers {
  const names = outputNames(manifest);
  const scored =
    "scored" in outcome
      ? outcome.scored
      : {
          values: new Float32Array(rows * names.length).fill(Number.NaN),
          reasons: new Array<string>(rows).fill(outcome.fault.slice(0, 500)),
          hashes: new BigUint64Array(rows),
        };
  const of = (manifest.class?.of ?? []).map((name) => names.indexOf(name));
  const classes = Array.from({ length: rows }, (_, row) => {
    // NaN is larger than nothing.
    const best = of.reduce((best, k) => (at(scored, row, k) > at(scored, row, best) ? k : best), of[0] ?? 0);
    return of.length > 0 && at(scored, row, best) >= manifest.class!.threshold ? names[best]! : null;
  });
  return { ...scored, classes };

  function at({ values }: Pick<Scored, "values">, row: number, k: number): number {
    return values[row * names.length + k]!;
  }
}

function columnsOf({ manifest }: RunningModel, { values, reasons, classes }: Answers): [string, Column][] {
  const names = outputNames(manifest);
  const nulls = Uint8Array.from(reasons, (reason) => (reason === null ? 0 : 1));
  const columns = names.map((name, k): [string, Column] => {
    const own = Float32Array.from(reasons, (reason, row) => (reason === null ? values[row * names.length + k]! : 0));
    return [`score.${manifest.name}.${name}`, { type: "Float32", values: own, nulls }];
  });
  if (manifest.class !== undefined) columns.push([`class.${manifest.name}`, textsOrNull(classes)]);
  return columns;
}

/** One row for each alert: stores/archive/migrations/0013-scores.ts. */
function annexOf(model: RunningModel, { alerts }: AlertBatch, { values, reasons, hashes, classes }: Answers): Annex {
  const { rows } = alerts;
  const { name, version } = model.manifest;
  const names = outputNames(model.manifest);
  const ends = new Uint32Array(rows);
  const kept: number[] = [];
  for (let row = 0; row < rows; row += 1) {
    if (reasons[row] === null) {
      for (let k = 0; k < names.length; k += 1) kept.push(values[row * names.length + k]!);
    }
    ends[row] = kept.length;
  }
  const outputs = Array.from({ length: kept.length }, (_, n) => names[n % names.length]!);
  const constant = (text: string): Column => ({ type: "String", values: new Array(rows).fill(text), nulls: null });
  const floats: NumberArray = Float32Array.from(kept);
  return {
    table: "scores",
    rows: {
      rows,
      columns: new Map<string, Column>([
        ["jd", numberColumn(alerts, "jd")],
        ["candid", bigColumn(alerts, "candid")],
        ["objectId", stringColumn(alerts, "objectId")],
        ["programid", numberColumn(alerts, "programid")],
        ["model", constant(name)],
        ["version", constant(version)],
        ["shadow", { type: "Bool", values: new Uint8Array(rows).fill(model.shadow ? 1 : 0), nulls: null }],
        ["inputHash", { type: "UInt64", values: hashes, nulls: null }],
        ["class", textsOrNull(classes)],
        ["reason", textsOrNull(reasons)],
      ]),
      lists: new Map([
        ["outputs", { ends, items: { type: "String", values: outputs, nulls: null } }],
        ["values", { ends, items: { type: "Float32", values: floats, nulls: null } }],
      ]),
    },
  };
}

const textsOrNull = (texts: readonly (string | null)[]): Column => ({
  type: "String",
  values: texts.map((text) => text ?? ""),
  nulls: Uint8Array.from(texts, (text) => (text === null ? 1 : 0)),
});
