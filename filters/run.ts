// The filter step of the pipeline: a batch of alerts x all active filters -> hits. Called by ingest/pipeline.ts.
import type { AlertBatch } from "../domain/alert.js";
import type { BigColumn, Block, Column, NumberColumn, StringColumn } from "../domain/columns.js";
import type { NewHit } from "../domain/filter.js";
import type { InFlightQuery } from "../stores/inflight.store.js";
import type { ActiveFilters } from "./active.js";
import type { BrokenFilter, CompiledAnnotation, CompiledFilter } from "./compiled.js";
import { decide, type Passes } from "./decide.js";
import { evaluate } from "./evaluate.js";

export interface FilterRunResult {
  /** In the order of the batch's rows; within a row, of the filters. */
  readonly hits: readonly NewHit[];
  /** Active filters that could not run, with the reason; they do not stop the others. */
  readonly broken: readonly BrokenFilter[];
}

export interface FilterRun {
  /**
   * One query for all filters, one for the lists of alerts that are left, and one for the annotations of those that have
   * hits. Throws where the engine is lost.
   */
  run(batch: AlertBatch): Promise<FilterRunResult>;
}

export function createFilterRun(inFlight: InFlightQuery, active: ActiveFilters): FilterRun {
  return {
    async run(batch) {
      const { filters, broken } = await active.of(batch.survey);
      if (batch.alerts.rows === 0 || filters.length === 0) {
        return { hits: [], broken };
      }
      const { passes, refused: refusedConditions } = await decide(inFlight, batch.alerts, filters);
      const annotated = await annotate(inFlight, batch.alerts, passes);
      const refused = new Map([...refusedConditions, ...annotated.refused]);
      return {
        hits: hitsOf(batch, passes, annotated.textOf),
        broken: [...broken, ...refusedFilters(filters, refused)],
      };
    },
  };
}

interface Annotated {
  /** JSON text of a hit's annotations; `index` counts the rows that passed a filter with annotations. */
  readonly textOf: (filter: CompiledFilter, row: number) => string | null;
  readonly refused: ReadonlyMap<string, string>;
}

async function annotate(inFlight: InFlightQuery, alerts: Block, passes: Passes): Promise<Annotated> {
  const wanted = new Set<CompiledAnnotation>();
  const indexOf = new Map<number, number>();
  for (const [row, filters] of passes) {
    const annotations = filters.flatMap((filter) => filter.annotations);
    if (annotations.length > 0) {
      indexOf.set(row, indexOf.size);
      for (const annotation of annotations) wanted.add(annotation);
    }
  }
  if (wanted.size === 0) {
    return { textOf: () => null, refused: new Map() };
  }
  const { columns, refused } = await evaluate(inFlight, alerts, [...wanted], Uint32Array.from(indexOf.keys()));
  const textOf = (filter: CompiledFilter, row: number) => {
    if (filter.annotations.length === 0) {
      return null;
    }
    const index = indexOf.get(row)!;
    const pairs = filter.annotations.map(
      (annotation) => `${JSON.stringify(annotation.name)}:${valueText(annotation, columns.get(annotation.sql), index)}`,
    );
    return `{${pairs.join(",")}}`;
  };
  return { textOf, refused };
}

/** A value as JSON; what is missing, not finite or could not be evaluated is null. */
function valueText(annotation: CompiledAnnotation, column: Column | undefined, row: number): string {
  if (!column || column.nulls?.[row]) {
    return "null";
  }
  const value = (column as NumberColumn | StringColumn).values[row]!;
  return annotation.kind === "truth" ? String(value === 1) : JSON.stringify(value);
}

function hitsOf(batch: AlertBatch, passes: Passes, annotationsOf: Annotated["textOf"]): NewHit[] {
  const { survey, alerts } = batch;
  const candids = (alerts.columns.get("candid") as BigColumn).values;
  const objectIds = (alerts.columns.get("objectId") as StringColumn).values;
  const jds = (alerts.columns.get("jd") as NumberColumn).values;
  const programids = (alerts.columns.get("programid") as NumberColumn).values;
  const hits: NewHit[] = [];
  for (const [row, filters] of passes) {
    for (const filter of filters) {
      hits.push({
        filterId: filter.id,
        filterVersion: filter.version,
        survey,
        candid: candids[row]!,
        objectId: objectIds[row]!,
        jd: jds[row]!,
        programid: programids[row]!,
        annotations: annotationsOf(filter, row),
      });
    }
  }
  return hits;
}

function refusedFilters(filters: readonly CompiledFilter[], refused: ReadonlyMap<string, string>): BrokenFilter[] {
  return filters.flatMap((filter) => {
    const expressions = [filter.where.quick, filter.where.slow, ...filter.annotations];
    const reasons = expressions.map((expression) => expression && refused.get(expression.sql));
    const message = reasons.find((reason) => reason);
    return !message ? [] : [{ filterId: filter.id, message }];
  });
}
