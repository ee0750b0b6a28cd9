// A step that adds values to alerts before they are stored and filtered, and the run of several. Steps are made by cli/,
// called by ingest/pipeline.ts.
import type { AlertBatch } from "../../domain/alert.js";
import { passes } from "../persistently.js";

export interface Enrichment {
  /** With its version it is kept with each batch: what made these values? */
  readonly name: string;
  readonly version: string;
  /**
   * The batch with the step's columns and lists added to its alerts, and its annexes. Throws where a store is lost (then the
   * batch waits and is tried again); anything else that it throws is a fault of the step.
   */
  run(batch: AlertBatch): Promise<AlertBatch>;
}

/** A step that failed: its values are missing in this batch. */
export interface BrokenStep {
  readonly step: string;
  readonly message: string;
}

/** The steps in their order. One that is broken leaves its values missing, is told, and the alerts go on. */
export async function enrich(
  batch: AlertBatch,
  steps: readonly Enrichment[],
  onBroken: (broken: BrokenStep) => void,
): Promise<AlertBatch> {
  let enriched = batch;
  for (const step of steps) {
    try {
      enriched = await step.run(enriched);
    } catch (error) {
      if (passes(error)) throw error;
      onBroken({ step: step.name, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return enriched;
}

/** `name` → version of every step, as each batch keeps them. */
export const versionsOf = (steps: readonly Enrichment[]): Record<string, string> =>
  Object.fromEntries(steps.map(({ name, version }) => [name, version]));
