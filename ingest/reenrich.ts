// Features of archived alerts made anew, after the step has changed or where it had failed. Made by cli/.
import type { AlertBatch } from "../domain/alert.js";
import type { Block } from "../domain/columns.js";
import type { Correction } from "../domain/correction.js";
import { TocsinError } from "../domain/errors.js";
import { FEATURES_VERSION } from "../domain/features/features.js";
import type { Survey } from "../domain/survey.js";
import type { BatchStore } from "../stores/batches.store.js";
import type { CorrectionStore } from "../stores/corrections.store.js";
import type { FeatureKey, FeatureStore } from "../stores/features.store.js";
import type { Enrichment } from "./enrich/enrichment.js";
import { bigColumn, numberColumn, stringColumn } from "./rows.js";

/** Alerts of one piece of work: seconds. */
const PIECE = 20_000;
/** Alerts whose histories are in memory at once. */
const ROWS = 1_000;

export interface ReenrichParts {
  readonly features: Pick<FeatureStore, "outdated" | "write">;
  /** Told of objects whose latest features are made anew. */
  readonly corrections: Pick<CorrectionStore, "tell">;
  readonly batches: Pick<BatchStore, "begin">;
  /** The steps that alerts go through, in their order: history and features. */
  readonly steps: readonly Enrichment[];
}

export interface ReenrichedPiece {
  /** Where the next piece begins; null: all have been looked at. */
  readonly after: FeatureKey | null;
  /** Alerts looked at, and alerts whose features were made. */
  readonly seen: number;
  readonly made: number;
}

export type Reenricher = (survey: Survey, before: number, after: FeatureKey | null) => Promise<ReenrichedPiece>;

/**
 * One piece: the next alerts by time whose features are missing or of a version below `before`. Each gets the features of
 * its light curve as packets up to it told it, as if it had just come. Alerts that come meanwhile are of the new version, so
 * nothing is held up; an interrupted run is simply begun again.
 */
export function createReenricher({ features, corrections, batches, steps }: ReenrichParts): Reenricher {
  return async (survey, before, after) => {
    let key = after;
    let seen = 0;
    let made = 0;
    while (seen < PIECE) {
      const page = await features.outdated(survey, before, key, ROWS);
      if (page.last === null) return { after: null, seen, made };
      key = page.last;
      seen += page.seen;
      if (page.alerts.rows === 0) continue;
      await features.write(batches.begin(), survey, await featuresOf(survey, page.alerts, steps));
      await corrections.tell(correctionsOf(survey, page.alerts));
      made += page.alerts.rows;
    }
    return { after: key, seen, made };
  };
}

async function featuresOf(survey: Survey, alerts: Block, steps: readonly Enrichment[]): Promise<Block> {
  const nothing: Block = { rows: 0, columns: new Map() };
  // Everything that their packets told is in the archive.
  let batch: AlertBatch = { survey, alerts, photometry: nothing, toldBy: new Uint32Array(), packets: [] };
  for (const step of steps) batch = await step.run(batch);
  const annex = batch.annexes?.find(({ table }) => table === "features");
  if (annex === undefined) throw new TocsinError("INTERNAL", "No step has made features.");
  return annex.rows;
}

function correctionsOf(survey: Survey, alerts: Block): Correction[] {
  const isLatest = numberColumn(alerts, "isLatest").values;
  const [jd, programid] = [numberColumn(alerts, "jd").values, numberColumn(alerts, "programid").values];
  const candid = bigColumn(alerts, "candid").values;
  return stringColumn(alerts, "objectId").values.flatMap((objectId, row) => {
    if (isLatest[row] !== 1) return [];
    const alert = { survey, objectId, candid: candid[row]!, jd: jd[row]!, programid: programid[row]! };
    return [{ ...alert, what: "FEATURES", step: "features", version: String(FEATURES_VERSION) }];
  });
}
