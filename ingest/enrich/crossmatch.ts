// Step: every active catalog's sources near each alert, as lists match.<catalog>.* and rows of `matches`. Made by cli/,
// called by ingest/pipeline.ts.
import type { AlertBatch, Annex } from "../../domain/alert.js";
import type { ListColumn } from "../../domain/columns.js";
import { type MissingStep, stepFailed } from "../../domain/missing.js";
import type { MatchedCatalogs } from "../crossmatch/catalogs.js";
import { matchLists, matchRows } from "../crossmatch/rows.js";
import { passes } from "../persistently.js";
import { numberColumn } from "../rows.js";
import { type Enrichment, withMissing } from "./enrichment.js";

export const CROSSMATCH_STEP = "crossmatch";
/** Raise it with every change of what a match is or of how its values are made. */
export const CROSSMATCH_VERSION = "2";

/** A catalog that cannot be matched leaves its own list out, with the reason; a lost store lets the batch wait. */
export function createCrossmatch(catalogs: Pick<MatchedCatalogs, "active" | "matchStream">): Enrichment {
  const version = CROSSMATCH_VERSION;
  return {
    name: CROSSMATCH_STEP,
    version,
    async run(batch: AlertBatch): Promise<AlertBatch> {
      const ra = numberColumn(batch.alerts, "ra").values as Float64Array;
      const dec = numberColumn(batch.alerts, "dec").values as Float64Array;
      const lists = new Map<string, ListColumn>(batch.alerts.lists);
      const annexes: Annex[] = [...(batch.annexes ?? [])];
      const missing: MissingStep[] = [];
      for (const catalog of catalogs.active()) {
        try {
          const matches = await catalogs.matchStream(catalog, ra, dec);
          const rows = matchRows({ alerts: batch.alerts, matches, catalog, version });
          for (const [name, list] of matchLists(catalog, matches)) lists.set(name, list);
          if (rows.rows > 0) annexes.push({ table: "matches", rows });
        } catch (error) {
          if (passes(error)) throw error;
          missing.push(stepFailed(CROSSMATCH_STEP, catalog.name, error));
        }
      }
      return withMissing({ ...batch, alerts: { ...batch.alerts, lists }, annexes }, missing);
    },
  };
}
