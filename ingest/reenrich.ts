// Features of archived alerts made anew, after the step has changed or where it had failed. Made by cli/.
import type { AlertBatch } from "../domain/alert.js";
import type { Block, Column } from "../domain/columns.js";
import { TocsinError } from "../domain/errors.js";
import { FEATURES_STEP, FEATURES_VERSION } from "../domain/features/features.js";
import type { Survey } from "../domain/survey.js";
import type { BatchStore } from "../stores/batches.store.js";
import type { AlertOfProgram } from "../stores/corrections.store.js";
import type { FeatureKey, FeatureStore } from "../stores/features.store.js";
import type { Tell } from "./corrections/teller.js";
import type { Enrichment } from "./enrich/enrichment.js";
import { objectsOf } from "./rows.js";

/** Alerts of one piece of work: seconds. */
const PIECE = 20_000;
/** Alerts whose histories are in memory at once. */
const ROWS = 1_000;

export interface ReenrichParts {
  readonly features: Pick<FeatureStore, "outdated" | "write">;
  readonly tell: Tell;
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

export interface Reenricher {
  /** The features of these alerts, of the light curve as it is told by now; at most 20,000 of them. */
  remake(survey: Survey, alerts: readonly AlertOfProgram[]): Promise<void>;
  /** One piece of what is missing or old. */
  reenrich(survey: Survey, before: number, after: FeatureKey | null): Promise<ReenrichedPiece>;
}

/**
 * A piece: the next alerts by time whose features are missing or of a version below `before`. Each gets the features of
 * its light curve as packets up to it told it, as if it had just come. Alerts that come meanwhile are of the new version, so
 * nothing is held up; an interrupted run is simply begun again.
 */
export function createReenricher({ features, tell, batches, steps }: ReenrichParts): Reenricher {
  async function make(survey: Survey, alerts: Block): Promise<void> {
    const version = String(FEATURES_VERSION);
    await features.write(batches.begin(), survey, await featuresOf(survey, alerts, steps));
    await tell([
      {
        ...{ survey, alerts: objectsOf(alerts), what: "FEATURES", step: FEATURES_STEP, version },
        ...{ source: null, scope: null, reads: ["feature"] },
      },
    ]);
  }

  return {
    async remake(survey, alerts) {
      for (let at = 0; at < alerts.length; at += ROWS) await make(survey, blockOf(alerts.slice(at, at + ROWS)));
    },
    async reenrich(survey, before, after) {
      let key = after;
      let seen = 0;
      let made = 0;
      while (seen < PIECE) {
        const page = await features.outdated(survey, before, key, ROWS);
        if (page.last === null) return { after: null, seen, made };
        key = page.last;
        seen += page.seen;
        if (page.alerts.rows === 0) continue;
        await make(survey, page.alerts);
        made += page.alerts.rows;
      }
      return { after: key, seen, made };
    },
  };
}

const blockOf = (alerts: readonly AlertOfProgram[]): Block => ({
  rows: alerts.length,
  columns: new Map<string, Column>([
    ["objectId", { type: "String", values: alerts.map(({ objectId }) => objectId), nulls: null }],
    ["jd", { type: "Float64", values: Float64Array.from(alerts, ({ jd }) => jd), nulls: null }],
    ["candid", { type: "Int64", values: BigInt64Array.from(alerts, ({ candid }) => candid), nulls: null }],
    ["programid", { type: "Int32", values: Int32Array.from(alerts, ({ programid }) => programid), nulls: null }],
  ]),
});

async function featuresOf(survey: Survey, alerts: Block, steps: readonly Enrichment[]): Promise<Block> {
  const nothing: Block = { rows: 0, columns: new Map() };
  // Everything that their packets told is in the archive.
  let batch: AlertBatch = { survey, alerts, photometry: nothing, toldBy: new Uint32Array(), packets: [] };
  for (const step of steps) batch = await step.run(batch);
  const annex = batch.annexes?.find(({ table }) => table === "features");
  if (annex === undefined) throw new TocsinError("INTERNAL", "No step has made features.");
  return annex.rows;
}
