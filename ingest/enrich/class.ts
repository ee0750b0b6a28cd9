// Step: a class for every alert by its survey's rules, until trained classifiers come. Called by ingest/pipeline.ts.
import type { AlertBatch } from "../../domain/alert.js";
import { surveyModule } from "../surveys/index.js";

/** The batch with its `class` column filled: solar-system, stellar, hosted, hostless or unknown. */
export function classify(batch: AlertBatch): AlertBatch {
  const values = surveyModule(batch.survey).classify(batch.alerts);
  const columns = new Map(batch.alerts.columns).set("class", { type: "String", values, nulls: null });
  return { ...batch, alerts: { rows: batch.alerts.rows, columns } };
}
