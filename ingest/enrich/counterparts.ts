// Step: objects of other surveys at the places of a batch's alerts. Called by ingest/pipeline.ts after the batch is in
// the archive: of two surveys' batches that are written at the same time, the later look sees both.
import type { AlertBatch } from "../../domain/alert.js";
import type { CounterpartPair } from "../../stores/links.store.js";
import type { ObjectStore } from "../../stores/objects.store.js";
import { numberColumn, stringColumn } from "../rows.js";
import { surveyModule } from "../surveys/index.js";

/** Every pair once, with its smallest separation in the batch. */
export async function findCounterparts(batch: AlertBatch, objects: ObjectStore): Promise<CounterpartPair[]> {
  const { survey, alerts } = batch;
  if (alerts.rows === 0) return [];
  const { counterpartRadiusArcsec } = surveyModule(survey).description;
  const ra = numberColumn(alerts, "ra").values as Float64Array;
  const dec = numberColumn(alerts, "dec").values as Float64Array;
  const objectId = stringColumn(alerts, "objectId").values;

  const pairs = new Map<string, CounterpartPair>();
  for (const near of await objects.neighbours(survey, ra, dec, counterpartRadiusArcsec)) {
    const radius = Math.min(counterpartRadiusArcsec, surveyModule(near.survey).description.counterpartRadiusArcsec);
    if (near.separationArcsec > radius) continue;
    const own = { survey, objectId: objectId[near.index]! };
    const other = { survey: near.survey, objectId: near.objectId };
    const key = `${own.objectId} ${other.survey} ${other.objectId}`;
    const before = pairs.get(key);
    if (before === undefined || near.separationArcsec < before.separationArcsec) {
      pairs.set(key, { a: own, b: other, separationArcsec: near.separationArcsec });
    }
  }
  return [...pairs.values()];
}
