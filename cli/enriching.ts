// What enrichment adds to alerts, put together: the names that filters may read in every process, and the steps that fill
// them in those that take alerts in. Called by cli/service.ts.
import type { Logger } from "pino";
import { featureOperands } from "../domain/features/operands.js";
import type { OperandSource } from "../domain/operand.js";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import type { ActiveFilters } from "../filters/active.js";
import type { ModelRegistry } from "../ingest/classifiers/registry.js";
import { createScorer } from "../ingest/classifiers/scorer.js";
import { createMatchedCatalogs, type MatchedCatalogs } from "../ingest/crossmatch/catalogs.js";
import { matchOperands } from "../ingest/crossmatch/operands.js";
import { counterpartHistories, createCounterpartHistory } from "../ingest/enrich/counterparthistory.js";
import { createCrossmatch } from "../ingest/enrich/crossmatch.js";
import type { Enrichment } from "../ingest/enrich/enrichment.js";
import { createFeatureStep } from "../ingest/enrich/features.js";
import { createHistory, histories } from "../ingest/enrich/history.js";
import { createMarks } from "../ingest/enrich/marks.js";
import { createMicrolensing, microlensingOperands } from "../ingest/enrich/microlensing.js";
import { scoresEnrichment } from "../ingest/enrich/scores.js";
import { createHeldMarks, type HeldMarks } from "../ingest/marks/held.js";
import { markOperands } from "../ingest/marks/operands.js";
import type { ArchiveStores } from "../stores/archive/stores.js";
import type { Settings } from "./settings.js";

export interface Enriching {
  /** For the filter language. */
  readonly operands: readonly OperandSource[];
  /**
   * In their order: later ones read what earlier ones add. Opened once, by the process that takes alerts in; `active`: the
   * filters that will read what is added.
   */
  open(active: ActiveFilters): Promise<Enrichments>;
}

export interface Enrichments {
  readonly steps: readonly Enrichment[];
  /** What the step of marks holds in memory. */
  readonly marks: HeldMarks;
  /** What alerts are matched with. */
  readonly catalogs: MatchedCatalogs;
  close(): Promise<void>;
}

export interface EnrichingParts {
  readonly settings: Settings;
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly stores: Pick<ArchiveStores, "catalogs" | "history" | "marks" | "nearest">;
  readonly models: ModelRegistry;
  readonly log: Logger;
}

export function createEnriching({ settings, surveys, stores, models, log }: EnrichingParts): Enriching {
  const warn = (line: string): void => log.warn(line);
  return {
    operands: [
      histories([...surveys.values()]),
      counterpartHistories([...surveys.values()]),
      matchOperands(stores.catalogs),
      featureOperands(surveys.values()),
      models,
      microlensingOperands(settings.MICROLENSING_MS),
      markOperands(stores.marks.registry),
    ],
    async open(active) {
      const catalogs = createMatchedCatalogs({
        store: stores.catalogs,
        memoryBytes: settings.CATALOG_MEMORY_MB * 1024 ** 2,
        log: warn,
      });
      const scorer = createScorer();
      const marks = createHeldMarks({ ...stores.marks, log: warn });
      return {
        steps: [
          createHistory(stores.history),
          createCounterpartHistory({ ...stores, surveys, active }),
          createCrossmatch(catalogs),
          createFeatureStep(surveys),
          scoresEnrichment({ registry: models, scorer, provider: settings.MODELS_PROVIDER, log: warn }),
          ...(settings.MICROLENSING_MS > 0 ? [createMicrolensing(settings.MICROLENSING_MS)] : []),
          createMarks(marks),
        ],
        marks,
        catalogs,
        async close() {
          scorer.close();
          marks.close();
          await catalogs.close();
        },
      };
    },
  };
}
