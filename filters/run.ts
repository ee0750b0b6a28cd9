// The filter step of the pipeline: a batch of alerts x all active filters -> hits. Called by ingest/pipeline.ts.
import type { AlertBatch } from "../domain/alert.js";
import type { BigColumn, Block, Column, NumberColumn, StringColumn } from "../domain/columns.js";
import type { NewHit } from "../domain/filter.js";
import type { InFlightQuery } from "../stores/inflight.store.js";
import type { ActiveFilters } from "./active.js";
import type { BrokenFilter, CompiledAnnotation, CompiledFilter } from "./compiled.js";
import { evaluate } from "./evaluate.js";

export interface FilterRunResult {
  /** In the order of the batch's rows; within a row, of the filters. */
  readonly hits: readonly NewHit[];
  /** Active filters that could not run, with the reason; they do not stop the others. */
  readonly broken: readonly BrokenFilter[];
}

export interface FilterRun {
  /** One query for all filters, and one for the annotations of those that have hits. Throws where the engine is lost. */
  run(batch: AlertBatch): Promise<FilterRunResult>;
}

export function createFilterRun(inFlight: InFlightQuery, active: ActiveFilters): FilterRun {
  return {
    async run(batch) {
      const { filters, broken } = await active.of(batch.survey);
      if (batch.alerts.rows === 0 || filters.length === 0) {
        return { hits: [], broken };
      }
      const conditions = await evaluate(
        inFlight,
        batch.alerts,
        filters.map((filter) => filter.where),
        null,
      );
      const passes = passesByRow(batch.alerts.rows, filters, conditions.columns);
      const annotated = await annotate(inFlight, batch.alerts, passes);
      const refused = new Map([...conditions.refused, ...annotated.refused]);
      return {
        hits: hitsOf(batch, passes, annotated.textOf),
        broken: [...broken, ...refusedFilters(filters, refused)],
      };
    },
  };
}

/** For each row that passed any: the filters it passed, in their order. */
type Passes = ReadonlyMap<number, readonly CompiledFilter[]>;

function passesByRow(rows: number, filters: readonly CompiledFilter[], columns: ReadonlyMap<string, Column>): Passes {
  const byRow: (CompiledFilter[] | undefined)[] = new Array(rows);
  for (const filter of filters) {
    const passed = columns.get(filter.where.sql)?.values as Uint8Array | undefined;
    for (let row = passed ? passed.indexOf(1) : -1; row >= 0; row = passed!.indexOf(1, row + 1)) {
      const passedBefore = byRow[row];
      if (passedBefore) passedBefore.push(filter);
      else byRow[row] = [filter];
    }
  }
  return new Map(byRow.flatMap((passed, row) => (passed ? [[row, passed] as const] : [])));
}

interface Annotated {
  /** JSON text of a hit's annotations; `index` counts the rows that passed a filter with annotations. */
  readonly textOf: (filter: CompiledFilter, row: number) => string | null;
  readonly refused: ReadonlyMap<string, string>;
}

async function annotate(inFlight: InFlightQuery, alerts: Block, passes: Passes): Promise<Annotated> {
  const keep = new Uint8Array(alerts.rows);
  const wanted = new Set<CompiledAnnotation>();
  const indexOf = new Map<number, number>();
  for (const [row, filters] of passes) {
    const annotations = filters.flatMap((filter) => filter.annotations);
    if (annotations.length > 0) {
      keep[row] = 1;
      indexOf.set(row, indexOf.size);
      for (const annotation of annotations) wanted.add(annotation);
    }
  }
  if (wanted.size === 0) {
    return { textOf: () => null, refused: new Map() };
  }
  const { columns, refused } = await evaluate(inFlight, alerts, [...wanted], keep);
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
    const reasons = [filter.where, ...filter.annotations].map((expression) => refused.get(expression.sql));
    const message = reasons.find((reason) => reason !== undefined);
    return message === undefined ? [] : [{ filterId: filter.id, message }];
  });
}
