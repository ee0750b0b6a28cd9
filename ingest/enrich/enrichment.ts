// A step that adds values to alerts before they are stored and filtered, and the run of several. Steps are made by cli/,
// called by ingest/pipeline.ts.
import type { AlertBatch } from "../../domain/alert.js";
import { type MissingStep, stepFailed } from "../../domain/missing.js";
import { passes } from "../persistently.js";

export interface Enrichment {
  /** With its version it is kept with each batch: what made these values? */
  readonly name: string;
  readonly version: string;
  /**
   * It adds only what active filters read. Then it runs once more just before they do, for those that have become active
   * since, and adds what is not there yet.
   */
  readonly followsFilters?: boolean;
  /**
   * The batch with the step's columns and lists added to its alerts, its annexes, and what of it is missing. Throws where a
   * store is lost (then the batch waits and is tried again); anything else that it throws is a fault of the step.
   */
  run(batch: AlertBatch): Promise<AlertBatch>;
}

/** The steps in their order. One that is broken leaves its values missing, with the reason, and the alerts go on. */
export async function enrich(batch: AlertBatch, steps: readonly Enrichment[]): Promise<AlertBatch> {
  let enriched = batch;
  for (const step of steps) {
    try {
      enriched = await step.run(enriched);
    } catch (error) {
      if (passes(error)) throw error;
      enriched = withMissing(enriched, [stepFailed(step.name, null, error)]);
    }
  }
  return enriched;
}

export const withMissing = (batch: AlertBatch, more: readonly MissingStep[]): AlertBatch =>
  more.length === 0 ? batch : { ...batch, missing: [...(batch.missing ?? []), ...more] };

/** `name` → version of every step, as each batch keeps them. */
export const versionsOf = (steps: readonly Enrichment[]): Record<string, string> =>
  Object.fromEntries(steps.map(({ name, version }) => [name, version]));
